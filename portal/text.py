"""Words for moments and lists, one way for all pages (dd/mm/yyyy, as the product it follows)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def moment(value: datetime) -> str:
    return timezone.localtime(value).strftime("%d/%m/%Y %H:%M")


def day(value: datetime) -> str:
    return timezone.localtime(value).strftime("%d/%m/%Y")


def ago(value: datetime | None) -> str:
    """Relative up to a month, where it says more than a date; "Never" for nothing."""
    if value is None:
        return _("Never")
    passed = timezone.now() - value
    minutes, hours = int(passed.total_seconds() // 60), int(passed.total_seconds() // 3600)
    days = (timezone.localtime().date() - timezone.localtime(value).date()).days
    if minutes < 1:
        return _("Just now")
    if minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    if days < 1 or hours < 6:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    if days == 1:
        return _("Yesterday")
    if days < 14:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    if passed < timedelta(days=31):
        return ngettext("%(n)s week ago", "%(n)s weeks ago", days // 7) % {"n": days // 7}
    return moment(value)


def time_element(value: datetime, shown: str) -> SafeString:
    """`<time>` with the exact UTC moment for machines and as a tooltip."""
    utc = value.astimezone(UTC)
    return format_html('<time datetime="{}" title="{} UTC">{}</time>', utc.isoformat(timespec="seconds"), utc.strftime("%d/%m/%Y %H:%M:%S"), shown)


def join(words: Sequence[str]) -> str:
    """`Agreements, Customers and Helpdesk`"""
    *firsts, last = words
    return _("%(firsts)s and %(last)s") % {"firsts": ", ".join(firsts), "last": last} if firsts else last
