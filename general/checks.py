"""The self-test: each check looks at one thing and returns what it saw, a verdict and the fix.

What a check says never contains a secret, the value of a header or an address of another machine.
"""

import ipaddress
import shutil
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from django.conf import settings
from django.core.mail import get_connection
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.http import PersonRequest
from accounts.models import QueuedMail
from portal import readiness, text
from portal.http import client_address, forwarded
from webhooks.models import Delivery, DeliveryWorker, Webhook


class Verdict(IntEnum):
    """How bad it is; `icon` and `label` show it."""

    WORKS = 0
    LOOK = 1
    BROKEN = 2

    @property
    def icon(self) -> str:
        return ("check", "warning", "error")[self]

    @property
    def label(self) -> str:
        return str((_("Works"), _("Look at this"), _("Broken"))[self])


class Finding(NamedTuple):
    """What a check saw, and the one sentence that says how to mend it."""

    name: str | Promise
    verdict: Verdict
    seen: str
    fix: str = ""


# Beyond these, keys end noticeably too early or too late.
SKEWED, FAR_OFF = timedelta(seconds=1), timedelta(seconds=10)
# A delivery that has been due for longer should have been sent.
LATE = timedelta(minutes=1)
# Space on the disk: less than the first is worth a look, less than the second is too little.
ROOM, LITTLE_ROOM = 1024**3, 100 * 1024**2
# Seconds that a server of mail or a broker has to answer; a person waits for it.
PATIENCE = 3

# Addresses of networks that the Internet does not reach (RFC 1918, 3927, 4193, 4291, 6598).
PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"),
    )
)

HTTPS = gettext_lazy("HTTPS")
ADDRESS = gettext_lazy("Client address")
PROXIES = gettext_lazy("Proxies")
CLOCK = gettext_lazy("Clock")
WORKER = gettext_lazy("Worker")
MAIL = gettext_lazy("Mail")
BROKER = gettext_lazy("Broker")
RINGS = gettext_lazy("Key rings")
MIGRATIONS = gettext_lazy("Migrations")
STATIC = gettext_lazy("Static files")
DISK = gettext_lazy("Disk")


# --- How this request came ------------------------------------------------------------------------


def https(request: HttpRequest) -> Finding:
    if request.is_secure():
        return Finding(HTTPS, Verdict.WORKS, _("This page and the endpoint came encrypted."))
    if is_loopback(client_address(request)) and not hops(request):
        seen = _("You are on the machine of the portal, so nobody else can read along.")
        return Finding(HTTPS, Verdict.WORKS, seen)
    fix = _("Put TLS in front of the portal and set HTTPS=on.")
    return Finding(HTTPS, Verdict.BROKEN, _("Keys travel in clear."), fix)


def address(request: HttpRequest) -> Finding:
    """Check that the portal knows where a request comes from, as IP rules and the trail need it."""
    seen = client_address(request)
    if seen is None:
        fix = _("Let the outermost proxy write the address of the client into X-Forwarded-For.")
        words = _("The portal does not know your address. IP rules refuse such callers.")
        return Finding(ADDRESS, Verdict.BROKEN, words, fix)
    words = _("The portal sees you at %(address)s.") % {"address": seen}
    if is_loopback(seen) and not hops(request):
        return Finding(ADDRESS, Verdict.WORKS, words)
    if any(ipaddress.ip_address(seen) in network for network in PRIVATE):
        fix = _("Set TRUSTED_PROXIES=%(n)s if that is the address of a proxy of yours.")
        doubt = _("It is private. If you are elsewhere, IP rules and the trail name a proxy.")
        return Finding(
            ADDRESS, Verdict.LOOK, f"{words} {doubt}", fix % {"n": max(hops(request), 1)}
        )
    return Finding(ADDRESS, Verdict.WORKS, words)


def proxies(request: HttpRequest) -> Finding:
    """Compare the entries of X-Forwarded-For with the number of proxies that are trusted."""
    trusted, seen = settings.TRUSTED_PROXIES, hops(request)
    words = _("Entries of X-Forwarded-For: %(seen)s. TRUSTED_PROXIES: %(trusted)s.") % {
        "seen": seen,
        "trusted": trusted,
    }
    if seen == trusted:
        return Finding(PROXIES, Verdict.WORKS, words)
    verdict = Verdict.BROKEN
    if seen < trusted:
        fix = _("Let each proxy add its entry, or set TRUSTED_PROXIES=%(n)s.")
    elif trusted:
        # Clients can write entries of their own, so there may be nothing to mend.
        verdict = Verdict.LOOK
        fix = _("If your own proxies write all of them, set TRUSTED_PROXIES=%(n)s.")
    else:
        fix = _("Set TRUSTED_PROXIES=%(n)s and restart, else the proxy counts as every caller.")
    return Finding(PROXIES, verdict, words, fix % {"n": seen})


def hops(request: HttpRequest) -> int:
    return len(forwarded(request.META, "X_FORWARDED_FOR", "for"))


def is_loopback(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).is_loopback


# --- What runs beside -----------------------------------------------------------------------------


def clock(request: HttpRequest) -> Finding:
    """Compare the clock of this process with that of the database."""
    before = timezone.now()
    theirs = database_now()
    after = timezone.now()
    # How far it is outside of the time that the question took.
    apart = max(theirs - after, before - theirs, timedelta())
    if apart < SKEWED:
        return Finding(CLOCK, Verdict.WORKS, _("The clocks of web and database agree."))
    words = _("The clocks of web and database differ by %(time)s: keys end too early or too late.")
    verdict = Verdict.BROKEN if apart >= FAR_OFF else Verdict.LOOK
    fix = _("Switch on time synchronisation on both machines.")
    return Finding(CLOCK, verdict, words % {"time": text.duration(apart, 1)}, fix)


def database_now() -> datetime:
    sql = {
        "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
        "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (seconds,) = cursor.fetchone()
    return datetime.fromtimestamp(float(seconds), tz=timezone.get_default_timezone())


def worker(request: PersonRequest) -> Finding:
    """Check that somebody delivers webhooks, and that nothing of the account waits for long."""
    # Those who run the portal may have no account; they are told of all.
    mine = (
        Webhook.objects.visible_to(request.membership)
        if request.membership
        else Webhook.objects.all()
    )
    late = (
        Delivery.objects.unfinished()
        .filter(
            webhook__in=mine.in_state(Webhook.State.ACTIVE),
            claimed_by="",
            failures=0,
            due_at__lt=timezone.now() - LATE,
        )
        .count()
    )
    waiting = ngettext("%(n)s delivery waits.", "%(n)s deliveries wait.", late) % {"n": f"{late:,}"}
    last = DeliveryWorker.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    words = (
        _("Last seen: %(ago)s.") % {"ago": text.ago(last)}
        if last
        else _("No worker was ever seen.")
    )
    words = f"{words} {waiting}" if late else words
    if not DeliveryWorker.is_running():
        fix = _("Start “manage.py deliver”, or remove DELIVER=off.")
        if settings.BROKER_URL:
            fix = _("Start the workers of Celery.")
        return Finding(WORKER, Verdict.BROKEN, words, fix)
    if late:
        fix = _("Look at the endpoints of the webhooks that fail, or start more workers.")
        return Finding(WORKER, Verdict.LOOK, words, fix)
    return Finding(WORKER, Verdict.WORKS, words)


def mail(request: HttpRequest) -> Finding:
    """Check that the mail server takes calls; no mail is sent."""
    check = _("Check EMAIL_URL, then send yourself a test mail.")
    if not settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        words = _("Mails are not sent but written to the log of the server.")
        return Finding(MAIL, Verdict.LOOK, words, _("Set EMAIL_URL to that of your mail server."))
    try:
        with get_connection(timeout=PATIENCE):
            pass
    except smtplib.SMTPAuthenticationError:
        words = _("The mail server refuses the user name or the password.")
        return Finding(MAIL, Verdict.BROKEN, words, check)
    except (OSError, ValueError):
        return Finding(MAIL, Verdict.BROKEN, _("The mail server does not answer."), check)
    stuck = QueuedMail.objects.filter(tries__gt=0).count()
    if stuck:
        words = ngettext(
            "The mail server answers, but %(n)s mail waits for another try.",
            "The mail server answers, but %(n)s mails wait for another try.",
            stuck,
        ) % {"n": f"{stuck:,}"}
        return Finding(MAIL, Verdict.LOOK, words, _("Look for the reason in the log."))
    return Finding(MAIL, Verdict.WORKS, _("The mail server answers, and no mail waits."))


# --- The machine ----------------------------------------------------------------------------------


def broker(request: HttpRequest) -> Finding:
    if not settings.BROKER_URL:
        return Finding(BROKER, Verdict.WORKS, _("None is set, and none is needed."))
    # Celery is not installed everywhere.
    from kombu import Connection

    try:
        with Connection(settings.BROKER_URL, connect_timeout=PATIENCE) as link:
            link.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE)
    except Exception:
        # Each kind of broker has errors of its own.
        words = _("The broker does not answer. Deliveries begin up to a few seconds later.")
        return Finding(BROKER, Verdict.BROKEN, words, _("Check BROKER_URL, and that it runs."))
    return Finding(BROKER, Verdict.WORKS, _("The broker answers."))


def rings(request: HttpRequest) -> Finding:
    """Check that the peppers and sealing keys that stored keys need are there."""
    found = readiness.database_problems()
    if found:
        fix = _("Restore TOKEN_PEPPERS and TOKEN_SEALING_KEYS from your copy.")
        return Finding(RINGS, Verdict.BROKEN, " ".join(found), fix)
    return Finding(RINGS, Verdict.WORKS, _("Every stored key can be checked and opened."))


def migrations(request: HttpRequest) -> Finding:
    if readiness.migration_problems():
        words = _("The database is older than the program.")
        return Finding(MIGRATIONS, Verdict.BROKEN, words, _("Run “manage.py migrate”."))
    return Finding(MIGRATIONS, Verdict.WORKS, _("All are applied."))


def static_files(request: HttpRequest) -> Finding:
    if readiness.static_problems():
        words = _("Some are not collected, or are out of date.")
        return Finding(STATIC, Verdict.BROKEN, words, _("Run “manage.py collectstatic”."))
    return Finding(STATIC, Verdict.WORKS, _("All are collected and up to date."))


def disk(request: HttpRequest) -> Finding:
    """Check the room where the portal keeps its files, and its database if that is SQLite."""
    free = shutil.disk_usage(settings.VAR).free
    words = _("%(free)s MB are free where the portal keeps its files.")
    words %= {"free": f"{free // 1024**2:,}"}
    if free >= ROOM:
        return Finding(DISK, Verdict.WORKS, words)
    verdict = Verdict.LOOK if free >= LITTLE_ROOM else Verdict.BROKEN
    return Finding(DISK, verdict, words, _("Make room on that disk."))


# --- Who sees which -------------------------------------------------------------------------------

Check = Callable[[PersonRequest], Finding]
FOR_MEMBERS: tuple[Check, ...] = (https, address)
FOR_ADMINISTRATORS: tuple[Check, ...] = (proxies, clock, worker, mail)
# Only those who run the portal learn about its machine.
FOR_STAFF: tuple[Check, ...] = (broker, rings, migrations, static_files, disk)


def findings(request: PersonRequest) -> list[Finding]:
    """Return what concerns the person, as it is now."""
    checks = [
        *FOR_MEMBERS,
        *(FOR_ADMINISTRATORS if request.user.is_staff or request.membership.is_admin else ()),
        *(FOR_STAFF if request.user.is_staff else ()),
    ]
    return [check(request) for check in checks]
