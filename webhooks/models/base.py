"""The fields of a webhook that people fill in, and what they may hold."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from portal.fields import LineField, ProseField
from portal.text import NULL_IN_JSON, isolate, line
from webhooks import conditions
from webhooks.catalog import Method, ObjectClass, Type

# Limits of what a webhook may carry.
MOST_HEADERS = 20
HEADER_NAME = 64
HEADER_VALUE = 1024
DATA_BYTES = 8 * 1024
DATA_LEVELS = 32
MOST_A_MINUTE = 6000
# Headers that the portal sets itself, or that would change how the request is read.
RESERVED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)


def check_headers(value: Any) -> None:
    """Raise ValidationError for headers that may not be sent."""
    if not isinstance(value, dict):
        raise ValidationError(_("Headers must be an object of names and values."))
    if len(value) > MOST_HEADERS:
        raise ValidationError(_("At most %(count)s headers.") % {"count": MOST_HEADERS})
    names = [name.lower() for name in value]
    for name, content in value.items():
        if names.count(name.lower()) > 1:
            raise ValidationError(
                _("%(name)s is given twice.") % {"name": isolate(name[:HEADER_NAME])}
            )
        if not re.fullmatch(rf"[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{HEADER_NAME}}}", name):
            raise ValidationError(
                _("“%(name)s” is not the name of a header.") % {"name": isolate(name[:HEADER_NAME])}
            )
        if name.lower() in RESERVED or name.lower().startswith("webhook-"):
            raise ValidationError(_("The portal sets the header %(name)s itself.") % {"name": name})
        if not isinstance(content, str) or not re.fullmatch(
            rf"[\x20-\x7e\xa0-\xff]{{0,{HEADER_VALUE}}}", content
        ):
            raise ValidationError(
                _(
                    "The value of the header %(name)s must be a text of at most %(length)s "
                    "printable characters, without line breaks."
                )
                % {"name": name, "length": f"{HEADER_VALUE:,}"}
            )


def check_data(value: Any) -> None:
    """Raise ValidationError unless the value is an object that every database keeps as JSON."""
    if not isinstance(value, dict):
        raise ValidationError(_("The data must be a JSON object."))
    if levels(value) > DATA_LEVELS:
        told = _("The data may be nested at most %(count)s levels deep.")
        raise ValidationError(told % {"count": DATA_LEVELS})
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(written.encode())
    except ValueError:
        # Python reads numbers such as NaN and 1e999, and halves of characters.
        told = _("The data has a number or a character that JSON cannot hold.")
        raise ValidationError(told) from None
    if size > DATA_BYTES:
        raise ValidationError(_("The data may have at most 8 KB."))
    if NULL_IN_JSON.search(written):
        raise ValidationError(_("The data may have no null characters."))


def levels(value: Any) -> int:
    """Return how deep lists and objects are nested in a value."""
    count, row = 0, [value]
    while row := [each for each in row if isinstance(each, dict | list)]:
        count += 1
        row = [
            inner for each in row for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return count


def check_url(value: str) -> None:
    """Raise ValidationError unless the value can be the address of an endpoint.

    Whether it is public is checked where it changes, by `webhooks.safety.check_reach`: what is
    stored stays, also when the operator no longer allows its network.
    """
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValidationError(
            _("Enter a complete address, such as https://example.com/hook.")
        ) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValidationError(_("Enter a complete address, such as https://example.com/hook."))
    if parts.username is not None or parts.password is not None:
        raise ValidationError(_("Remove the user name and password from the address."))
    if parts.fragment:
        raise ValidationError(_("Remove the part after # from the address."))
    if re.search(r"[\x00-\x20\x7f\\]", value):
        raise ValidationError(_("Remove blanks and backslashes from the address."))
    # Raises ValidationError for hidden characters: what is called is what one sees.
    line(value)


class WebhookFields(models.Model):
    """The fields that people fill in, in the wizard (WebhookDraft) and afterwards (Webhook)."""

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=gettext_lazy("account"),
    )
    label = LineField(gettext_lazy("Label"), max_length=100)
    description = ProseField(gettext_lazy("Description"), max_length=255, blank=True)
    # The product whose objects it is about; empty for all of the account. Its name is kept too,
    # since products are records of a layer above.
    product_id = models.CharField(gettext_lazy("Product"), max_length=24, blank=True)
    product_name = models.CharField(max_length=128, blank=True, editable=False)
    object_class = models.CharField(
        gettext_lazy("Object class"),
        max_length=32,
        choices=ObjectClass,
        default=ObjectClass.FULFILLMENT_REQUEST,
    )
    type = models.CharField(gettext_lazy("Type"), max_length=32, choices=Type, default=Type.EVENT)
    external_url = models.CharField(
        gettext_lazy("Endpoint"), max_length=4096, validators=[check_url]
    )
    http_method = models.CharField(
        gettext_lazy("Method"), max_length=4, choices=Method, default=Method.POST
    )
    headers = models.JSONField(
        gettext_lazy("Headers"), default=dict, blank=True, validators=[check_headers]
    )
    data = models.JSONField(
        gettext_lazy("Own data"), default=dict, blank=True, validators=[check_data]
    )
    condition = models.CharField(
        gettext_lazy("Condition"),
        max_length=conditions.LONGEST,
        blank=True,
        validators=[conditions.check],
    )
    # Whether an event waits until those before it about the same object have arrived.
    keep_order = models.BooleanField(gettext_lazy("Keep the order"), default=False)
    rate_per_minute = models.PositiveIntegerField(
        gettext_lazy("Calls a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_A_MINUTE)],
    )
    active = models.BooleanField(gettext_lazy("Active"), default=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def fires(self) -> bool:
        """Whether the portal calls it at all: validators are only kept."""
        return self.type == Type.EVENT

    @property
    def endpoint_host(self) -> str:
        return urlsplit(self.external_url).netloc

    @property
    def endpoint_path(self) -> str:
        parts = urlsplit(self.external_url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
