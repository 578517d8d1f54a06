"""`record()`, which adds entries to the trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from accounts import proofs
from activity import notices
from activity.actions import Action
from activity.models import AGENT, Chain, Event, Subject
from portal import logs
from portal.fields import ActorField
from portal.http import client_address, current_request

# The time of the entries that the demo makes up; None for the present.
made_up_time: ContextVar[datetime | None] = ContextVar("made_up_time", default=None)


@contextmanager
def happened(at: datetime) -> Iterator[None]:
    """Record what the block does as if it happened at that time; for the demo only."""
    before = made_up_time.set(at)
    try:
        yield
    finally:
        made_up_time.reset(before)


def record(
    actor: Any,
    action: Action,
    subject: models.Model | Subject | None = None,
    changes: dict[str, Any] | None = None,
    *,
    account: str | None = None,
) -> Event:
    """Add an entry to the trail of the account, by default the subject's; return it.

    Call it in the transaction that makes the change, and last: whoever else records for the account
    waits from here until the commit. A transaction that records several times first locks all rows
    that it changes.

    `actor` is a person, a token, or None for the portal itself. `changes` has the values before and
    after, by name: `{"name": [before, after]}`; never pass keys or passwords. Address, program and
    request id are those of the request that this thread handles; a command has none.
    """
    row = subject if isinstance(subject, models.Model) else None
    if account is None:
        account = account_of(row)
    about = (
        Subject.of(subject) if isinstance(subject, models.Model) else subject or Subject("", "", "")
    )
    with transaction.atomic(savepoint=False):
        event = Chain.locked(account).append(
            # Read under the lock, so that times and numbers have the same order.
            at=made_up_time.get() or timezone.now(),
            **ActorField.columns("actor", actor),
            action=str(action),
            subject_kind=about.kind,
            subject_id=about.id,
            subject_name=logs.mask(about.name),
            changes={
                name: [plain(value) for value in values] for name, values in (changes or {}).items()
            },
            **origin(),
        )
        if made_up_time.get() is None:
            notices.send_for(event)
        return event


def account_of(row: models.Model | None) -> str:
    """Return the account that a row belongs to; `""`, the portal itself, if it has none."""
    if row is None:
        return ""
    if row._meta.label == "accounts.Account":
        return str(row.pk)
    return str(getattr(row, "account_id", None) or "")


def origin() -> dict[str, Any]:
    """Return where the request of this thread came from, and how its person confirmed it.

    Empty without a request.
    """
    request = current_request.get()
    if request is None:
        return {"address": "", "agent": "", "request_id": ""}
    # Programs have no session.
    proven = proofs.latest(request) if hasattr(request, "session") else None
    agent = logs.one_line(logs.mask(request.headers.get("User-Agent", "")))
    return {
        "address": client_address(request) or "",
        "agent": agent[:AGENT],
        "request_id": logs.request_id.get(),
        **({"confirmed_at": proven.at, "confirmed_by": proven.by} if proven else {}),
    }


def plain(value: Any) -> Any:
    """Return a value in a form that the JSON of both databases keeps unchanged.

    That is null, booleans, integers, strings and lists of them. Keys are masked.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [
            plain(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)
        ]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return logs.mask(str(value))
