"""The private calendar feed: its page, and the feed itself (RFC 5545)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import sudo
from accounts.decorators import for_members
from accounts.http import PersonRequest
from accounts.models import Account, Membership
from portal import text
from portal.http import posts_from
from portal.notices import inform, succeed
from tokens.models import CalendarFeed, Token, TokenKey

# How long what has ended stays in the feed.
PAST = timedelta(days=30)
# A line has at most 75 octets; the rest continues in lines that begin with a blank.
LINE = 75


# --- Its page -------------------------------------------------------------------------------------


@require_safe
@for_members
def calendar(request: PersonRequest) -> HttpResponse:
    """Say whether the person has a feed of the account, and offer to make or withdraw one."""
    return show(request)


@posts_from("tokens:calendar")
@for_members
def renew(request: PersonRequest) -> HttpResponse:
    """Make a new address, after the password, and show it this once."""
    back = reverse("tokens:calendar")
    if asked := sudo.ask(request, _("To make an address for calendars"), _("Make Address")):
        return sudo.page(request, asked, back=back)
    secret = CalendarFeed.renew(request.membership)
    address = request.build_absolute_uri(reverse("tokens:feed", args=(secret,)))
    return show(request, address=address)


@posts_from("tokens:calendar")
@for_members
def withdraw(request: PersonRequest) -> HttpResponse:
    if CalendarFeed.objects.filter(membership=request.membership).delete()[0]:
        succeed(request, _("The address is withdrawn."), _("Calendars can no longer read it."))
    else:
        inform(request, _("Nothing was changed."), _("There was no address to withdraw."))
    return redirect("tokens:calendar")


def show(request: PersonRequest, address: str = "") -> HttpResponse:
    feed = CalendarFeed.objects.filter(membership=request.membership).first()
    response = render(request, "tokens/calendar.html", {"feed": feed, "address": address})
    if address:
        response["Cache-Control"] = "no-store"
    return response


# --- The feed -------------------------------------------------------------------------------------


@login_not_required
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    membership = CalendarFeed.at(secret)
    if membership is None:
        raise Http404
    body = "".join(f"{folded(line)}\r\n" for line in lines(membership, request.get_host()))
    return HttpResponse(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": 'inline; filename="tokens.ics"',
        },
    )


def lines(membership: Membership, host: str) -> Iterator[str]:
    account, since = membership.account, timezone.now() - PAST
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:-//{escaped(settings.BRAND)}//Tokens//EN"
    yield "CALSCALE:GREGORIAN"
    yield f"X-WR-CALNAME:{escaped(_('Tokens of %(account)s') % {'account': account.name})}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT6H"
    yield "X-PUBLISHED-TTL:PT6H"
    tokens = Token.objects.visible_to(membership).live()
    for token in tokens.filter(expires_at__gte=since).order_by("expires_at", "pk"):
        title = _("%(name)s expires") % {"name": token.name}
        yield from event(f"expires-{token.pk}", host, token.expires_at, title, token, account)
    retiring = TokenKey.objects.filter(token__in=tokens, retires_at__gte=since)
    for key in retiring.select_related("token").order_by("retires_at", "pk"):
        title = (
            _("Key of the old handle of %(name)s stops")
            if key.has_handle
            else _("Old key of %(name)s stops")
        ) % {"name": key.token.name}
        uid = f"retires-{key.token_id}-{key.version}"
        yield from event(uid, host, key.retires_at, title, key.token, account)
    yield "END:VCALENDAR"


def event(
    uid: str, host: str, at: datetime | None, title: str, token: Token, account: Account
) -> Iterator[str]:
    """Yield the lines of an event at a moment."""
    if at is None:
        return
    about = _("Token %(id)s of %(account)s. In the portal open Tokens, %(name)s.") % {
        "id": token.pk,
        "account": account.name,
        "name": token.name,
    }
    yield "BEGIN:VEVENT"
    yield f"UID:{uid}@{host.partition(':')[0]}"
    yield f"DTSTAMP:{stamp(timezone.now())}"
    yield f"DTSTART:{stamp(at)}"
    yield f"SUMMARY:{escaped(title)}"
    yield f"DESCRIPTION:{escaped(about)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def stamp(moment: datetime) -> str:
    """Return `20261202T000000Z`."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(value: str) -> str:
    """Return a text as the value of a property."""
    for special in "\\;,":
        value = value.replace(special, f"\\{special}")
    return text.LINE_ENDS.sub("\n", value).replace("\n", "\\n")


def folded(line: str) -> str:
    """Return a line with its continuations; no character is cut in two."""
    parts: list[bytes] = []
    current = b""
    for letter in line:
        octets = letter.encode()
        if len(current) + len(octets) > LINE - bool(parts):
            parts.append(current)
            current = b""
        current += octets
    return "\r\n ".join(part.decode() for part in (*parts, current))
