"""The counters of accounts.limits."""

from datetime import timedelta

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac


def digest(text: str) -> str:
    """Return the digest that replaces a name or an IP address in the key of a counter.

    Names are not stored in clear because people type passwords into the wrong field.
    """
    return salted_hmac("accounts.counter", text, algorithm="sha256").hexdigest()[:32]


class CounterQuerySet(models.QuerySet["Counter"]):
    def take(self, key: str, tries: int, wait: timedelta) -> bool:
        """Count one more try, or return False if `tries` are counted already. Safe in parallel."""
        now = timezone.now()
        self.bulk_create([Counter(key=key, used=0, until=now + wait)], ignore_conflicts=True)
        # Its time is over, or is so far ahead that a clock must have been wrong. (One a little
        # ahead was set by another request, a moment after ours began.)
        passed = Q(until__lte=now) | Q(until__gt=now + 2 * wait)
        self.filter(passed, key=key).update(used=0, until=now + wait)
        # The wait starts with the last try.
        until = Case(When(used__gte=tries - 1, then=Value(now + wait)), default=F("until"))
        return self.filter(key=key, used__lt=tries).update(used=F("used") + 1, until=until) == 1

    def give_back(self, key: str) -> None:
        self.filter(key=key, used__gt=0).update(used=F("used") - 1)

    def forgive_name(self, email: str) -> None:
        """Lift the locks of an e-mail address, wherever the wrong passwords came from."""
        key = f"name:{digest(email)}"
        # Narrow before wide, the order in which a try takes them.
        self.filter(key__startswith=f"{key}:").delete()
        self.filter(key=key).delete()


class Counter(models.Model):
    """How many tries of a limit are used up, and until when they count.

    The key names the limit and whom it is for.
    """

    key = models.CharField(max_length=128, primary_key=True)
    used = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)

    objects = CounterQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key
