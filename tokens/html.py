"""HTML fragments of the Tokens section."""

from typing import Any, Protocol

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.fields import Actor
from portal.html import icon
from tokens.models import Extension


def extension_icon(extension: Extension, size: int = 20) -> SafeString:
    """Return the icon of an extension, hidden from screen readers: its name stands beside it."""
    if not extension.own_icon_id:
        return icon(extension.icon, size)
    return format_html(
        '<img class="icon" src="{0}" width="{1}" height="{1}" alt="">',
        reverse("extensions:icon", args=(extension.own_icon_id,)),
        size,
    )


class Owned(Protocol):
    """A row that belongs to an account, such as a token."""

    account_id: Any


def actor(who: Actor | None, row: Owned) -> SafeString | str:
    """Return who did something to a row.

    That is `Michael Goldmill`, or `ERP Sync (SU-160-984-311)` with a link, or `""` if unknown.
    """
    if who is None:
        return ""
    # Tokens of other accounts have no page here.
    if not who.is_token or who.account != row.account_id:
        return who.label
    # The id is part of the link: next to it, in small grey, only colour would set the link apart.
    return format_html(
        '<a href="{}">{} <span class="nowrap">({})</span></a>',
        reverse("tokens:detail", args=(who.id,)),
        who.name,
        who.id,
    )
