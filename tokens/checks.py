"""System check that the rings in the settings are those that the stored keys were made with."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from tokens.models import RingSecret


@register(Tags.database)
def secrets_of_the_rings(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report missing and replaced secrets of the rings, with the number of keys they affect."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if RingSecret._meta.db_table in connections[alias].introspection.table_names():
            found += filter(None, map(missing, RingSecret.all_needed()))
    return found


LOSSES = {
    RingSecret.Ring.PEPPERS: "cannot be checked, so every call with one of them is refused",
    RingSecret.Ring.SEALING_KEYS: "cannot be viewed",
}


def missing(row: RingSecret) -> CheckMessage | None:
    if row.is_configured() or not (count := row.count_needed()):
        return None
    affected = "1 key" if count == 1 else f"{count} keys"
    loss = f"{affected} of this database {LOSSES[RingSecret.Ring(row.ring)]}"
    restore = f"Restore {row.ring} from your copy of the environment file."
    if row.configured is not None:
        hint = f"{restore} A new secret takes a new number."
        return Error(
            f"{row.ring} no longer holds the secret it had under number {row.number}: {loss}.",
            hint=hint,
            id="tokens.E001",
        )
    text = f"{row.ring} no longer has a secret under number {row.number}: {loss}."
    if settings.ACCEPT_LOST_KEYS:
        return checks.Warning(text, id="tokens.W002")
    hint = f"{restore} If it is lost for good, set ACCEPT_LOST_KEYS=on."
    return Error(text, hint=hint, id="tokens.E002")
