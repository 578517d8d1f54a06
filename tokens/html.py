"""Pieces of HTML of the Tokens section."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.fields import Actor
from tokens.models import Token


def actor(who: Actor | None, token: Token) -> SafeString | str:
    """Who did something to `token`:

    `Michael Goldmill`, or `ERP Sync (SU-160-984-311)` with a link, or nothing for nobody known.
    """
    if who is None:
        return ""
    # The page of another account's token does not exist.
    if not who.is_token or who.account != token.account_id:
        return who.label
    # The id is part of the link: beside it, in small grey, only the colour would tell the link.
    return format_html(
        '<a href="{}">{} <span class="nowrap">({})</span></a>',
        reverse("tokens:detail", args=(who.id,)),
        who.name,
        who.id,
    )
