"""Conditions: which events of its objects a webhook wants, as RQL such as `eq(status,approved)`.

They ask the whole object as the API shows it, by the same rules and with the same bounds as a query
of the API, and besides what only the event says. Records belong to a layer above, which registers
how to ask them. An object that is gone is judged by what the event says.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from lark.exceptions import LarkError, VisitError
from py_rql.filter_cls import FilterClass
from py_rql.transformer import RQLToFunctionTransformer

from portal import text
from portal.rql import PARSER

if TYPE_CHECKING:
    from webhooks.models import WebhookEvent

log = logging.getLogger(__name__)

# Bytes.
LONGEST = 1024
# What an event says. All are texts. The object's own fields come first where they have such a name.
NAMES = ("id", "status", "action", "product_id", "actor_id", "actor_name")


class Names(FilterClass):
    """The names that a condition may have."""

    FILTERS = [{"filter": name} for name in NAMES]  # as the library has it


KNOWN = Names()


class Objects(Protocol):
    """The objects of a class as an account sees them in the API."""

    def check(self, condition: str) -> None:
        """Raise ValidationError for a condition that cannot be asked of them."""

    def asked(
        self, condition: str, account_id: str, said: Mapping[str, str], ids: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Return which of the ids exist, and which of them meet the condition.

        `said` is what the events about them say.
        """


Find = Callable[[str], Objects | None]
finders: list[Find] = []


def register(find: Find) -> None:
    """Register how to find the objects of a class; for `AppConfig.ready`."""
    finders.append(find)


def objects_of(object_class: str) -> Objects | None:
    return next((found for find in finders if (found := find(object_class))), None)


def check(condition: str, object_class: str = "") -> None:
    """Raise ValidationError for a condition that cannot be evaluated, for objects of the class.

    Without a class, only for one that is too long or cannot be read.
    """
    if not condition:
        return
    if len(condition.encode()) > LONGEST:
        raise ValidationError(_("A condition may have at most 1,024 bytes."))
    # With a character that nobody sees, it would match nothing.
    text.only_visible(condition)
    try:
        compiled(condition)(dict.fromkeys(NAMES, "x"))
    except VisitError as problem:
        # A name of the object, of which this function knows nothing.
        if not isinstance(problem.orig_exc, KeyError):
            raise ValidationError(unreadable()) from None
    except (LarkError, RecursionError, IndexError, TypeError):
        raise ValidationError(unreadable()) from None
    if found := objects_of(object_class):
        found.check(condition)


def unreadable() -> str:
    return _("Enter a condition such as eq(status,approved) or in(action,(created,approved)).")


def unknown(name: str) -> str:
    told = _(
        "There is no “%(name)s” in an event. Use names of the object as the API shows it, or "
        "%(names)s."
    )
    return told % {"name": name[:64], "names": ", ".join(NAMES)}


def matches(condition: str, event: "WebhookEvent") -> bool:
    """Tell whether an event meets a condition. One that cannot be evaluated matches nothing."""
    return meeting(condition, [event]) == 1


def meeting(condition: str, events: "Iterable[WebhookEvent]") -> int:
    """Return how many of the events meet a condition, by what their objects say now.

    It asks once for all events of an account that say the same of different objects.
    """
    alike: dict[tuple[Any, ...], list[WebhookEvent]] = {}
    for event in events:
        said = facts(event)
        said.pop("id")
        key = (event.object_class, event.account_id, *said.values())
        alike.setdefault(key, []).append(event)
    return sum(len(met(condition, group)) for group in alike.values())


def met(condition: str, alike: "list[WebhookEvent]") -> "list[WebhookEvent]":
    """Return those of the events that meet a condition; they differ in their objects only."""
    if not condition:
        return alike
    first = alike[0]
    existing: set[str] = set()
    found: set[str] = set()
    if objects := objects_of(first.object_class):
        ids = {event.object_id for event in alike}
        try:
            # What the database refuses must not end the transaction of the change.
            with transaction.atomic():
                existing, found = objects.asked(condition, first.account_id, facts(first), ids)
        except Exception as problem:  # a change of records never fails for a webhook's condition
            log.warning("The condition %s cannot be evaluated: %s", condition, problem)
            return []
    return [
        event
        for event in alike
        if event.object_id in found
        or (event.object_id not in existing and fits(condition, facts(event)))
    ]


def fits(condition: str, said: dict[str, str]) -> bool:
    """Tell whether what an event says meets a condition."""
    try:
        return bool(compiled(condition)(said))
    except Exception:  # also for names that only the object has
        return False


def facts(event: "WebhookEvent") -> dict[str, str]:
    """Return what a condition can ask of an event."""
    return {
        "id": event.object_id,
        "status": event.object_status,
        "action": event.action,
        "product_id": event.product_id,
        "actor_id": event.actor.id if event.actor else "",
        "actor_name": event.actor.name if event.actor else "",
    }


@lru_cache(maxsize=1000)
def compiled(condition: str) -> Callable[[dict[str, str]], Any]:
    """Return a function of the facts. Raise what the library raises, and TypeError."""
    function = RQLToFunctionTransformer(KNOWN).transform(PARSER.parse(condition))
    if not callable(function):
        # For example `ordering(id)`, which asks nothing.
        raise TypeError
    return function  # type: ignore[no-any-return]
