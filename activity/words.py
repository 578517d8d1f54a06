"""Entries in words: what changed, before and after, and the line below the action."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import proofs
from activity.actions import Action
from activity.models import Event
from portal import text

LABELS = {
    "name": gettext_lazy("Name"),
    "external_id": gettext_lazy("External ID"),
    "description": gettext_lazy("Description"),
    "expires_at": gettext_lazy("Expires on"),
    "key": gettext_lazy("Key"),
    "handle": gettext_lazy("Handle"),
    "old_key_ends_at": gettext_lazy("Old key stops"),
    "old_handle_ends_at": gettext_lazy("Key of the old handle stops"),
    "rehearsal_ends_at": gettext_lazy("Rehearsal ends"),
    "modules": gettext_lazy("Modules"),
    "status": gettext_lazy("Status"),
    "extension": gettext_lazy("Extension"),
    "role": gettext_lazy("Role"),
    "side": gettext_lazy("Side"),
    "email": gettext_lazy("E-mail"),
    "is_active": gettext_lazy("Active"),
    "is_staff": gettext_lazy("Administrator of the portal"),
    "is_superuser": gettext_lazy("All rights in the administration"),
    "time_zone": gettext_lazy("Time zone"),
    "rule": gettext_lazy("IP rule"),
    "addresses": gettext_lazy("Addresses"),
    "before": gettext_lazy("Before"),
    "rate": gettext_lazy("Calls a minute"),
    "burst": gettext_lazy("Calls at once"),
    "most_days": gettext_lazy("Days until a key stops"),
    "proposed_days": gettext_lazy("Days that the wizard proposes"),
    "idle_days": gettext_lazy("Days without a call"),
    "warn_days": gettext_lazy("Days of warning"),
    "show_once": gettext_lazy("Show once"),
    "rules_required": gettext_lazy("Require IP rules"),
    "most_tokens": gettext_lazy("Live tokens"),
    "copies": gettext_lazy("Copies of keys"),
    "two_step": gettext_lazy("Two-step sign-in for administrators"),
    "hide_secrets": gettext_lazy("Hide secrets in the API"),
    "starts_at": gettext_lazy("In force from"),
    "label": gettext_lazy("Label"),
    "product": gettext_lazy("Product"),
    "object_class": gettext_lazy("Fires on"),
    "endpoint": gettext_lazy("Endpoint"),
    "method": gettext_lazy("Method"),
    "headers": gettext_lazy("Headers"),
    "data": gettext_lazy("Own data"),
    "active": gettext_lazy("Active"),
    "secret": gettext_lazy("JWT secret"),
    "reason": gettext_lazy("Why"),
    "kind": gettext_lazy("Secret"),
    "deliveries": gettext_lazy("Deliveries"),
}


PROOFS = {proofs.PASSWORD: gettext_lazy("Password"), proofs.PASSKEY: gettext_lazy("Passkey")}


class Part(NamedTuple):
    """A piece of a value, and whether the other value lacks it."""

    text: str
    is_new: bool


class Change(NamedTuple):
    label: str
    before: list[Part]
    after: list[Part]


def label(name: str) -> str:
    return str(LABELS.get(name) or name.replace("_", " ").capitalize())


def changes(event: Event) -> list[Change]:
    """Return the changes of an entry. In lists, only the parts that differ are marked."""
    return [Change(label(name), *compare(name, *pair)) for name, pair in pairs(event)]


def pairs(event: Event) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the changes of an entry by name, skipping those in a form unknown to this version."""
    kept = event.changes if isinstance(event.changes, dict) else {}
    # In the order of the labels: PostgreSQL does not keep the order of a JSON object.
    order = {name: place for place, name in enumerate(LABELS)}
    for name in sorted(kept, key=lambda name: (order.get(name, len(order)), name)):
        pair = kept[name]
        if isinstance(pair, list) and len(pair) == 2:
            yield name, (pair[0], pair[1])


def compare(name: str, before: Any, after: Any) -> tuple[list[Part], list[Part]]:
    if isinstance(before, list) or isinstance(after, list):
        old, new = (value if isinstance(value, list) else [] for value in (before, after))
        return parts(old, new), parts(new, old)
    return [Part(value(name, before), before != after)], [Part(value(name, after), before != after)]


def parts(values: list[Any], others: list[Any]) -> list[Part]:
    return [Part(str(each), each not in others) for each in values] or [
        Part(_("None"), bool(others))
    ]


def value(name: str, kept: Any) -> str:
    if kept is None or kept == "":
        return _("Never") if name == "expires_at" else _("Not set")
    if isinstance(kept, bool):
        return _("Yes") if kept else _("No")
    if name.endswith("_at") and isinstance(kept, str):
        try:
            return text.day_and_time(datetime.fromisoformat(kept))
        except ValueError:
            return kept
    return f"{kept:,}" if isinstance(kept, int) else str(kept)


def sentence(change: Change) -> str:
    """Return a change as `Modules: Agreements, Customers → Agreements, Products`."""
    before, after = (", ".join(part.text for part in side) for side in change[1:])
    return f"{change.label}: {before} → {after}"


def who(event: Event) -> str:
    """Return the name of whoever acted."""
    if event.actor is not None:
        return event.actor.name
    # With a request, somebody who did not sign in; without one, the portal.
    return _("Unknown") if event.request_id else _("The portal")


def proof(event: Event) -> str:
    """Return how and when an action was confirmed, as `Password, 25/11/2026 09:14`; `""` if not."""
    if event.confirmed_at is None:
        return ""
    by = PROOFS.get(event.confirmed_by, event.confirmed_by)
    return f"{by}, {text.day_and_time(event.confirmed_at)}"


def note(event: Event) -> str:
    """Return the line below the action: the names of what changed, as `modules, description`."""
    for name, counts in pairs(event):
        if name == "entries" and (count := next((n for n in counts if type(n) is int and n), 0)):
            return ngettext("%(n)s entry", "%(n)s entries", count) % {"n": f"{count:,}"}
    if event.action == Action.TOKEN_CREATED:
        modules = dict(pairs(event)).get("modules", (None, []))[1]
        return text.join_some(modules, 3) if isinstance(modules, list) and modules else ""
    if event.action == Action.WEBHOOK_CREATED:
        return str(dict(pairs(event)).get("object_class", (None, ""))[1])
    is_new = event.action.endswith("added")
    unsaid = {"status", "handle"} if event.action.startswith("keys.") else {"status"}
    names = [label(name) for name, _pair in pairs(event) if name not in unsaid and not is_new]
    return ", ".join(name[0].lower() + name[1:] for name in names)
