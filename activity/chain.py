"""The check that a trail is still as it was written."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from activity.models import Chain, Event
from portal.distinct import newest

# Entries read per query.
BATCH = 1000
# How long the result of a check counts as fresh; until then it is not repeated.
FRESH = timedelta(minutes=1)


class Fault(NamedTuple):
    """The number of the first entry of a trail that does not fit, and what is wrong with it."""

    account: str
    number: int
    problem: str

    def __str__(self) -> str:
        return f"{self.account or 'The portal itself'}, entry {self.number:,}: {self.problem}"


def verify(account: str, progress: Callable[[int], object] = int) -> Fault | None:
    """Check the whole trail of an account, and return the first fault.

    Keeps the result on the chain. Entries may be recorded during the check: that does not block
    them, and they are not reported as faults. `progress` is called after every BATCH of entries
    with the number of those checked so far.
    """
    while True:
        chain = Chain.objects.filter(pk=account).first()
        fault = first_fault(account, chain, progress)
        if chain is None:
            return fault
        # Otherwise check again: old entries were forgotten meanwhile.
        if (
            fault is None
            or not Chain.objects.filter(pk=account).exclude(forgotten=chain.forgotten).exists()
        ):
            break
    Chain.objects.filter(pk=account).update(
        checked_at=timezone.now(), broken=fault.number if fault else None
    )
    return fault


def first_fault(
    account: str, chain: Chain | None, progress: Callable[[int], object]
) -> Fault | None:
    number, hash = (chain.forgotten, chain.anchor) if chain else (0, "")
    start = number
    if Event.objects.filter(account=account, number__lte=number).exists():
        return Fault(account, number, "It should be gone: entries up to this one were forgotten.")
    while True:
        batch = Event.objects.filter(account=account, number__gt=number).order_by("number")[:BATCH]
        entries = list(batch)
        for event in entries:
            if event.number != number + 1:
                return Fault(account, number + 1, "It is missing.")
            if not event.fits(hash):
                return Fault(
                    account,
                    event.number,
                    "It was changed, moved or inserted, or the one before it was.",
                )
            number, hash = event.number, event.hash
        if entries:
            progress(number - start)
            continue
        # Read after the entries, so that it cannot be older than an entry that the portal wrote.
        last = Chain.objects.filter(pk=account).first() or Chain()
        if last.number < number:
            return Fault(account, last.number + 1, "It was inserted at the end.")
        if last.number == number:
            return (
                None
                if last.hash == hash
                else Fault(account, number, "It is not the one that was written last.")
            )
        if not batch.all().exists():
            return Fault(account, number + 1, "It is missing, with all that followed it.")


def accounts() -> list[str]:
    """Return every account that has a trail.

    That includes accounts with entries but no chain: only an intruder would write those.
    """
    return sorted(
        {*Chain.objects.values_list("pk", flat=True), *newest(Event, "account", "number")}
    )
