"""Model fields that no app of ours owns alone."""

import secrets
import unicodedata
from typing import Any

from django.db import models


def fold(text: str) -> str:
    """A text as it compares without regard to case, accents' spelling or width: `ＥＲＰ Straße` -> `erp strasse`."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class FoldedField(models.CharField):
    """A folded copy of another column for uniqueness, search and order without regard to case, renewed by every full save().

    `save(update_fields=…)` and `update()` must name it too, as with any other column.

    SQLite's LOWER and LIKE know ASCII only and PostgreSQL's depend on the locale: a stored copy means the same on both.
    """

    def __init__(self, *args: Any, source: str, **kwargs: Any) -> None:
        self.source = source
        kwargs.setdefault("editable", False)
        # Folding can lengthen a text (`ß` -> `ss`, `ﷺ` -> 18 letters), so the copy has no limit of its own.
        kwargs.setdefault("max_length", 4000)
        super().__init__(*args, **kwargs)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001 (Django's signature)
        value = fold(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}


class PublicIdField(models.CharField):
    """The id of a row, as people and programs see it: a prefix and groups of random digits (`SU-160-984-311`).

    Random, so that nobody can guess the next one or count the rows from it. Drawn when the row is first saved; without a
    `prefix` the row's own attribute `prefix` decides. Two processes could still draw the same id at the same moment: the
    primary key then refuses the second.
    """

    # The empty value is None, so that Django asks for an id on save.
    empty_strings_allowed = False
    tries = 20

    def __init__(self, *args: Any, groups: tuple[int, ...], prefix: str = "", **kwargs: Any) -> None:
        self.groups, self.prefix = groups, prefix
        kwargs |= {"primary_key": True, "editable": False, "max_length": 24}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "groups": self.groups, "prefix": self.prefix}

    def get_pk_value_on_save(self, instance: models.Model) -> str:
        rows = type(instance)._default_manager
        for _ in range(self.tries):
            drawn = new_id(self.prefix or instance.prefix, *self.groups)  # type: ignore[attr-defined]  # see the docstring
            if not rows.filter(pk=drawn).exists():
                return drawn
        raise RuntimeError(f"No free id for {type(instance).__name__} in {self.tries} tries.")


def new_id(prefix: str, *groups: int) -> str:
    """A random id: `new_id("SU", 3, 3, 3)` -> `SU-160-984-311`."""
    return "-".join((prefix, *(f"{secrets.randbelow(10**digits):0{digits}}" for digits in groups)))
