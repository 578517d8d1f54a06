"""What all wizards share: their steps, and what the session remembers of a finished run.

The pages extend `base_wizard.html`, or include `partials/steps.html` and `partials/step_bar.html`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.http import HttpRequest

from portal.http import seconds_since

# How long, in seconds, Summary is shown to the session that went through the steps.
CREATOR_GRACE = 10 * 60


class Step(TextChoices):
    """The steps of a wizard, in order. Each wizard names its own."""

    @property
    def number(self) -> int:
        return [*type(self)].index(self) + 1

    @property
    def next(self) -> Any:
        return list(type(self))[self.number]

    @property
    def previous(self) -> Any:
        return list(type(self))[self.number - 2]


def listed_steps(
    here: Step, answers: Mapping[Any, str], url: Callable[[Any], str] | None = None
) -> list[dict[str, Any]]:
    """Return the list of steps: which is current, and which have an answer, with links to them.

    Going back to an earlier step does not clear the answers of later ones. Without `url` nothing
    leads back: the run is finished.
    """
    steps = []
    for each in type(here):
        answer = answers.get(each, "")
        progress = "current" if each is here else "done" if answer else "todo"
        is_done = progress == "done"
        steps.append(
            {
                "number": each.number,
                "label": each.label,
                "progress": progress,
                "url": url(each) if url and is_done else None,
                "answer": answer if is_done else "",
            }
        )
    return steps


def remember_created(request: HttpRequest, pk: str, at: datetime) -> None:
    """Note in the session that it created a row."""
    made = made_in(request)
    fresh = {each: moment for each, moment in made.items() if is_fresh(made, each)}
    request.session["created"] = {**fresh, pk: at.timestamp()}


def just_created(request: HttpRequest, pk: str) -> bool:
    """Tell whether this session created the row within the last `CREATOR_GRACE` seconds."""
    return is_fresh(made_in(request), pk)


def made_in(request: HttpRequest) -> dict[str, Any]:
    """Return when this session created rows: timestamps by id."""
    made = request.session.get("created")
    return made if isinstance(made, dict) else {}


def is_fresh(made: dict[str, Any], pk: str) -> bool:
    passed = seconds_since(made, pk)
    return passed is not None and passed < CREATOR_GRACE
