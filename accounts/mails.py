"""Mails to people: what they look like, who gets which, and the queue that they leave from.

A mail is described once, as a `Mail`; its text and its HTML are made from the same parts:

    mail = Mail(
        subject=_("Price List Export expires in 7 days"),
        preview=_("On 02/12/2026 its key stops. It made 28 calls in the last 7 days."),
        state=_("Expires in 7 days"),
        title=_("Price List Export stops on 02/12/2026"),
        text=_("At 00:00 UTC its key ends."),
        facts=[Fact(_("Token"), token.name, token.pk)],
        steps=[Step(_("Not needed?"), _("There is nothing to do."))],
    )
    mails.send(Kind.EXPIRES, mails.administrators(account, Kind.EXPIRES), mail)

Mails contain no key and no link, and say where to go in the portal instead: phishing imitates mails
with links.
"""

import logging
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, TextChoices
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account, Membership, QueuedMail, User
from portal import logs, moments, text

log = logging.getLogger(__name__)

# When daily mails leave, in the person's time zone.
DAILY_HOUR = 7
# A mail that could not be sent is tried again after 1, 2, 4, … minutes, at most every 6 hours.
TRIES = 15
LONGEST_PAUSE = timedelta(hours=6)
# How long a process has for a mail before another one may send it.
LEASE = timedelta(minutes=5)
# Columns of the text of a mail.
WIDTH = 72


class When(TextChoices):
    """When a person wants a kind of mails. Both may be chosen, or none."""

    AT_ONCE = "at-once", gettext_lazy("At once")
    DAILY = "daily", gettext_lazy("Daily, 07:00")


class Kind(TextChoices):
    """The kinds of mails about an account that people choose from.

    Mails about a person's own sign-in have no kind: `tell` always sends them.
    """

    KEY_SEEN = "key-seen", gettext_lazy("A key or handle is viewed or copied")
    TOKEN_CHANGED = "token-changed", gettext_lazy("A token is created, widened or renewed")
    EXPIRES = "expires", gettext_lazy("A token expires")
    IDLE = "idle", gettext_lazy("An unused token will be disabled")
    WEBHOOK_FAILS = "webhook-fails", gettext_lazy("A webhook fails, or works again")


HINTS = {
    Kind.KEY_SEEN: gettext_lazy("Also by you"),
    Kind.EXPIRES: gettext_lazy("30, 14, 7 and 1 days before"),
    Kind.IDLE: gettext_lazy("As the policies of the account say"),
    Kind.WEBHOOK_FAILS: gettext_lazy("After 1, 24 and 96 hours, and when it is disabled"),
}
# What people get who have chosen nothing.
DEFAULTS: dict[Kind, list[str]] = {kind: [When.AT_ONCE.value] for kind in Kind}


@dataclass(frozen=True)
class Fact:
    """A row of the table of a mail, with an optional second line in small type."""

    name: str
    value: str
    more: str = ""


@dataclass(frozen=True)
class Step:
    """Something that the reader can do: a bold question, and where to do it in the portal."""

    lead: str
    text: str


@dataclass(frozen=True)
class Mail:
    """What a mail says; see the example at the top of this file.

    `preview` is the line that inboxes show beside the subject, `state` the coloured one over the
    title, `notes` the small print. `send` and `tell` add to the notes why the reader gets it.
    """

    subject: str
    preview: str
    title: str
    text: str
    state: str = ""
    facts: Sequence[Fact] = ()
    steps: Sequence[Step] = ()
    notes: Sequence[str] = ()
    # Only where it cannot be avoided: an invitation has nothing but its address.
    link: str = ""

    @classmethod
    def restore(cls, content: dict[str, Any]) -> "Mail":
        """Return the mail whose parts were stored by `asdict`."""
        return cls(
            **{
                **content,
                "facts": [Fact(**each) for each in content["facts"]],
                "steps": [Step(**each) for each in content["steps"]],
            }
        )


# --- Who gets which -------------------------------------------------------------------------------


def choices(membership: Membership, kind: Kind) -> list[str]:
    """Return when the person wants this kind, as values of `When`."""
    kept = membership.mails.get(kind) if isinstance(membership.mails, dict) else None
    return DEFAULTS[kind] if kept is None else [when for when in When.values if when in kept]


def administrators(account: Account | str, kind: Kind) -> list[Membership]:
    """Return the administrators of an account who want this kind of mails."""
    found = Membership.objects.usable().filter(account=account, role=Membership.Role.ADMINISTRATOR)
    return [membership for membership in found if choices(membership, kind)]


def send(kind: Kind, to: Iterable[Membership], mail: Mail) -> None:
    """Queue a mail about an account for some of its people, as each of them chose.

    Call it in the transaction that makes the change.
    """
    people = list(to)
    if not people:
        return
    names = text.join_some([membership.user.name for membership in people], 3)
    why = _(
        "%(names)s: you get this mail because you administer %(account)s. What is sent is chosen "
        "in the portal under Profile, Notifications."
    )
    mail = with_note(mail, why % {"names": names, "account": people[0].account})
    now = timezone.now()
    QueuedMail.objects.bulk_create(
        QueuedMail(
            user=membership.user,
            address=membership.user.email,
            is_daily=when == When.DAILY,
            content=asdict(mail),
            due_at=next_morning(membership.user, now) if when == When.DAILY else now,
        )
        for membership in people
        for when in choices(membership, kind)
    )


def tell(user: User, mail: Mail, *addresses: str) -> None:
    """Queue a mail about a person's own sign-in, which nobody can switch off.

    It goes to the person's address unless others are given.
    """
    mail = with_note(mail, _("This mail protects your sign-in, so it is always sent."))
    QueuedMail.objects.bulk_create(
        QueuedMail(user=user, address=address, content=asdict(mail), due_at=timezone.now())
        for address in addresses or (user.email,)
    )


def with_note(mail: Mail, note: str) -> Mail:
    return replace(mail, notes=[*mail.notes, note])


def next_morning(user: User, now: datetime) -> datetime:
    """Return the next time that it is DAILY_HOUR where the person is."""
    here = moments.zone(user.time_zone)
    day = moments.local(now, here).date()
    morning = moments.midnight(day, here) + timedelta(hours=DAILY_HOUR)
    if morning <= now:
        morning = moments.midnight(day + timedelta(days=1), here) + timedelta(hours=DAILY_HOUR)
    return morning


# --- The queue ------------------------------------------------------------------------------------


def send_due() -> int:
    """Send the mails whose time has come, and return how many left.

    Several processes may do it at the same time. A mail can be sent twice if a process dies between
    sending and deleting it, but never gets lost.
    """
    return sum(deliver_or_put_off(mails) for mails in due())


def due() -> Iterator[list[QueuedMail]]:
    """Claim mails that are due and yield them: one alone, or all daily ones of a person."""
    while first := QueuedMail.objects.filter(due_at__lte=timezone.now()).order_by("due_at").first():
        rows = [first]
        if first.is_daily:
            rows += QueuedMail.objects.filter(
                user=first.user_id,
                address=first.address,
                is_daily=True,
                due_at__lte=timezone.now(),
            ).exclude(pk=first.pk)
        claimed = [row for row in rows if claim(row)]
        if claimed:
            yield sorted(claimed, key=lambda row: row.pk)


def claim(row: QueuedMail) -> bool:
    """Put the mail off for the time of a lease; return False if another process did so before."""
    return (
        QueuedMail.objects.filter(pk=row.pk, due_at=row.due_at).update(
            due_at=timezone.now() + LEASE, tries=F("tries") + 1
        )
        == 1
    )


def deliver_or_put_off(rows: list[QueuedMail]) -> bool:
    """Send mails of one person as one; return False if it failed and has to be tried again."""
    found = [Mail.restore(row.content) for row in rows]
    queued = QueuedMail.objects.filter(pk__in=[row.pk for row in rows])
    tries = max(row.tries for row in rows) + 1
    try:
        deliver(found[0] if len(found) == 1 else digest_of(found), rows[0].address)
    except OSError:
        log.exception("A mail could not be sent; this was try %d of %d.", tries, TRIES)
        if tries < TRIES:
            pause = min(timedelta(minutes=2 ** (tries - 1)), LONGEST_PAUSE)
            queued.update(due_at=timezone.now() + pause)
        else:
            queued.delete()
        return False
    queued.delete()
    return True


def digest_of(found: Sequence[Mail]) -> Mail:
    """Return one mail that lists others by subject and preview line."""
    count = ngettext("%(n)d thing happened", "%(n)d things happened", len(found))
    return Mail(
        subject=count % {"n": len(found)},
        preview=text.join_some([mail.subject for mail in found]),
        title=count % {"n": len(found)},
        text=_("Since the last of these daily mails:"),
        facts=[Fact("", mail.subject, mail.preview) for mail in found],
        notes=sorted({mail.notes[-1] for mail in found}),
    )


# --- One mail -------------------------------------------------------------------------------------


def in_utc(value: datetime) -> str:
    """Return `18/05/2021 04:28 UTC`: a mail may have readers in several time zones."""
    with timezone.override(UTC):
        return f"{text.day_and_time(value)} UTC"


# What programs that show mails make a link of: an address of the web, or the name of a server. The
# addresses of people stay as they are, so that they can be copied.
LINKED = re.compile(
    r"[a-z][a-z0-9+.-]*://\S*|(?<![\w@.-])(?:[\w-]+\.)+[a-z]{2,}(?![\w.-]*@)\S*", re.IGNORECASE
)
# Invisible, and not a part of any address.
WORD_JOINER = "\u2060"


def without_links(words: str) -> str:
    """Return words that people chose, such as names, so that no mail program makes them a link.

    Keys that somebody pasted there are masked.
    """
    words = logs.mask(words)
    return LINKED.sub(lambda found: re.sub(r"[.:/]", rf"\g<0>{WORD_JOINER}", found[0]), words)


def unlinked(mail: Mail) -> Mail:
    """Return the mail without links in any of its words; its own link stays."""

    def clean(part: Any) -> Any:
        if isinstance(part, str):
            return without_links(part)
        if isinstance(part, Fact | Step):
            return type(part)(*map(without_links, astuple(part)))
        return [clean(each) for each in part]

    parts = {each.name: getattr(mail, each.name) for each in fields(mail)}
    return Mail(**{name: part if name == "link" else clean(part) for name, part in parts.items()})


def deliver(mail: Mail, address: str) -> None:
    """Send a mail now. Raise OSError if the mail server does not take it."""
    mail = unlinked(mail)
    message = EmailMultiAlternatives(
        mail.subject, as_text(mail), None, [address], headers={"Auto-Submitted": "auto-generated"}
    )
    context = {"mail": mail, "brand": settings.BRAND, "small_print": small_print(mail)}
    message.attach_alternative(render_to_string("mail/mail.html", context), "text/html")
    message.send()


def small_print(mail: Mail) -> list[str]:
    """Return the notes of a mail, with the one that every mail has."""
    if mail.link:
        own = _("The portal never asks for a key or a password by mail.")
    else:
        own = _(
            "This mail has no links on purpose. Open the portal as you always do. It never asks "
            "for a key or a password by mail."
        )
    return [*mail.notes, own]


def as_text(mail: Mail) -> str:
    """Return the words of a mail as plain text."""
    width = max((len(fact.name) for fact in mail.facts), default=0) + 3
    facts = "\n".join(
        line
        for fact in mail.facts
        for line in (
            wrapped(fact.value, f"{fact.name}:".ljust(width) if fact.name else "", width),
            wrapped(fact.more, " " * width, width),
        )
        if line.strip()
    )
    steps = [wrapped(f"{step.lead} {step.text}") for step in mail.steps]
    parts = [
        settings.BRAND,
        "\n".join(filter(None, (mail.state, wrapped(mail.title)))),
        wrapped(mail.text),
        mail.link,
        facts,
        *([_("What you can do"), *steps] if steps else []),
        "-- ",
        *map(wrapped, small_print(mail)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def wrapped(words: str, first: str = "", indent: int = 0) -> str:
    return textwrap.fill(
        words,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
