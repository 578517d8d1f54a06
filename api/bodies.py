"""What programs send: JSON bodies, read with care and checked against the fields of a model."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db.models import BooleanField, DateTimeField, Field, IntegerField
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from portal import api, moments
from portal.fields import Guarded
from portal.text import line

MAX_BODY = 64 * 1024


class Refused(Exception):
    """What was asked for cannot be done. `messages` say why, each as `field: reason` where a field is to blame."""

    def __init__(self, *messages: str, code: str = "VAL_001", status: int = 400) -> None:
        super().__init__(*messages)
        self.messages, self.code, self.status = messages, code, status

    @property
    def response(self) -> HttpResponse:
        return api.error(self.status, self.code, *self.messages)


def read(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of the body; an empty body is an empty object. Raises Refused."""
    data = load(request)
    if not isinstance(data, dict):
        raise Refused(_("The body must be a JSON object."))
    return data


def read_many(request: HttpRequest) -> list[dict[str, Any]]:
    """The objects of a body that is a list of objects, or one object. Raises Refused."""
    data = load(request)
    listed = data if isinstance(data, list) else [data]
    if not all(isinstance(each, dict) for each in listed) or not listed:
        raise Refused(_("The body must be a JSON object or a list of objects."))
    return listed


def load(request: HttpRequest) -> Any:
    """The body as JSON. Raises Refused for what is too large, of another type or malformed."""
    try:
        body = request.body if int(request.META.get("CONTENT_LENGTH") or 0) <= MAX_BODY else None
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > MAX_BODY:
        raise Refused(_("The body is larger than 64 KB."), code="VAL_003", status=413)
    if not body:
        return {}
    if request.content_type != "application/json":
        raise Refused(_("The body must be JSON, with the header Content-Type: application/json."), code="VAL_002", status=415)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(_("The body is not valid JSON.")) from None


def clean(body: Mapping[str, Any], fields: "Mapping[str, Field[Any, Any]]", required: Iterable[str] = ()) -> dict[str, Any]:
    """The values of the dotted names in `fields`, as their model fields take them. All that is not named there is ignored.

    A name that is absent is absent in the answer. Raises Refused with a message for each mistake.
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
        raise Refused(*dict.fromkeys(mistakes))
    return values


class NotAnObject(Exception):
    """Something else stands where an object should be."""


def dig(body: Mapping[str, Any], name: str) -> Any:
    """The value at a dotted name. Raises KeyError if it is absent, NotAnObject if there is no way to it."""
    value: Any = body
    walked: list[str] = []
    for part in name.split("."):
        if not isinstance(value, Mapping):
            raise NotAnObject(".".join(walked))
        value = value[part]
        walked.append(part)
        # `"parent": null` says that there is none, as much as leaving it out inside.
        if value is None:
            return None
    return value


def convert(field: "Field[Any, Any]", value: Any) -> Any:
    """The value as the field keeps it. JSON has types, so a number is no text. Raises ValidationError."""
    if value is None:
        if field.null or field.primary_key:
            return None
        if field.blank and not isinstance(field, IntegerField | BooleanField):
            return ""
        raise ValidationError(_("This field may not be null."))
    if isinstance(field, BooleanField):
        if not isinstance(value, bool):
            raise ValidationError(_("Must be true or false."))
    elif isinstance(field, IntegerField):
        # To Python, True is the number 1.
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError(_("Must be a whole number."))
    elif not isinstance(value, str):
        raise ValidationError(_("Must be a text."))
    elif isinstance(field, DateTimeField):
        value = moment(value)
    else:
        value = short(field.accept(value) if isinstance(field, Guarded) else line(value), field.max_length)
    if field.primary_key:
        # The id of another record; whether there is such a record for the caller, the view decides.
        return value or None
    return field.clean(value, None)


def short(text: str, limit: int | None) -> str:
    """The text, if it is no longer than a field takes. Raises ValidationError."""
    if limit and len(text) > limit:
        raise ValidationError(_("Must have at most %(limit)s characters; it has %(length)s.") % {"limit": limit, "length": len(text)})
    return text


def moment(text: str) -> datetime:
    """A moment as programs write it, to the second; without a zone, UTC is meant. Raises ValidationError."""
    try:
        found = parse_datetime(text)
        if found:
            aware = found if found.tzinfo else found.replace(tzinfo=UTC)
            # Before the zone is taken off, which could lead out of the calendar.
            moments.check(aware)
            return aware.astimezone(UTC).replace(microsecond=0)
    except ValueError:
        pass
    raise ValidationError(_("Must be a moment such as 2027-01-31T10:20:30+00:00."))
