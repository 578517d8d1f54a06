"""Shapes: what a record looks like in JSON, declared once, and how database rows become that.

A shape maps JSON names to where their values come from:

    {
        "id": "id",                                  # a column; "owner__name" follows a relation
        "owner": reference("owner"),                 # a nested object is a nested shape
        "kind": Constant("production"),              # the same in every record
        "public": Column("status", is_published),    # a column whose value is converted
        "secret": Computed(("id", "sealed"), unsealed, {...}),  # made of several columns
        "hubs": Rows(hubs_of_marketplace, {...}),    # rows of another table, as a list
    }

Empty values are left out, as in Connect, whose command-line client crashes on null.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import (
    CharField,
    DateTimeField,
    F,
    Field,
    Func,
    IntegerField,
    JSONField,
    Model,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import JSONObject, NullIf

from portal.fields import ActorField
from portal.plans import annotation

Shape = Mapping[str, Any]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """A column whose value `change` converts; `schema` is the JSON Schema of the result."""

    name: str
    change: Callable[[Any], Any]
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True)
class Computed:
    """A value that `change` makes of several columns. It cannot be filtered or ordered by."""

    names: tuple[str, ...]
    change: Callable[..., Any]
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Constant:
    """A value that is the same in every record."""

    value: Any


@dataclass(frozen=True)
class Rows:
    """The rows of another table as a list of objects, read in the same query as the record.

    `queryset` is ordered and refers to the record by `OuterRef`. The shape has columns and nested
    shapes only. With `by`, a column of the shape that tells the rows of a record apart and has
    choices, they are an object by its values instead of a list.
    """

    queryset: "QuerySet[Any]"
    shape: Shape
    by: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names that the object can have."""
        field = trace_in(self.queryset, self.shape[self.by]).field
        return tuple(str(value) for value, _label in field.flatchoices)

    def places(self, name: str) -> "Iterator[tuple[str, QuerySet[Any]]]":
        """Yield the names of what contains rows, with these: all of them, and each of an object."""
        yield name, self.queryset
        if self.by:
            for key in self.keys:
                yield f"{name}.{key}", self.queryset.filter(**{self.shape[self.by]: key})

    def expression(self) -> "JsonRows":
        return JsonRows(self.queryset.values(part=json_object(self.shape, self.queryset)))


class JsonRows(Subquery):
    """The column `part` of a query, aggregated into one JSON array."""

    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(
            compiler,
            connection,
            "(SELECT JSON_GROUP_ARRAY(JSON(rows.part)) FROM (%(subquery)s) AS rows)",
        )  # type: ignore[call-arg]

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(
            compiler,
            connection,
            "(SELECT COALESCE(JSONB_AGG(rows.part), '[]') FROM (%(subquery)s) AS rows)",
        )  # type: ignore[call-arg]


class CountOf(Subquery):
    """The number of rows of a query that refers to the record by `OuterRef`."""

    output_field = IntegerField()

    def __init__(self, queryset: "QuerySet[Any]") -> None:
        super().__init__(queryset.order_by().values("pk"))

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"


class MomentText(Func):
    """A date and time inside a JSON object, as the API writes it.

    SQLite would otherwise write it in its own way, without a time zone.
    """

    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="STRFTIME('%%%%Y-%%%%m-%%%%dT%%%%H:%%%%M:%%%%S+00:00', %(expressions)s)",
        )

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = (
            """TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""
        )
        return self.as_sql(compiler, connection, template=template)


def reference(column: str) -> Shape:
    """Return the usual short form of a related record: its id and name."""
    return {"id": f"{column}_id", "name": f"{column}__name"}


def actor(name: str) -> Shape:
    """Return the short form of an `ActorField`, made of the annotations from `actors`."""
    return {"id": f"{name}_actor_id", "name": f"{name}_actor_name"}


def actors(*names: str) -> dict[str, NullIf]:
    """Return the annotations that `actor` shows.

    If nobody acted, the columns are empty strings, and the record leaves the actor out.
    """
    found = {}
    for name, part in itertools.product(names, ("id", "name")):
        kept: CharField[str | None, str | None] = CharField(
            max_length=ActorField.lengths[part], null=True
        )
        found[f"{name}_actor_{part}"] = NullIf(f"{name}_{part}", Value(""), output_field=kept)
    return found


def events(**columns: str) -> Shape:
    """Return when things happened: `{"created": {"at": …}}` for `events(created="created_at")`."""
    return {name: {"at": column} for name, column in columns.items()}


def leaves(shape: Shape, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted JSON names of a shape with their values."""
    for name, value in shape.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def prune(shape: Shape, hidden: set[str], prefix: str = "") -> Shape:
    """Return the shape without the dotted names in `hidden`."""
    return {
        name: prune(value, hidden, f"{prefix}{name}.") if isinstance(value, Mapping) else value
        for name, value in shape.items()
        if prefix + name not in hidden
    }


class Builder:
    """A converter of rows to records; `columns` is what a row has to have, in that order."""

    def __init__(self, shape: Shape) -> None:
        self.columns: list[Any] = []
        self.build = self.compile(shape)

    def compile(self, shape: Shape) -> Callable[[Row], dict[str, Any] | None]:
        """Return a function from a row to its record, which is None if it would be empty."""
        parts = [(name, self.part(value)) for name, value in shape.items()]

        def build(row: Row) -> dict[str, Any] | None:
            record = {}
            for name, part in parts:
                value = part(row)
                if value is not None:
                    record[name] = value
            return record or None

        return build

    def part(self, value: Any) -> Callable[[Row], Any]:
        if isinstance(value, Mapping):
            return self.compile(value)
        if isinstance(value, Column):
            stored, change = self.cell(value.name), value.change
            return lambda row: change(stored(row))
        if isinstance(value, Computed):
            several, make = [self.cell(name) for name in value.names], value.change
            return lambda row: make(*(stored(row) for stored in several))
        if isinstance(value, Rows):
            listed = self.cell(value.expression())
            if by := value.by:
                return lambda row: {part[by]: without_nulls(part) for part in listed(row)}
            return lambda row: [without_nulls(part) for part in listed(row)]
        if isinstance(value, Constant):
            return lambda row: value.value
        return self.cell(value)

    def cell(self, column: Any) -> Callable[[Row], Any]:
        """Return a function that reads the column from a row; each column is selected once."""
        if column not in self.columns:
            self.columns.append(column)
        return itemgetter(self.columns.index(column))


def without_nulls(value: Any) -> Any:
    """Return the value without nulls and empty objects, at any depth."""
    if not isinstance(value, dict):
        return value
    parts = ((name, without_nulls(part)) for name, part in value.items())
    return {name: part for name, part in parts if part is not None and part != {}}


def json_object(shape: Shape, queryset: "QuerySet[Any]") -> JSONObject:
    return JSONObject(**{name: json_part(value, queryset) for name, value in shape.items()})


def json_part(value: Any, queryset: "QuerySet[Any]") -> Any:
    if isinstance(value, Mapping):
        return json_object(value, queryset)
    return (
        MomentText(F(value))
        if isinstance(trace_in(queryset, value).field, DateTimeField)
        else F(value)
    )


class Path(NamedTuple):
    """The field at the end of a path such as `owner__name` or `owner_id`."""

    field: "Field[Any, Any]"
    null: bool
    many: bool
    # The path to filter and order by: `owner__pk` supports `like`, which the column `owner_id` does
    # not, and needs no join either.
    lookup: str


def trace_in(queryset: "QuerySet[Any]", column: str) -> Path:
    """Return what a column of a query stands for: an annotation, or a path from its model."""
    if expression := annotation(queryset, column):
        return Path(expression.output_field, null=True, many=False, lookup=column)
    return trace(queryset.model, column)


def trace(model: type[Model], path: str) -> Path:
    """Follow a path from a model to the field at its end.

    `null` tells whether a row may have no value there, `many` whether it may have several.
    """
    null = many = False
    found: Any = None
    for part in path.split("__"):
        found = model._meta.pk if part == "pk" else model._meta.get_field(part)
        null = null or bool(getattr(found, "null", True))
        many = many or bool(found.many_to_many or found.one_to_many)
        model = found.related_model or model
    if found.is_relation:
        return Path(found.target_field, null, many, path.removesuffix("_id") + "__pk")
    return Path(found, null, many, path)
