"""The tokens of the demo."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, User
from activity.recording import happened
from demo.companies import FRONT_STREET, MICK, SOUTHPAW
from demo.records.base import day, sample_id, seeded
from tokens import handles, reminders
from tokens.catalog import Module
from tokens.models import CallsOfDay, Extension, KeyUse, Policy, Token, TokenError, TokenUsage


@dataclass(frozen=True)
class Sample:
    """A token of the demo. `used` and `expires` are relative to the first run."""

    account: str
    id: str
    name: str
    extension: str
    created: datetime
    creator: int = 0
    modules: tuple[Module, ...] = ()
    external_id: str = ""
    description: str = ""
    used: timedelta | None = None
    expires: timedelta | None = None
    status: Token.Status = Token.Status.ACTIVE


ACTIVE, INACTIVE, DELETED = Token.Status.ACTIVE, Token.Status.INACTIVE, Token.Status.DELETED
# Two tokens of MORE that show what few have.
SHOWN_ONCE, PURGED = "Deployment Checks", "Intern Project"
CUSTOM, ZAPIER, FLOWGEAR, REPORTS = Extension.CUSTOM, "EXT-651-883", "EXT-310-442", "EXT-386-120"
M = Module

SAMPLES = (
    # The two tokens of the article.
    Sample(
        MICK,
        "SU-431-800-699",
        "Tutorial API Token",
        CUSTOM,
        day(2021, 5, 18, 4, 28),
        modules=(M.ALL,),
        description="The token of the tutorial.",
        used=timedelta(minutes=3),
    ),
    Sample(
        FRONT_STREET,
        "SU-324-395-019",
        "Tutorial Token",
        CUSTOM,
        day(2021, 11, 16, 10, 15),
        modules=(M.ALL,),
        description="The following represents a tutorial API token.",
        used=timedelta(minutes=3),
    ),
)

# The token by which the maker of Zapier's extension exchanges handles, and one that it did for.
EXCHANGES, ORDERS = "SU-318-774-883", "New Orders to Chat"
PARTNER = Sample(
    SOUTHPAW,
    EXCHANGES,
    "Zapier Exchange",
    CUSTOM,
    day(2021, 2, 1, 8, 30),
    modules=(M.INTEGRATIONS,),
    description="Exchanges the handles that people paste in Zapier for their keys.",
    used=timedelta(hours=2),
)

# Days on which calls were refused, today included.
REFUSED = 5

# The token that has two keys: ERP Agreements Sync of Mighty Mick's.
RENEWED = "SU-160-984-311"

MORE: tuple[tuple[Any, ...], ...] = (
    # name, extension, modules, external id, last used, expires, status
    (
        "ERP Agreements Sync",
        CUSTOM,
        (M.AGREEMENTS, M.CUSTOMERS, M.HELPDESK),
        "erp-7",
        timedelta(minutes=11),
        None,
        ACTIVE,
    ),
    ("New Orders to Chat", ZAPIER, (), "", timedelta(hours=2), None, ACTIVE),
    ("Monthly Usage Report", REPORTS, (), "fin-12", timedelta(days=1), None, ACTIVE),
    ("NetSuite Bridge", FLOWGEAR, (), "ns-prod", timedelta(minutes=5), None, ACTIVE),
    (
        "Price List Export",
        CUSTOM,
        (M.PRICING, M.PRODUCTS),
        "",
        timedelta(hours=6),
        timedelta(days=11),
        ACTIVE,
    ),
    ("Helpdesk Mirror", CUSTOM, (M.HELPDESK,), "desk-2", timedelta(weeks=3), None, INACTIVE),
    ("Partner Onboarding, Staging", ZAPIER, (), "", None, None, ACTIVE),
    ("QA Sandbox", CUSTOM, (M.ALL,), "qa", timedelta(days=120), timedelta(days=-90), ACTIVE),
    ("Quarterly Revenue Report", REPORTS, (), "", timedelta(days=61), None, ACTIVE),
    (
        "Contract Archive",
        CUSTOM,
        (M.CONTRACTS, M.AGREEMENTS),
        "arc-1",
        timedelta(hours=1),
        None,
        ACTIVE,
    ),
    (
        "Agreements Dashboard",
        CUSTOM,
        (M.AGREEMENTS,),
        "bi-agr",
        timedelta(minutes=26),
        None,
        ACTIVE,
    ),
    ("Legal Review Feed", CUSTOM, (M.AGREEMENTS, M.CONTRACTS), "", timedelta(days=1), None, ACTIVE),
    (
        "Catalog Mirror",
        CUSTOM,
        (M.PRODUCTS, M.LISTINGS, M.PRICING),
        "cat-eu",
        timedelta(hours=3),
        None,
        ACTIVE,
    ),
    ("Old Billing Bridge", FLOWGEAR, (), "bill-1", timedelta(days=400), None, DELETED),
    ("Support Chat Bot", ZAPIER, (), "bot", timedelta(minutes=48), None, ACTIVE),
    (
        "Subscription Watch",
        CUSTOM,
        (M.SUBSCRIPTIONS, M.TIER_CONFIG),
        "",
        timedelta(days=2),
        timedelta(days=24),
        ACTIVE,
    ),
    (
        "CRM Customers, Production",
        CUSTOM,
        (M.CUSTOMERS, M.PARTNERS),
        "crm-1",
        timedelta(minutes=2),
        None,
        ACTIVE,
    ),
    (
        "CRM Customers, Staging",
        CUSTOM,
        (M.CUSTOMERS,),
        "crm-1-stg",
        timedelta(days=9),
        None,
        INACTIVE,
    ),
    ("Usage Collector", CUSTOM, (M.USAGE,), "use-3", timedelta(hours=12), None, ACTIVE),
    (
        "Marketplace Monitor",
        CUSTOM,
        (M.MARKETPLACES, M.LISTINGS),
        "",
        timedelta(days=16),
        None,
        ACTIVE,
    ),
    ("Board Figures", REPORTS, (), "board", timedelta(days=28), None, ACTIVE),
    ("Warehouse Load", CUSTOM, (M.ALL,), "dwh", timedelta(minutes=31), None, ACTIVE),
    ("Trial of Flowgear", FLOWGEAR, (), "", None, timedelta(days=-30), ACTIVE),
    (
        "Access Review Script",
        CUSTOM,
        (M.ACCOUNT, M.INTEGRATIONS),
        "iam",
        timedelta(days=5),
        None,
        ACTIVE,
    ),
    (
        "Deployment Checks",
        CUSTOM,
        (M.DEVOPS,),
        "ci",
        timedelta(hours=8),
        timedelta(days=200),
        ACTIVE,
    ),
    ("Intern Project", CUSTOM, (M.PRODUCTS,), "", timedelta(days=95), None, DELETED),
    ("Ticket Statistics", REPORTS, (), "", None, None, INACTIVE),
    ("Invoice Matching", FLOWGEAR, (), "inv", timedelta(hours=20), None, ACTIVE),
    (
        "Reseller Portal",
        CUSTOM,
        (M.CUSTOMERS, M.SUBSCRIPTIONS, M.HELPDESK),
        "rp-2",
        timedelta(seconds=40),
        None,
        ACTIVE,
    ),
    (
        "Export for the Auditor",
        CUSTOM,
        (M.CONTRACTS,),
        "aud-2023",
        timedelta(days=300),
        timedelta(days=-200),
        ACTIVE,
    ),
)


def more_samples() -> Iterator[Sample]:
    """Yield about forty more, of every extension, state and age."""
    for number, (name, extension, modules, external_id, used, expires, status) in enumerate(MORE):
        draw = seeded(f"token {number}")
        for account, limit in ((MICK, 30), (FRONT_STREET, 11)):
            if number < limit:
                yield Sample(
                    account,
                    RENEWED if (account, number) == (MICK, 0) else sample_id(draw, "SU", 3, 3, 3),
                    name,
                    extension,
                    day(2021, 5, 14, 9, 12) - timedelta(days=17 * number, minutes=37 * number),
                    creator=number % 3 == 2,
                    modules=modules,
                    external_id=external_id,
                    description=f"{name}: one of the samples of the demo." if number % 2 else "",
                    used=used,
                    expires=expires,
                    status=status,
                )


def issue(sample: Sample, account: Account, extension: Extension, by: User, now: datetime) -> Token:
    """Issue a token as if it had been at the time of the sample."""
    with happened(sample.created):
        token, _key = Token.issue(
            account=account,
            modules=sample.modules or extension.fixed_modules or (),
            by=by,
            id=sample.id,
            name=sample.name,
            extension=extension,
            external_id=sample.external_id,
            description=sample.description,
            expires_at=now + sample.expires if sample.expires else None,
            show_once=sample.name == SHOWN_ONCE,
            created_at=sample.created,
            updated_at=sample.created,
        )
    token.permissions.update(granted_at=sample.created)
    token.keys.update(created_at=sample.created)
    if sample.used:
        used = now - sample.used
        TokenUsage.objects.filter(token=token).update(last_used_at=used)
        calls = 20 + int(sample.id[-3:])
        CallsOfDay.objects.create(token=token, account=account, day=used.date(), answered=calls)
    refuse(sample, token, now)
    return token


def refuse(sample: Sample, token: Token, now: datetime) -> None:
    """Note calls of today and before that were refused: programs went on after the token ended."""
    has_ended = sample.status != Token.Status.ACTIVE or (
        sample.expires is not None and sample.expires < timedelta()
    )
    # A program of a live token asks now and then for a module that was not granted.
    count = 12 + int(sample.id[-2:]) if has_ended else int(sample.id[-1:]) // 4
    for age in range(REFUSED) if count else ():
        CallsOfDay.objects.update_or_create(
            token=token,
            day=(now - timedelta(days=age)).date(),
            defaults={"account": token.account, "refused": count + 2 * age},
        )


def load(accounts: Mapping[str, Account]) -> None:
    """Issue the tokens that are missing."""
    now = timezone.now()
    creators = {
        MICK: (User.objects.get(pk="UR-101-000-001"), User.objects.get(pk="UR-500-000-001")),
        FRONT_STREET: (
            User.objects.get(pk="UR-420-000-001"),
            User.objects.get(pk="UR-500-000-001"),
        ),
        SOUTHPAW: (User.objects.get(pk="UR-318-000-001"),),
    }
    extensions = Extension.objects.in_bulk()
    known = set(Token.objects.values_list("pk", flat=True))
    renewed: list[tuple[Token, User]] = []
    stopped: list[tuple[Sample, Token, User]] = []
    # The trail is written in the order of time.
    for sample in sorted((*SAMPLES, PARTNER, *more_samples()), key=lambda sample: sample.created):
        extension = extensions.get(sample.extension)
        if sample.id in known or extension is None:
            continue
        by = creators[sample.account][sample.creator]
        try:
            token = issue(sample, accounts[sample.account], extension, by, now)
        except TokenError:
            # The person trying the portal took the name, or changed the extension; theirs stays.
            continue
        if sample.status != Token.Status.ACTIVE:
            stopped.append((sample, token, by))
        if sample.id == RENEWED:
            renewed.append((token, by))
    for token, by in renewed:
        renew(token, by, now)
    with happened(now - timedelta(hours=2, minutes=5)):
        exchange(known)
    stop(stopped, now)
    Token.objects.filter(account=MICK, name="Reseller Portal", rate=None).update(
        rate=600, burst=100
    )
    Policy.objects.get_or_create(
        account=accounts[FRONT_STREET], defaults={"proposed_days": 90, "most_tokens": 50}
    )
    # The banner shows them; mails to people who do not exist are of no use.
    for due in [*reminders.found()]:
        reminders.claim(due)


def exchange(known: set[str]) -> None:
    """Exchange the handles of the tokens that are new since `known`, as Zapier does."""
    partner = Token.objects.select_related("account").filter(pk=EXCHANGES).first()
    new = Token.objects.live().filter(name=ORDERS).exclude(pk__in=known)
    for token in new.order_by("pk") if partner else ():
        if token.uses_handle and partner:
            # Its maker may be another one by now.
            with suppress(handles.NotExchanged):
                handles.exchange(token.live_keys[0].open(), by=partner)


def stop(stopped: list[tuple[Sample, Token, User]], now: datetime) -> None:
    """Disable or delete tokens, one of them so long ago that it is purged."""
    for sample, token, by in stopped:
        if sample.status == Token.Status.INACTIVE:
            token.disable(by=by)
        else:
            token.remove(by=by)
            if sample.name == PURGED:
                old = Token.objects.filter(pk=token.pk)
                old.update(status_changed_at=now - timedelta(days=12))
                old.purge()


def renew(token: Token, by: User, now: datetime) -> None:
    """Renew a token as of yesterday, with programs that use its old key and its new one."""
    began = now - timedelta(hours=29, minutes=48)
    with happened(began):
        token.renew(by=by, until=now + timedelta(hours=18, minutes=12))
    new, old = token.live_keys
    token.keys.filter(pk=new.pk).update(created_at=began)
    token.keys.filter(pk=old.pk).update(created_at=token.created_at, replaced_at=began)
    Token.objects.filter(pk=token.pk).update(updated_at=began)
    for key, address, agent, modules, calls, earlier, first, last in (
        (old, "198.51.100.7", "nightly-export/1.4", (M.AGREEMENTS, M.CUSTOMERS), 2140, 1926, 7, 11),
        (old, "203.0.113.25", "erp-sync/3.1", (M.HELPDESK,), 620, 516, 30, 850),
        (new, "203.0.113.24", "erp-sync/3.2", (M.AGREEMENTS, M.HELPDESK), 1012, 0, 1, 2),
    ):
        KeyUse.objects.create(
            key=key,
            address=address,
            agent=agent,
            modules=[module.value for module in modules],
            calls=calls,
            earlier_calls=earlier,
            first_at=now - timedelta(days=first),
            last_at=now - timedelta(minutes=last),
        )
