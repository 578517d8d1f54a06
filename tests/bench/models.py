"""The table of keys that users of django-ninja write themselves, as the library has none."""

from typing import ClassVar

from django.db import models


class NinjaKey(models.Model):
    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64)
    active = models.BooleanField(default=True)

    objects: ClassVar[models.Manager["NinjaKey"]]

    def __str__(self) -> str:
        return self.name
