"""Modules of the catalog as rows."""

from django.db import models

from portal.fields import LineField


class ModuleEntry(models.Model):
    """A module of the catalog as a row. Written by `migrate`; never edit it.

    Filters, orders and pages of the API are SQL, so what it lists has to be in a table.
    """

    id = models.CharField(primary_key=True, max_length=8)
    name = LineField(max_length=32)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name
