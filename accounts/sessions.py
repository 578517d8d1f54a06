"""Database sessions that record their person, have time limits, and are limited per person."""

import time
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models import Session


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
            hers = (
                Session.objects.filter(user=user)
                .order_by("-signed_in_at", "-pk")
                .values_list("pk", flat=True)
            )
            surplus = list(hers[settings.SESSIONS_PER_PERSON :])
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
