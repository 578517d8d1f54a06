"""HTML fragments of the Tokens section."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.fields import Actor
from tokens.models import Token


def actor(who: Actor | None, token: Token) -> SafeString | str:
    """Return who did something to `token`.

    That is `Michael Goldmill`, or `ERP Sync (SU-160-984-311)` with a link, or `""` if unknown.
    """
    if who is None:
        return ""
    # Tokens of other accounts have no page here.
    if not who.is_token or who.account != token.account_id:
        return who.label
    # The id is part of the link: next to it, in small grey, only colour would set the link apart.
    return format_html(
        '<a href="{}">{} <span class="nowrap">({})</span></a>',
        reverse("tokens:detail", args=(who.id,)),
        who.name,
        who.id,
    )
