"""Template tags of the whole portal: icons and moments."""

from datetime import datetime

from django import template
from django.contrib.messages.storage.base import Message
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import notices, text

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A drawing of `static/icons.svg`, hidden from screen readers: the words beside it say what it means."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" aria-hidden="true" focusable="false"><use href="{1}#{2}"></use></svg>',
        size,
        static("icons.svg"),
        name,
    )


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """`18/05/2021 04:28` in the person's time zone, the UTC moment as a tooltip."""
    return text.time_element(value, text.moment(value)) if value else "–"


@register.filter
def day(value: datetime | None) -> SafeString | str:
    """`18/05/2021` in the person's time zone."""
    return text.time_element(value, text.day(value)) if value else "–"


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """`3 minutes ago` up to a month, then the moment; "Never" for nothing."""
    return text.time_element(value, text.ago(value)) if value else text.ago(value)


@register.filter
def notice(message: Message) -> notices.Notice:
    """The title, text and action of a message."""
    return notices.read(message)


@register.filter
def initials(name: str) -> str:
    """`Mighty Mick's LLC` -> `MM`."""
    return "".join(word[0] for word in name.split()[:2]).upper()


@register.filter
def isolate(value: object) -> str:
    """A stored name for the middle of a sentence, which it must not turn round."""
    return text.isolate(value)
