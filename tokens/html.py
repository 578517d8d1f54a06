"""Pieces of HTML of the Tokens section."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tokens.models import Actor, Token


def actor(who: Actor | None, token: Token) -> SafeString | str:
    """Who did something to `token`: `Michael Goldmill`, or `ERP Sync (SU-160-984-311)` with a link, or nothing for nobody known."""
    if not isinstance(who, Token):
        return str(who or "")
    if who.account_id != token.account_id:
        # The page of another account's token does not exist.
        return who.label
    # The id is part of the link: beside it, in small grey, only the colour would tell the link.
    return format_html('<a href="{}">{} <span class="nowrap">({})</span></a>', reverse("tokens:detail", args=(who.pk,)), who.name, who.pk)
