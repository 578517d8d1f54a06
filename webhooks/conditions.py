"""Conditions: which events of its objects a webhook wants, as RQL such as `eq(status,approved)`.

They are evaluated by the library that reads the queries of the API, over what an event says.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from lark.exceptions import LarkError, VisitError
from py_rql.filter_cls import FilterClass
from py_rql.parser import RQLParser
from py_rql.transformer import RQLToFunctionTransformer

if TYPE_CHECKING:
    from webhooks.models import WebhookEvent

# Bytes.
LONGEST = 1024
# The names in a condition, in the order in which errors list them. All are texts.
NAMES = ("id", "status", "action", "product_id", "actor_id", "actor_name")


class Names(FilterClass):
    """The names that a condition may have."""

    FILTERS = [{"filter": name} for name in NAMES]  # as the library has it


KNOWN = Names()


def check(condition: str) -> None:
    """Raise ValidationError for a condition that cannot be evaluated."""
    if not condition:
        return
    if len(condition.encode()) > LONGEST:
        raise ValidationError(_("A condition may have at most 1,024 bytes."))
    try:
        compiled(condition)(dict.fromkeys(NAMES, "x"))
    except VisitError as problem:
        if isinstance(problem.orig_exc, KeyError):
            told = _("There is no “%(name)s” in an event. Use %(names)s.")
            name = str(problem.orig_exc.args[0])[:64]
            raise ValidationError(told % {"name": name, "names": ", ".join(NAMES)}) from None
        raise ValidationError(unreadable()) from None
    except (LarkError, RecursionError, IndexError, TypeError):
        raise ValidationError(unreadable()) from None


def unreadable() -> str:
    return _("Enter a condition such as eq(status,approved) or in(action,(created,approved)).")


def matches(condition: str, event: "WebhookEvent") -> bool:
    """Tell whether an event meets a condition. One that cannot be evaluated matches nothing."""
    if not condition:
        return True
    try:
        return bool(compiled(condition)(facts(event)))
    except Exception:  # a change of records never fails for a webhook's condition
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
    # Not through the cache of the library, which is not made for threads.
    function = RQLToFunctionTransformer(KNOWN).transform(RQLParser.parse(condition))
    if not callable(function):
        # For example `ordering(id)`, which asks nothing.
        raise TypeError
    return function  # type: ignore[no-any-return]
