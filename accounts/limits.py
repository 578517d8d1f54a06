"""Limits of wrong passwords: a narrow one per name and address, a wide one per address."""

from datetime import datetime
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest
from django.utils import timezone

from portal.http import client_address


class SignInLimits(AxesDatabaseHandler):
    """axes counts for every entry of AXES_LOCKOUT_PARAMETERS but has one limit for all; ours has two."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Wrong tries against the narrow limit. When the wide one is reached the narrow one counts as reached."""
        by_name, by_address = (
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0 for attempts in self.get_user_attempts(request, credentials)
        )
        # People whose address cannot be told must not share one limit.
        if by_address < settings.SIGN_IN_TRIES_PER_ADDRESS or client_address(request) is None:
            return by_name
        return max(by_name, settings.SIGN_IN_TRIES)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A right password forgives that name only: else an attacker's own account would reset the address's count."""
        count: int
        count, _ = self.get_user_attempts(request, credentials)[0].delete()
        return count


def locked_since(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime:
    """The last wrong try that counts for the lock: of the name if that is locked, else of the address."""
    for attempts in SignInLimits().get_user_attempts(request, credentials):
        last: datetime | None = attempts.aggregate(last=Max("attempt_time"))["last"]
        if last:
            return last
    return timezone.now()


def username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name tries are counted under, however it was typed."""
    typed = (credentials or request.POST).get("username") or ""
    return str(typed).strip().lower()[:255]


def tries_left(request: HttpRequest, email: str) -> int:
    """How many more wrong passwords this name may have from this address."""
    failures = SignInLimits().get_failures(request, {"username": email})
    return max(settings.SIGN_IN_TRIES - failures, 0)
