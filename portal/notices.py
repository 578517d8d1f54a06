"""Messages after an action: a bold first sentence, the rest, and at most one thing to do about it."""

import json
from typing import NotRequired, TypedDict

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest


class Action(TypedDict):
    """A button in a form that posts to `url`, with hidden `fields` if need be."""

    label: str
    url: str
    fields: NotRequired[list[tuple[str, str]]]


class Notice(TypedDict):
    """A message as the template shows it."""

    title: str
    text: str
    action: Action | None


def notify(request: HttpRequest, level: int, title: str, text: str = "", action: Action | None = None) -> None:
    """Show a message above the next page. `level` is one of django.contrib.messages."""
    # The framework keeps texts only, so the parts travel as JSON.
    messages.add_message(request, level, json.dumps(Notice(title=title, text=text, action=action)))


def read(message: Message) -> Notice:
    """The parts of a message; one of Django's own (the admin writes such) is all title."""
    text = str(message.message)
    try:
        notice: Notice = json.loads(text) if text.startswith("{") else Notice(title=text, text="", action=None)
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
