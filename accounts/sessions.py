"""Database sessions that record their person, have time limits, and are limited per person."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Session, User, digest
from portal import agents
from portal.http import client_address, client_agent
from portal.text import ago


class SessionStore(DatabaseStore):
    """Django's database sessions in our own table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        user = data.get(SESSION_KEY)
        if not isinstance(data.get("signed_in_at"), int | float):
            data.pop("signed_in_at", None)
        if user:
            data.setdefault("signed_in_at", time.time())
        session = cast(Session, super().create_model_instance(data))
        session.user_id, session.signed_in_at = user, data.get("signed_in_at")
        return session

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 (Django's signature)
        """Save, and delete the person's oldest sessions beyond settings.SESSIONS_PER_PERSON."""
        super().save(must_create)
        user = self.get(SESSION_KEY)
        if user:
            newest_first = (
                Session.objects.filter(user=user)
                .order_by("-signed_in_at", "-pk")
                .values_list("pk", flat=True)
            )
            surplus = list(newest_first[settings.SESSIONS_PER_PERSON :])
            if surplus:
                Session.objects.filter(pk__in=surplus).delete()


# The precision with which the time of the last request is stored, in seconds.
EXACT = 60
# How many seconds before its end a page announces the end of the session.
SOON = 120


class SessionLeft(NamedTuple):
    """Seconds until the session ends: `idle` without activity, `absolute` whatever happens."""

    idle: int
    absolute: int

    @classmethod
    def of(cls, session: Any, now: int) -> "SessionLeft":
        idle_until = int(session["seen_at"]) + settings.SESSION_IDLE_MINUTES * 60 + EXACT
        return cls(
            idle_until - now, int(session["signed_in_at"]) + settings.SESSION_HOURS * 3600 - now
        )

    @property
    def is_last(self) -> bool:
        """Whether the absolute end is near, which cannot be put off."""
        return self.absolute <= SOON


# --- Signed-in devices ----------------------------------------------------------------------------


def keep_where(request: HttpRequest, **kwargs: Any) -> None:
    """Keep in a new session where and with what program the person signed in."""
    request.session["address"] = client_address(request) or ""
    request.session["agent"] = client_agent(request)


@dataclass(frozen=True)
class Device:
    """A session as the page *Security* lists it; `id` stands for its key, which is a secret."""

    id: str
    program: str
    address: str
    since: datetime | None
    seen_at: datetime | None
    is_this: bool

    @property
    def is_phone(self) -> bool:
        return self.program.endswith(("iPhone", "iPad", "Android"))

    @property
    def seen(self) -> str:
        """When it was seen last, as part of a sentence."""
        words = ago(self.seen_at)
        return words[:1].lower() + words[1:]


def devices_of(user: User, this: str | None) -> list[Device]:
    """Return the sessions of a person that are not over; the one with the key `this` first."""
    rows = user.sessions.filter(expire_date__gt=timezone.now()).order_by("-signed_in_at", "-pk")
    found = [device(row, this) for row in rows if not is_over(row.get_decoded())]
    return sorted(found, key=lambda each: not each.is_this)


def device(row: Session, this: str | None) -> Device:
    data = row.get_decoded()
    return Device(
        id=digest(row.session_key),
        program=agents.in_words(str(data.get("agent", ""))),
        address=str(data.get("address", "")),
        since=at(data.get("signed_in_at")),
        seen_at=at(data.get("seen_at")),
        is_this=row.session_key == this,
    )


def is_over(data: dict[str, Any]) -> bool:
    """Tell whether a limit of time has ended a session whose row is still there."""
    try:
        left = SessionLeft.of(data, int(time.time()))
    except (KeyError, TypeError, ValueError):
        return False
    return left.idle <= 0 or left.absolute < 0


def at(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def end(user: User, this: str | None, id: str | None = None) -> int:
    """End one session of a person, or all but the one with the key `this`; return how many."""
    keys = [
        key
        for key in user.sessions.values_list("session_key", flat=True)
        if key != this and (id is None or digest(key) == id)
    ]
    return user.sessions.filter(session_key__in=keys).delete()[0]
