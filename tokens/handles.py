"""Exchanging a handle for the key behind it, which the maker of an extension does.

A handle alone opens nothing: the exchange needs a token of the account that made the extension.
Whoever may not have the key learns nothing, not even whether there is such a handle.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import limits
from accounts.limits import Limit
from accounts.models import digest
from activity.actions import Action
from activity.recording import record
from portal.api import endpoint
from portal.fields import Actor
from portal.http import client_network
from tokens import keys
from tokens.hindrances import Hindrance, hindered
from tokens.keys import Key
from tokens.models import Token, TokenKey
from tokens.standing import Standing

# Exchanges in a minute, right ones and wrong ones: by one token, and from one network.
PER_TOKEN, PER_NETWORK = 120, 60
MINUTE = timedelta(minutes=1)
# How many of them the page of a token shows; its tab Activity has all.
SHOWN = 5
# After a refusal that the trail has, further ones by the same token are not recorded for so long.
TOLD = timedelta(minutes=10)


class NotExchanged(Exception):
    """There is no key for the asker; the text is the same whatever the reason."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "There is no such handle for you. Perhaps it was replaced, or its token cannot "
                "call; whoever gave it to you can see why in the portal."
            )
        )


def tries(token_id: str, request: HttpRequest | None) -> list[Limit]:
    """Return the limits on exchanges, for `accounts.limits.take`."""
    network = client_network(request.META) if request else ""
    own = gettext_lazy("The token exchanged too many handles in a minute.")
    shared = gettext_lazy("Too many handles were exchanged from your network in a minute.")
    wide = [Limit(f"handles:{digest(network)}", PER_NETWORK, MINUTE, shared)] if network else []
    return [Limit(f"handles:{token_id}", PER_TOKEN, MINUTE, own), *wide]


def exchange(text: str, *, by: Token, request: HttpRequest | None = None) -> Key:
    """Return the key behind a handle to its extension's maker, and record that.

    What is refused is recorded too, if there is such a handle. So do not call it in a transaction
    that is rolled back. Raise NotExchanged, LimitReached.
    """
    limits.take(tries(by.pk, request))
    handle = keys.handle_in(text, endpoint(request) if request else "")
    found = TokenKey.objects.filter(handle=keys.handle_digest(handle))
    token_id = found.values_list("token", flat=True).first()
    key = give(token_id, handle, by) if token_id else None
    if key is None:
        raise NotExchanged
    return key


def give(token_id: str, handle: str, by: Token) -> Key | None:
    """Return the key behind a handle of the token, or None, and record what was done."""
    wanted = keys.handle_digest(handle)
    with transaction.atomic():
        # The verbs that stop a token or its key wait for this, and this for them.
        Token.objects.select_for_update(no_key=True).get(pk=token_id)
        token = Token.objects.with_standing().get(pk=token_id)
        rows = token.keys.all()
        stored = next((row for row in rows if row.handle and bytes(row.handle) == wanted), None)
        key = stored.key_of(handle) if stored else None
        if stored is None or key is None:
            return None
        # The name of a token is for its own account; others are told whose it is.
        who = Actor(by.pk, by.account.name)
        why = why_not(token, stored, key, by)
        if not why:
            record(who, Action.HANDLE_EXCHANGED, token)
            return key
        told = token.events.filter(action=Action.HANDLE_REFUSED, actor_id=by.pk)
        if not told.filter(at__gt=timezone.now() - TOLD).exists():
            record(who, Action.HANDLE_REFUSED, token, {"reason": [None, why]})
        return None


def why_not(token: Token, stored: TokenKey, key: Key, by: Token) -> str:
    """Return why the key is not given, for the account of the token; `""` if it is given."""
    extension, standing = token.extension, Standing(token)
    if extension.owner_id != by.account_id:
        return _("%(account)s is not the maker of %(extension)s.") % {
            "account": by.account.name,
            "extension": extension.label,
        }
    if stored.retires_at is not None:
        return _("The handle was replaced.")
    if not keys.matches(key, bytes(stored.digest), stored.pepper):
        return hindered(token, (Hindrance.UNCHECKABLE,))
    return standing.why_not_exchanged


class Exchange(NamedTuple):
    """An exchange of a handle, as its page tells it. With a `reason`, it was refused."""

    at: datetime
    who: str
    address: str
    reason: str


def latest(token: Token) -> list[Exchange]:
    """Return the latest exchanges of the handles of a token, newest first."""
    events = token.events.filter(action__in=(Action.HANDLE_EXCHANGED, Action.HANDLE_REFUSED))
    return [
        Exchange(event.at, event.actor_name, event.address, event.changes.get("reason", [0, ""])[1])
        for event in events[:SHOWN]
    ]


def handed_out(key: Key, name: str = "token") -> dict[str, str]:
    """Return a new key for an answer of the API, under its name: the handle if it is behind one."""
    return {"handle": key.handle} if key.handle else {name: key.secret}
