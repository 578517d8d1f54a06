"""The self-test: each check is broken once and names its fix, and nobody sees too much."""

import shutil
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import QueuedMail, User
from general import checks
from general.checks import Finding, Verdict
from general.selftest import PROBE
from tests.conftest import Clock, Person
from tests.factories import TokenFactory
from tests.webhooks.factories import make_delivery, make_webhook
from tokens.models import RingSecret, TokenKey
from webhooks.models import DeliveryWorker

SELF_TEST = "/integrations/self-test/"
HEADER = "/integrations/self-test/header/"
MEMBERS = ["HTTPS", "Client address"]
ADMINISTRATORS = [*MEMBERS, "Proxies", "Clock", "Worker", "Mail"]
STAFF = [*ADMINISTRATORS, "Broker", "Key rings", "Migrations", "Static files", "Disk"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(michael: Person) -> Person:
    """Return an administrator of an account who runs the portal as well."""
    michael.user.is_staff = True
    michael.user.save()
    return michael


def shown(person: Person, **headers: str) -> dict[str, Finding]:
    """Return what the page shows a person, by name."""
    response = person.client.get(SELF_TEST, **headers)  # type: ignore[arg-type]
    assert response.status_code == 200
    return {str(finding.name): finding for finding in response.context["findings"]}


def check_page(person: Person, finding: Finding) -> None:
    page = person.client.get(SELF_TEST).text
    assert finding.fix.split("“")[0] in page


# --- Who sees what --------------------------------------------------------------------------------


def test_each_sees_what_concerns_them(michael: Person, adrian: Person, stranger: Person) -> None:
    assert [*shown(adrian)] == MEMBERS
    assert [*shown(michael)] == [*shown(stranger)] == ADMINISTRATORS
    michael.user.is_staff = True
    michael.user.save()
    assert [*shown(michael)] == STAFF


def test_nothing_secret_is_shown(staff: Person, settings: Settings, account: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closed_port()
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "mailer", "mail-secret"
    settings.BROKER_URL = f"redis://worker:broker-secret@127.0.0.1:{closed_port()}/0"
    page = staff.client.get(SELF_TEST).text
    secrets = ("mailer", "mail-secret", "broker-secret", "worker:", settings.SECRET_KEY)
    for secret in (*secrets, str(settings.VAR), *settings.TOKEN_PEPPERS.values()):
        assert str(secret) not in page


def test_the_waiting_deliveries_of_others_are_not_counted(
    michael: Person, stranger: Person
) -> None:
    DeliveryWorker.beat("a worker")
    late(stranger)
    assert shown(michael)["Worker"].verdict is Verdict.WORKS
    assert shown(stranger)["Worker"].verdict is Verdict.LOOK


def late(person: Person) -> None:
    make_delivery(make_webhook(person.account), due_at=timezone.now() - timedelta(minutes=5))


# --- The header -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        (PROBE, "intact"),
        ("", "missing"),
        (PROBE[:-1], "changed"),
        (f"{PROBE}, {PROBE}", "changed"),
        ("Basic bWU6c2VjcmV0", "changed"),
    ],
)
def test_it_says_whether_the_header_arrived_and_never_what(
    client: Client, sent: str, arrived: str
) -> None:
    response = client.get(HEADER, headers={"authorization": sent} if sent else {})
    assert response.json() == {"authorization": arrived}
    assert response["Cache-Control"] == "no-store"


def test_the_probe_opens_nothing(client: Client) -> None:
    response = client.get("/public/v1/accounts", headers={"authorization": PROBE})
    assert response.status_code == 401


# --- How the request came -------------------------------------------------------------------------


def test_without_encryption_it_asks_for_tls(michael: Person) -> None:
    found = shown(michael, REMOTE_ADDR="203.0.113.7", **{"wsgi.url_scheme": "http"})["HTTPS"]
    assert (found.verdict, found.fix) == (
        Verdict.BROKEN,
        "Put TLS in front of the portal and set HTTPS=on.",
    )


def test_encrypted_it_works(michael: Person) -> None:
    found = shown(michael, **{"wsgi.url_scheme": "https"})["HTTPS"]
    assert found.verdict is Verdict.WORKS


@pytest.mark.parametrize(
    ("address", "forwarded", "trusted", "verdict", "fix"),
    [
        ("203.0.113.7", "", 0, Verdict.WORKS, ""),
        ("127.0.0.1", "", 0, Verdict.WORKS, ""),
        ("2001:db8::7", "203.0.113.7", 1, Verdict.WORKS, ""),
        ("10.0.0.2", "203.0.113.7", 0, Verdict.LOOK, "TRUSTED_PROXIES=1"),
        ("10.0.0.2", "203.0.113.7, 10.0.0.3", 0, Verdict.LOOK, "TRUSTED_PROXIES=2"),
        ("192.168.1.5", "", 0, Verdict.LOOK, "TRUSTED_PROXIES=1"),
        ("10.0.0.2", "unknown", 1, Verdict.BROKEN, "X-Forwarded-For"),
    ],
)
def test_an_address_that_is_a_proxy_is_noticed(
    michael: Person,
    settings: Settings,
    address: str,
    forwarded: str,
    trusted: int,
    verdict: Verdict,
    fix: str,
) -> None:
    settings.TRUSTED_PROXIES = trusted
    extra = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    found = shown(michael, REMOTE_ADDR=address, **extra)["Client address"]
    assert (found.verdict, fix in found.fix) == (verdict, True)


@pytest.mark.parametrize(
    ("forwarded", "trusted", "verdict", "fix"),
    [
        ("", 0, Verdict.WORKS, ""),
        ("203.0.113.7", 1, Verdict.WORKS, ""),
        ("203.0.113.7, 10.0.0.3", 0, Verdict.BROKEN, "Set TRUSTED_PROXIES=2 and restart"),
        ("", 1, Verdict.BROKEN, "set TRUSTED_PROXIES=0"),
        ("203.0.113.7", 2, Verdict.BROKEN, "set TRUSTED_PROXIES=1"),
        ("1.2.3.4, 203.0.113.7", 1, Verdict.LOOK, "set TRUSTED_PROXIES=2"),
    ],
)
def test_the_proxies_are_counted(
    michael: Person,
    settings: Settings,
    forwarded: str,
    trusted: int,
    verdict: Verdict,
    fix: str,
) -> None:
    settings.TRUSTED_PROXIES = trusted
    extra = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    found = shown(michael, **extra)["Proxies"]
    assert (found.verdict, fix in found.fix) == (verdict, True)


# --- What runs beside -----------------------------------------------------------------------------


def test_clocks_that_agree_are_fine(michael: Person) -> None:
    assert shown(michael)["Clock"].verdict is Verdict.WORKS


@pytest.mark.parametrize(("seconds", "verdict"), [(7, Verdict.LOOK), (42, Verdict.BROKEN)])
def test_clocks_that_differ_are_noticed(
    michael: Person, clock: Clock, seconds: int, verdict: Verdict
) -> None:
    clock.now = checks.database_now() + timedelta(seconds=seconds)
    found = checks.clock(SimpleNamespace())  # type: ignore[arg-type]
    assert (found.verdict, "time synchronisation" in found.fix) == (verdict, True)


def test_a_worker_that_is_gone_is_noticed(michael: Person, settings: Settings) -> None:
    found = shown(michael)["Worker"]
    assert (found.verdict, "manage.py deliver" in found.fix) == (Verdict.BROKEN, True)
    check_page(michael, found)
    DeliveryWorker.beat("a worker")
    assert shown(michael)["Worker"].verdict is Verdict.WORKS
    late(michael)
    found = shown(michael)["Worker"]
    assert (found.verdict, "1 delivery waits." in found.seen) == (Verdict.LOOK, True)
    DeliveryWorker.objects.update(seen_at=timezone.now() - timedelta(minutes=20))
    settings.BROKER_URL = "redis://127.0.0.1/0"
    found = shown(michael)["Worker"]
    assert (found.verdict, "Celery" in found.fix) == (Verdict.BROKEN, True)
    assert "20 minutes ago" in found.seen


def closed_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[list[bytes]]:
    """Serve just enough of SMTP; the list holds the answer to the sign-in."""
    answer = [b"235 yes"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "mailer", "mail-secret"
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    def talk(server: socket.socket) -> None:
        while True:
            try:
                link, _address = server.accept()
            except OSError:
                return
            with link, link.makefile("rb") as lines:
                link.sendall(b"220 hello\r\n")
                for line in lines:
                    word = line[:4].upper()
                    reply = {b"EHLO": b"250-me\r\n250 AUTH PLAIN", b"AUTH": answer[0]}
                    link.sendall(reply.get(word, b"221 bye") + b"\r\n")
                    if word == b"QUIT":
                        break

    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        threading.Thread(target=talk, args=(server,), daemon=True).start()
        yield answer
        server.shutdown(socket.SHUT_RDWR)


def test_mails_that_cannot_be_sent_are_noticed(
    michael: Person, settings: Settings, mail_server: list[bytes]
) -> None:
    assert shown(michael)["Mail"].verdict is Verdict.WORKS
    QueuedMail.objects.create(
        user=michael.user, address="a@b.example", content={}, due_at=timezone.now(), tries=2
    )
    found = shown(michael)["Mail"]
    assert (found.verdict, "1 mail waits" in found.seen) == (Verdict.LOOK, True)
    mail_server[0] = b"535 no"
    found = shown(michael)["Mail"]
    assert (found.verdict, "password" in found.seen) == (Verdict.BROKEN, True)
    settings.EMAIL_PORT = closed_port()
    found = shown(michael)["Mail"]
    assert (found.verdict, "EMAIL_URL" in found.fix) == (Verdict.BROKEN, True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    found = shown(michael)["Mail"]
    assert (found.verdict, "EMAIL_URL" in found.fix) == (Verdict.LOOK, True)


def test_a_test_mail_goes_to_oneself_and_few_times(michael: Person) -> None:
    url, back = reverse("accounts:test_mail"), {"next": SELF_TEST}
    answers = [michael.client.post(url, back) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert {answer["Location"] for answer in answers[:5]} == {SELF_TEST}
    assert [each.to for each in mail.outbox] == [[michael.user.email]] * 5
    elsewhere = {"next": "https://elsewhere.example/"}
    assert "elsewhere" not in michael.client.post(url, elsewhere).headers.get("Location", "")


# --- The machine ----------------------------------------------------------------------------------


def test_a_broker_that_is_away_is_noticed(staff: Person, settings: Settings) -> None:
    assert shown(staff)["Broker"].verdict is Verdict.WORKS
    settings.BROKER_URL = f"amqp://127.0.0.1:{closed_port()}//"
    found = shown(staff)["Broker"]
    assert (found.verdict, "BROKER_URL" in found.fix) == (Verdict.BROKEN, True)
    # Kombu's own broker, in the memory of the process.
    settings.BROKER_URL = "memory://"
    assert shown(staff)["Broker"].verdict is Verdict.WORKS


def test_a_lost_pepper_is_noticed(staff: Person, settings: Settings) -> None:
    TokenFactory(account=staff.account)
    assert shown(staff)["Key rings"].verdict is Verdict.WORKS
    assert RingSecret.objects.exists()
    assert TokenKey.objects.exists()
    settings.TOKEN_PEPPERS = {9: b"another" * 8}
    found = shown(staff)["Key rings"]
    assert (found.verdict, "TOKEN_PEPPERS" in found.fix) == (Verdict.BROKEN, True)


def test_an_open_migration_is_noticed(staff: Person) -> None:
    assert shown(staff)["Migrations"].verdict is Verdict.WORKS
    applied = MigrationRecorder.Migration.objects.filter(app="webhooks")  # type: ignore[misc]
    applied.latest("id").delete()
    found = shown(staff)["Migrations"]
    assert (found.verdict, "manage.py migrate" in found.fix) == (Verdict.BROKEN, True)


def test_static_files_that_are_not_collected_are_noticed(
    staff: Person, settings: Settings, tmp_path: Path
) -> None:
    assert shown(staff)["Static files"].verdict is Verdict.WORKS
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "portal.assets.HashedFiles"},
    }
    settings.STATIC_ROOT = tmp_path
    found = shown(staff)["Static files"]
    assert (found.verdict, "collectstatic" in found.fix) == (Verdict.BROKEN, True)


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(10 * 1024**3, Verdict.WORKS), (500 * 1024**2, Verdict.LOOK), (1024, Verdict.BROKEN)],
)
def test_a_full_disk_is_noticed(
    staff: Person, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    found = shown(staff)["Disk"]
    assert (found.verdict, "Make room" in found.fix) == (verdict, verdict is not Verdict.WORKS)


def test_a_mail_server_that_hangs_holds_nobody_up_for_long(
    michael: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 0.2)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        assert shown(michael)["Mail"].verdict is Verdict.BROKEN
    assert issubclass(smtplib.SMTPException, OSError)


@pytest.fixture
def staff_alone() -> Client:
    """Return the client of somebody who runs the portal and has no account."""
    client = Client()
    client.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return client


def test_staff_without_an_account_see_all_checks(staff_alone: Client, stranger: Person) -> None:
    late(stranger)
    answer = staff_alone.get(SELF_TEST)
    assert answer.status_code == 200
    found = {str(finding.name): finding for finding in answer.context["findings"]}
    assert {"HTTPS", "Worker", "Disk"} <= {*found}
    # The deliveries of all accounts are theirs to look after.
    assert found["Worker"].verdict is not Verdict.WORKS
    assert "1 delivery waits." in found["Worker"].seen
    assert SELF_TEST in staff_alone.get("/admin/").text


def test_somebody_without_an_account_who_is_no_staff_sees_none(client: Client) -> None:
    nobody = User.objects.create_user("nobody@example.com", name="Nobody")
    client.force_login(nobody, backend="accounts.backends.EmailBackend")
    answer = client.get(SELF_TEST)
    assert answer.status_code == 403
    assert "Disk" not in answer.text
