"""JSON Schemas (2020-12) of answers and bodies, derived from shapes and model fields."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import (
    BooleanField,
    Case,
    DateField,
    DateTimeField,
    EmailField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    QuerySet,
    URLField,
    Value,
)
from django.db.models.expressions import Col

from api.examples import example
from api.resource import Resource, Write
from api.shapes import Column, Computed, Constant, Rows, trace
from portal.plans import annotation

Schema = dict[str, Any]

FORMATS = (
    (DateTimeField, "date-time"),
    (DateField, "date"),
    (EmailField, "email"),
    (URLField, "uri"),
)
# In Python True is an int, so bool comes first.
JSON_TYPES = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (Mapping, "object"),
)


class Name(NamedTuple):
    """A dotted name in a record or a body.

    `[]` follows the name of a list of objects, `.*` that of an object whose names vary.
    """

    name: str
    schema: Schema
    required: bool


# --- Records --------------------------------------------------------------------------------------


def record(resource: Resource) -> Schema:
    """Return the schema of a record. Only the id is required: `select()` can leave out the rest."""
    writable = {
        name
        for write in (*resource.writes.values(), *resource.actions.values())
        for name in write.fields
    }
    schema = part(resource.fields, resource.sample, writable)
    return {
        "description": resource.about,
        **schema,
        "required": ["id"],
        "examples": [sample(schema)],
    }


def part(value: Any, queryset: "QuerySet[Any]", writable: set[str], name: str = "") -> Schema:
    """Return the schema of a part of a shape over a queryset.

    What cannot be written is marked once, on the outermost object that is read-only as a whole.
    """
    if not any(each == name or each.startswith(below(name)) for each in writable):
        return {**content(value, queryset), "readOnly": True}
    if isinstance(value, Mapping):
        return {
            "type": "object",
            "properties": {
                key: part(each, queryset, writable, below(name) + key)
                for key, each in value.items()
            },
        }
    return content(value, queryset)


def below(name: str) -> str:
    """Return the prefix of the names inside an object; the record itself has no name."""
    return f"{name}." if name else ""


def content(value: Any, queryset: "QuerySet[Any]") -> Schema:
    """Return the schema of a value in a shape."""
    if isinstance(value, Mapping):
        return {
            "type": "object",
            "properties": {key: content(each, queryset) for key, each in value.items()},
        }
    if isinstance(value, Rows):
        listed = content(value.shape, value.queryset)
        if not value.by:
            return {"type": "array", "items": listed}
        return {
            "type": "object",
            "propertyNames": {"enum": list(value.keys)},
            "additionalProperties": listed,
        }
    if isinstance(value, Column | Computed):
        return dict(value.schema)
    if isinstance(value, Constant):
        return {"type": json_type(value.value), "const": value.value}
    return column(queryset, value)


def column(queryset: "QuerySet[Any]", name: str) -> Schema:
    """Return the schema of a column of the model or of the query."""
    expression = annotation(queryset, name)
    if expression is None:
        return answered(trace(queryset.model, name).field)
    field = expression.output_field
    field = getattr(field, "target_field", field)
    known = [value for value in outcomes(expression) if value is not None]
    if known and not isinstance(field, BooleanField):
        likely = example(field, name)
        return {
            "type": json_type(known[0]),
            "enum": list(dict.fromkeys(known)),
            "examples": [likely if likely in known else known[0]],
        }
    return answered(field, name)


def outcomes(expression: Any) -> list[Any]:
    """Return the possible values of an expression, or an empty list if they are not known."""
    if isinstance(expression, Value):
        return [expression.value]
    if isinstance(expression, Case):
        found = [
            outcomes(result)
            for result in (*(case.result for case in expression.cases), expression.default)
        ]
        return [value for values in found for value in values] if all(found) else []
    if isinstance(expression, Col) and expression.target.choices:
        return list(dict(expression.target.flatchoices))
    return []


def answered(field: "Field[Any, Any]", name: str = "") -> Schema:
    """Return the schema of a field in an answer.

    A missing URL or e-mail address is an empty string there.
    """
    schema = typed(field)
    if field.blank and isinstance(field, URLField | EmailField):
        schema["anyOf"] = [{"format": schema.pop("format")}, {"maxLength": 0}]
    return {**schema, "examples": [example(field, name)]}


# --- Bodies ---------------------------------------------------------------------------------------


def body(write: Write) -> Schema:
    """Return the schema of the body that a write reads. Other names are ignored."""
    schema = sent(write, nested(write.fields))
    return {**schema, "type": "object", "examples": [sample(schema)]}


def nested(fields: "Mapping[str, Field[Any, Any]]") -> dict[str, Any]:
    """Return dotted names as nested objects."""
    tree: dict[str, Any] = {}
    for name, field in fields.items():
        *above, last = name.split(".")
        place = tree
        for each in above:
            place = place.setdefault(each, {})
        place[last] = field
    return tree


def sent(write: Write, value: Any, name: str = "") -> Schema:
    """Return the schema of a part of a body.

    An object may be null if everything in it may, which is how `bodies.dig` reads it.
    """
    required = any(f"{each}.".startswith(f"{name}.") for each in write.required)
    if not isinstance(value, Mapping):
        return taken(value, required=required)
    parts = {key: sent(write, each, below(name) + key) for key, each in value.items()}
    needed = [
        key
        for key in parts
        if any(f"{each}.".startswith(f"{below(name)}{key}.") for each in write.required)
    ]
    nullable = not needed and all("null" in each["type"] for each in parts.values())
    schema: Schema = {
        "type": ["object", "null"] if nullable else "object",
        "properties": parts,
        "additionalProperties": True,
    }
    return {**schema, "required": needed} if needed else schema


def taken(field: "Field[Any, Any]", *, required: bool) -> Schema:
    """Return the schema of a value that `bodies.convert` accepts."""
    schema = {**typed(field), "examples": [example(field)]}
    if field.primary_key:
        nullable = not required
    else:
        nullable = field.null or (
            field.blank and not isinstance(field, IntegerField | BooleanField)
        )
        if not nullable and schema["type"] == "string" and "enum" not in schema:
            schema["minLength"] = 1
    if nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


# --- Fields ---------------------------------------------------------------------------------------


def typed(field: "Field[Any, Any]") -> Schema:
    """Return the schema of what a model field holds."""
    if field.choices:
        return chosen(field)
    if isinstance(field, BooleanField):
        return {"type": "boolean"}
    if isinstance(field, PositiveIntegerField | PositiveSmallIntegerField):
        return {"type": "integer", "minimum": 0}
    if isinstance(field, IntegerField):
        return {"type": "integer"}
    if isinstance(field, FloatField):
        return {"type": "number"}
    if isinstance(field, JSONField):
        return (
            {"type": "array", "items": {"type": "object"}}
            if field.default is list
            else {"type": "object"}
        )
    schema: Schema = {"type": "string"}
    if form := next((form for kind, form in FORMATS if isinstance(field, kind)), None):
        schema["format"] = form
    if field.max_length:
        schema["maxLength"] = field.max_length
    return schema


def chosen(field: "Field[Any, Any]") -> Schema:
    """Return the schema of a choice, described where the values do not explain themselves."""
    choices = {value: str(label) for value, label in field.flatchoices}
    schema: Schema = {"type": json_type(next(iter(choices))), "enum": list(choices)}
    if any(str(value).casefold() != label.casefold() for value, label in choices.items()):
        schema["description"] = "; ".join(f"{value}: {label}" for value, label in choices.items())
    return schema


def json_type(value: Any) -> str:
    return next(name for kind, name in JSON_TYPES if isinstance(value, kind))


# --- Schemas read again ---------------------------------------------------------------------------


def sample(schema: Schema) -> Any:
    """Return an example of what a schema describes, assembled from the examples of its parts."""
    if "const" in schema:
        return schema["const"]
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: sample(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        return [sample(schema["items"])]
    if "propertyNames" in schema:
        return {sample(schema["propertyNames"]): sample(schema["additionalProperties"])}
    return True if schema["type"] == "boolean" else {}


def flat(schema: Schema, prefix: str = "") -> Iterator[Name]:
    """Yield the dotted names in a schema with their schemas."""
    for key, each in schema["properties"].items():
        inner, sign = (
            (each["items"], "[]")
            if "items" in each
            else (each["additionalProperties"], ".*")
            if "propertyNames" in each
            else (each, "")
        )
        if "properties" in inner:
            yield from flat(inner, f"{prefix}{key}{sign}.")
        else:
            yield Name(prefix + key, each, key in schema.get("required", ()))
