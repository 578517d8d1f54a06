"""When a delivery is tried again, and how long an endpoint that fails is left alone."""

import random
from datetime import datetime, timedelta

from portal import moments

# From each failure to the next try: ten tries in 75.6 hours, as Standard Webhooks advises.
STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
TRIES = len(STEPS) + 1
# Only ever added: up to a tenth of the step, but at least up to 2 seconds, at most 15 minutes.
LEAST_JITTER, MOST_JITTER = timedelta(seconds=2), timedelta(minutes=15)

# How long an endpoint is left alone after its first, second, … failure, whatever is due.
HOLDS = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 80, 160, 300))

# After so long without a success, and so many failures in a row, the webhook is disabled.
FAILING_FOR, FAILING_TRIES = timedelta(days=5), 10


def next_try(failures: int, now: datetime, wait_until: datetime | None = None) -> datetime | None:
    """Return when to try again after so many failures; None when all tries are used up.

    The endpoint can ask for a later time, never for an earlier one.
    """
    if failures >= TRIES:
        return None
    step = STEPS[failures - 1]
    due = now + step + jitter(step)
    return max(due, wait_until) if wait_until else due


def last_try(failures: int, due: datetime) -> datetime:
    """Return about when the last try would be, if the next one is due then and all fail."""
    return moments.later(due, sum(STEPS[failures:], timedelta()))


def jitter(step: timedelta) -> timedelta:
    """Spread the tries of many deliveries that failed at the same moment."""
    most = max(LEAST_JITTER, min(step / 10, MOST_JITTER))
    return most * random.random()  # noqa: S311


def hold(times: int) -> timedelta:
    """Return how long to leave an endpoint alone that is put on hold so often in a row."""
    return HOLDS[min(times, len(HOLDS)) - 1]
