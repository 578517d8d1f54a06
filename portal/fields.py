"""Model fields shared by several apps."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from portal import moments
from portal.addresses import packed, unpacked
from portal.text import fold, isolate, line, prose

if TYPE_CHECKING:
    # Django's fields take no parameters at run time.
    Text: TypeAlias = models.CharField[str, str]
    LongText: TypeAlias = models.TextField[str, str]
else:
    Text, LongText = models.CharField, models.TextField


class Guarded:
    """Mixin for model fields that apply one rule however a value is set.

    `clean` covers forms, the admin and bodies of API calls, `save` covers the shell. A value that
    was stored before the rule existed may stay. The rule is not part of the schema, so migrations
    see Django's own field; `update()` bypasses it, as it bypasses all validation.
    """

    def accept(self, value: Any) -> Any:
        """Return the value as it is stored. Raise ValidationError if the rule forbids it."""
        raise NotImplementedError

    def clean(self: Any, value: Any, model_instance: models.Model | None) -> Any:
        # Of the field it is mixed into.
        return super().clean(value if value is None else self.accept(value), model_instance)  # type: ignore[misc]

    # Django's signature.
    def pre_save(self: Any, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        value = super().pre_save(model_instance, add)  # type: ignore[misc]
        if value is None or hasattr(value, "resolve_expression"):
            return value
        try:
            kept = self.accept(value)
            if value and kept == "" and not self.blank:
                raise ValidationError(self.error_messages["blank"], code="blank")
        except ValidationError as problem:
            unchanged = type(model_instance)._base_manager.filter(
                pk=model_instance.pk, **{self.attname: value}
            )
            if add or not unchanged.exists():
                raise ValidationError({self.name: problem}) from problem
            kept = value
        setattr(model_instance, self.attname, kept)
        return kept

    def deconstruct(self: Any) -> tuple[str, str, Any, Any]:
        name, _path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        own = next(base for base in type(self).__mro__ if base.__module__.startswith("django."))
        return name, f"django.db.models.{own.__name__}", args, kwargs


class MomentField(Guarded, models.DateTimeField):
    """A moment in the years 1970 to 2099."""

    def accept(self, value: Any) -> datetime | None:
        moment: datetime | None = self.to_python(value)
        if moment:
            moments.check(moment)
        return moment


class VisibleText(forms.CharField):
    """A form field for text without hidden characters, cleaned by a rule of `portal.text`."""

    def __init__(self, *, rule: Callable[[str], str] = line, **kwargs: Any) -> None:
        self.rule = rule
        # The rule strips more kinds of blanks than Python does.
        super().__init__(**kwargs, strip=False)

    def to_python(self, value: Any) -> str:
        return self.rule(super().to_python(value) or "")


class GuardedText(Guarded):
    """Mixin for text fields with a rule of `portal.text`."""

    rule: Callable[[str], str]

    def accept(self: Any, value: Any) -> str:
        kept: str = self.rule(self.to_python(value))
        return kept

    def formfield(
        self: Any, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any
    ) -> Any:
        if form_class is None:
            form_class, kwargs["rule"] = VisibleText, self.rule
        return super().formfield(  # type: ignore[misc]
            form_class=form_class, choices_form_class=choices_form_class, **kwargs
        )


class LineField(GuardedText, Text):
    """A name or other single-line text."""

    rule = staticmethod(line)


class ProseField(GuardedText, LongText):
    """A multi-line text."""

    rule = staticmethod(prose)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length:
            # Django has forms alone check it, as for no CharField.
            self.validators.append(MaxLengthValidator(self.max_length))


class AddressField(models.CharField):
    """An IP address, stored so that the database compares addresses as texts; see `addresses`.

    In Python it is written as usual, `203.0.113.24`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": 32})

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value and unpacked(value)

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return packed(value) if isinstance(value, str) else value


class CopyField(models.CharField):
    """A converted copy of another column, its `source`, that databases search and sort.

    Every full save() renews it; `save(update_fields=…)` and `update()` must name it too, as with
    any other column.
    """

    # How long a copy can be.
    longest: int

    def __init__(self, *args: Any, source: str, **kwargs: Any) -> None:
        self.source = source
        kwargs.setdefault("editable", False)
        kwargs.setdefault("max_length", self.longest)
        super().__init__(*args, **kwargs)

    def convert(self, value: str) -> str:
        """Return what the copy of a value is."""
        raise NotImplementedError

    # Django's signature.
    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001
        value = self.convert(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}


class FoldedField(CopyField):
    """A folded copy for case-insensitive uniqueness, search and order.

    LOWER and LIKE handle only ASCII on SQLite and depend on the locale on PostgreSQL, while a
    stored copy behaves the same on both.
    """

    # Folding can lengthen a text (`ß` -> `ss`, `ﷺ` -> 18 letters), so the limit is a wide one.
    longest = 4000

    def convert(self, value: str) -> str:
        return fold(value)


class PackedField(CopyField):
    """A packed copy of an IP address; see `addresses`. `""` for a text that is no address."""

    longest = 32

    def convert(self, value: str) -> str:
        try:
            return packed(value)
        except ValueError:
            return ""


class PublicIdField(models.CharField):
    """The public id of a row: a prefix and groups of random digits (`SU-160-984-311`).

    Ids are random so that nobody can guess the next one or count the rows. An id is drawn when the
    row is first saved; without a `prefix` argument, the row's own attribute `prefix` is used. If
    two processes draw the same id at the same moment, the primary key rejects the second one.
    """

    # The empty value is None, so that Django asks for an id on save.
    empty_strings_allowed = False
    tries = 20

    def __init__(
        self, *args: Any, groups: tuple[int, ...], prefix: str = "", **kwargs: Any
    ) -> None:
        self.groups, self.prefix = groups, prefix
        length = max(24, len(prefix) + sum(groups) + len(groups))
        kwargs |= {"primary_key": True, "editable": False, "max_length": length}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "groups": self.groups, "prefix": self.prefix}

    def get_pk_value_on_save(self, instance: models.Model) -> str:
        manager = type(instance)._default_manager
        for _ in range(self.tries):
            # See the docstring.
            drawn = new_id(self.prefix or instance.prefix, *self.groups)  # type: ignore[attr-defined]
            if not manager.filter(pk=drawn).exists():
                return drawn
        raise RuntimeError(f"No free id for {type(instance).__name__} after {self.tries} tries.")


def new_id(prefix: str, *groups: int) -> str:
    """Return a random id: `new_id("SU", 3, 3, 3)` -> `SU-160-984-311`."""
    return "-".join((prefix, *(f"{secrets.randbelow(10**digits):0{digits}}" for digits in groups)))


class Actor(NamedTuple):
    """Who did something, as they were then: a person (`UR-…`) or a token (`SU-…`)."""

    id: str
    name: str
    # Whose the token is, where that is kept.
    account: str = ""

    def __str__(self) -> str:
        return f"{isolate(self.name)} ({self.id})"

    @classmethod
    def of(cls, doer: Any) -> "Actor | None":
        """Return the snapshot of a person or a token; None for nobody."""
        if doer is None or isinstance(doer, cls):
            return doer
        return cls(str(doer.pk), doer.name, getattr(doer, "account_id", ""))

    @property
    def is_token(self) -> bool:
        return self.id.startswith("SU-")

    @property
    def label(self) -> str:
        """A person by name alone, a token as `ERP Sync (SU-160-984-311)`."""
        return str(self) if self.is_token else self.name


class ActorField:
    """A snapshot of who did something, stored in two columns, `<name>_id` and `<name>_name`.

    It is no foreign key, so that what people and tokens did stays attributed to them after they
    are gone. The attribute is an Actor, or None while the columns are empty; it can be set to a
    person, a token or an Actor. Queries and `update()` name the columns, see `columns`.
    """

    parts: tuple[str, ...] = ("id", "name")
    lengths = {"id": 24, "name": 128, "account": 24}

    def __init__(self, verbose_name: Any = None, *, db_index: bool = False) -> None:
        self.verbose_name, self.db_index = verbose_name, db_index

    def contribute_to_class(self, model: type[models.Model], name: str) -> None:
        options: dict[str, Any] = {"blank": True, "default": "", "editable": False}
        text: type[models.Field] = models.CharField
        for part in self.parts:
            column = text(
                max_length=self.lengths[part], db_index=self.db_index and part == "id", **options
            )
            column.contribute_to_class(model, f"{name}_{part}")

        def read(row: models.Model) -> Actor | None:
            actor = Actor(*(getattr(row, f"{name}_{part}") for part in self.parts))
            return actor if actor.id else None

        def write(row: models.Model, doer: Any) -> None:
            for column, value in self.columns(name, doer).items():
                setattr(row, column, value)

        # For the admin.
        read.short_description = self.verbose_name or name.replace("_", " ")  # type: ignore[attr-defined]
        # A property, because a model's constructor accepts no other kind of descriptor by name.
        setattr(model, name, property(read, write))

    @classmethod
    def columns(cls, name: str, doer: Any) -> dict[str, str]:
        """Return the columns of the field `name` for a person, a token, an Actor or nobody."""
        actor = Actor.of(doer) or Actor("", "")
        return {f"{name}_{part}": getattr(actor, part) for part in cls.parts}

    if TYPE_CHECKING:

        def __get__(self, row: Any, model: Any) -> Actor | None: ...
        def __set__(self, row: Any, doer: Any) -> None: ...


class OwnedActorField(ActorField):
    """Keeps in `<name>_account` whose an acting token is: other accounts are told less about it."""

    parts = ("id", "name", "account")
