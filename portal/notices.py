"""Messages after an action: a bold first sentence, more text, and at most one button."""

import json
from typing import NotRequired, TypedDict

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest


class Action(TypedDict):
    """A button that posts a form to `url`, with hidden `fields` if needed."""

    label: str
    url: str
    fields: NotRequired[list[tuple[str, str]]]


class Notice(TypedDict):
    """A message as the template shows it."""

    title: str
    text: str
    action: Action | None


def notify(
    request: HttpRequest, level: int, title: str, text: str = "", action: Action | None = None
) -> None:
    """Show a message at the top of the next page. `level` is one of django.contrib.messages."""
    # The framework stores plain text only, so the parts are encoded as JSON.
    messages.add_message(request, level, json.dumps(Notice(title=title, text=text, action=action)))


def read(message: Message) -> Notice:
    """Return the parts of a message. One from Django itself, as in the admin, has only a title."""
    text = str(message.message)
    try:
        notice: Notice = (
            json.loads(text) if text.startswith("{") else Notice(title=text, text="", action=None)
        )
    except json.JSONDecodeError:
        return Notice(title=text, text="", action=None)
    return notice


def succeed(request: HttpRequest, title: str, text: str = "", action: Action | None = None) -> None:
    notify(request, messages.SUCCESS, title, text, action)


def inform(request: HttpRequest, title: str, text: str = "", action: Action | None = None) -> None:
    notify(request, messages.INFO, title, text, action)


def warn(request: HttpRequest, title: str, text: str = "", action: Action | None = None) -> None:
    notify(request, messages.WARNING, title, text, action)


def fail(request: HttpRequest, title: str, text: str = "") -> None:
    notify(request, messages.ERROR, title, text)
