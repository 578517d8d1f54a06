"""JSON bodies of requests, read within limits and checked against the fields of a model."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db.models import (
    BooleanField,
    DateTimeField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
)
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from portal import api, moments
from portal.fields import Guarded
from portal.text import NULL_IN_JSON, line

MAX_BODY = 64 * 1024


class ApiError(Exception):
    """Raised for a request that cannot be carried out.

    `messages` say why, each as `field: reason` where a field is to blame.
    """

    def __init__(self, *messages: str, code: str = "VAL_001", status: int = 400) -> None:
        super().__init__(*messages)
        self.messages, self.code, self.status = messages, code, status

    @property
    def response(self) -> HttpResponse:
        return api.error(self.status, self.code, *self.messages)


def read(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body is an empty object. Raises ApiError."""
    data = load(request)
    if not isinstance(data, dict):
        raise ApiError(_("The body must be a JSON object."))
    return data


def read_many(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the objects in a body that is an object or a list of objects. Raises ApiError."""
    data = load(request)
    listed = data if isinstance(data, list) else [data]
    if not all(isinstance(each, dict) for each in listed) or not listed:
        raise ApiError(_("The body must be a JSON object or a list of objects."))
    return listed


def load(request: HttpRequest) -> Any:
    """Return the JSON in the body. Raises ApiError if it is too large, not JSON or malformed."""
    try:
        body = request.body if int(request.META.get("CONTENT_LENGTH") or 0) <= MAX_BODY else None
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > MAX_BODY:
        raise ApiError(_("The body is larger than 64 KB."), code="VAL_003", status=413)
    if not body:
        return {}
    if request.content_type != "application/json":
        raise ApiError(
            _("The body must be JSON, with the header Content-Type: application/json."),
            code="VAL_002",
            status=415,
        )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ApiError(_("The body is not valid JSON.")) from None


def clean(
    body: Mapping[str, Any], fields: "Mapping[str, Field[Any, Any]]", required: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the values of the dotted names in `fields`, converted by their model fields.

    A name that the body lacks is absent from the result; other names in the body are ignored.
    Raises ApiError with a message for each mistake.
    """
    values, mistakes = {}, []
    for name, field in fields.items():
        try:
            value = dig(body, name)
            values[name] = convert(field, value)
        except KeyError:
            if name in required:
                mistakes.append(f"{name}: " + _("This field is required."))
        except ValidationError as problem:
            mistakes += [f"{name}: {message}" for message in problem.messages]
        except NotAnObject as where:
            mistakes.append(f"{where}: " + _("Must be an object."))
    if mistakes:
        raise ApiError(*dict.fromkeys(mistakes))
    return values


class NotAnObject(Exception):
    """A value that is not an object although a dotted name leads through it."""


def dig(body: Mapping[str, Any], name: str) -> Any:
    """Return the value at a dotted name.

    Raises KeyError if it is absent, NotAnObject if the name leads through something else.
    """
    value: Any = body
    walked: list[str] = []
    for part in name.split("."):
        if not isinstance(value, Mapping):
            raise NotAnObject(".".join(walked))
        value = value[part]
        walked.append(part)
        # `"parent": null` means that `parent.id` is null.
        if value is None:
            return None
    return value


def convert(field: "Field[Any, Any]", value: Any) -> Any:
    """Return the value as the field keeps it. Raises ValidationError.

    JSON has types, so a number is not accepted as a string.
    """
    if value is None:
        if field.null or field.primary_key:
            return None
        if isinstance(field, JSONField):
            return [] if field.default is list else {}
        if field.blank and not isinstance(field, IntegerField | BooleanField):
            return ""
        raise ValidationError(_("This field may not be null."))
    if isinstance(field, BooleanField):
        if not isinstance(value, bool):
            raise ValidationError(_("Must be true or false."))
    elif isinstance(field, IntegerField):
        # In Python, True is an int.
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError(_("Must be a whole number."))
    elif isinstance(field, FloatField):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValidationError(_("Must be a number."))
    elif isinstance(field, JSONField) and field.default is list:
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            raise ValidationError(_("Must be a list of objects."))
        check_kept(value)
    elif isinstance(field, JSONField):
        if not isinstance(value, Mapping):
            raise ValidationError(_("Must be an object."))
        check_kept(value)
    elif not isinstance(value, str):
        raise ValidationError(_("Must be a string."))
    elif isinstance(field, DateTimeField):
        value = parse_moment(value)
    else:
        value = short(
            field.accept(value) if isinstance(field, Guarded) else line(value), field.max_length
        )
    if field.primary_key:
        # The id of another record; the write checks whether the caller can see that record.
        return value or None
    return field.clean(value, None)


def check_kept(value: Any) -> None:
    """Raise ValidationError for JSON that not every database keeps."""
    try:
        written = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        raise ValidationError(_("Is nested too deeply.")) from None
    if NULL_IN_JSON.search(written):
        raise ValidationError(_("Null characters are not allowed."))


def short(text: str, limit: int | None) -> str:
    """Return the text. Raises ValidationError if it has more characters than a field takes."""
    if limit and len(text) > limit:
        raise ValidationError(
            _("Must have at most %(limit)s characters; it has %(length)s.")
            % {"limit": limit, "length": len(text)}
        )
    return text


def parse_moment(text: str) -> datetime:
    """Return the date and time that a program wrote, in UTC and to the second.

    UTC is assumed if there is no time zone. Raises ValidationError.
    """
    try:
        found = parse_datetime(text)
        if found:
            aware = found if found.tzinfo else found.replace(tzinfo=UTC)
            # Checked before the conversion to UTC, which could leave the calendar.
            moments.check(aware)
            return aware.astimezone(UTC).replace(microsecond=0)
    except ValueError:
        pass
    raise ValidationError(_("Must be a date and time such as 2027-01-31T10:20:30+00:00."))
