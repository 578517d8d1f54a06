"""New secrets of webhooks, and what a webhook's secret may look like."""

import base64
import re
import secrets as random

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 100
# Characters of a new secret, without the prefix whsec_.
LENGTH = 44
# Characters of a secret that are shown to tell it apart.
SHOWN = 4


def new_jwt() -> str:
    """Return a secret that signs the JWT, 160 bits in 44 characters."""
    return f"JWT-{random.token_hex(20)}"


def new_standard() -> str:
    """Return a secret of the Standard Webhooks specification, of 256 bits.

    Never that of the JWT: implementations decode it differently.
    """
    return f"whsec_{base64.b64encode(random.token_bytes(32)).decode()}"


def new(kind: str) -> str:
    """Return a new secret of a kind of `WebhookSecret`."""
    return new_jwt() if kind == "jwt" else new_standard()


def check(secret: str) -> None:
    """Raise ValidationError unless the secret can sign a JWT."""
    if not secret:
        raise ValidationError(_("This field is required."))
    if len(secret) > LONGEST or not re.fullmatch(r"[\x21-\x7e]*", secret):
        raise ValidationError(
            _("A secret has at most %(length)s characters, without blanks.") % {"length": LONGEST}
        )
