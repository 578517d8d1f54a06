"""Messages after an action: a bold first sentence, the rest, and at most one thing to do about it."""

from typing import TypedDict

from django.contrib import messages
from django.http import HttpRequest


class Action(TypedDict):
    """A button in a form that posts to `url`."""

    label: str
    url: str


def notify(request: HttpRequest, level: int, title: str, text: str = "", action: Action | None = None) -> None:
    """Show a message above the next page. `level` is one of django.contrib.messages."""
    messages.add_message(request, level, {"title": title, "text": text, "action": action})  # type: ignore[arg-type]  # any JSON is stored


def succeed(request: HttpRequest, title: str, text: str = "", action: Action | None = None) -> None:
    notify(request, messages.SUCCESS, title, text, action)


def inform(request: HttpRequest, title: str, text: str = "") -> None:
    notify(request, messages.INFO, title, text)


def fail(request: HttpRequest, title: str, text: str = "") -> None:
    notify(request, messages.ERROR, title, text)
