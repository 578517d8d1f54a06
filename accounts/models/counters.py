"""The counters of accounts.limits."""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac


def digest(text: str) -> str:
    """Return the digest that replaces a name or an IP address in the key of a counter.

    Names are not stored in clear because people type passwords into the wrong field.
    """
    return salted_hmac("accounts.counter", text, algorithm="sha256").hexdigest()[:32]


class CounterQuerySet(models.QuerySet["Counter"]):
    def take(self, key: str, tries: int, wait: timedelta) -> datetime | None:
        """Count one more try; if none is left, return when there will be. Safe in parallel."""
        with transaction.atomic(savepoint=False):
            counter = None
            # A counter can be forgiven, and so deleted, before it is locked.
            while counter is None:
                fresh = Counter(key=key, used=0, until=timezone.now() + wait)
                self.bulk_create([fresh], ignore_conflicts=True)
                counter = self.select_for_update().filter(key=key).first()
            now = timezone.now()
            # Its time is over, or is so far ahead that a clock must have been wrong. (One a little
            # ahead was set by another request, a moment after ours began.)
            if counter.until <= now or counter.until > now + 2 * wait:
                counter.used, counter.until = 0, now + wait
            if counter.used >= tries:
                return counter.until
            counter.used += 1
            if counter.used == tries:
                # The wait starts with the last try.
                counter.until = now + wait
            counter.save()
        return None

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
