"""Modules and extensions of the catalog as rows."""

from django.db import models

from portal.fields import LineField


class ModuleEntry(models.Model):
    """A module of the catalog as a row, so that the API can filter and order it. Made by `migrate`; never edit it."""

    id = models.CharField(primary_key=True, max_length=8)
    name = LineField(max_length=32)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class ExtensionEntry(models.Model):
    """An extension of the catalog as a row. Made by `migrate`; never edit it."""

    id = models.CharField(primary_key=True, max_length=16)
    name = LineField(max_length=50)
    description = LineField(max_length=255)
    overview = LineField(max_length=255)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name
