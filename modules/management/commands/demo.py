"""`manage.py demo`: two companies with people, tokens and business records, to try the portal with.

Deterministic (ids, names and most dates never change) and idempotent (a second run adds what is missing and touches nothing
else). Only what has to look alive, such as "last used 3 minutes ago", is counted back from the first run.
"""

import os
import random
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Membership, User
from modules.models import Agreement, Contract, Customer, Marketplace, Product
from tokens.catalog import Extension, Module
from tokens.models import NameTaken, Token, TokenUsage

MICK, FRONT_STREET, BAYSIDE, SOUTHPAW = "PA-063-101", "VA-044-420", "VA-571-206", "PA-318-774"
COMPANIES = (
    (MICK, "Mighty Mick's LLC", Account.Role.DISTRIBUTOR),
    (FRONT_STREET, "Front Street Inc", Account.Role.VENDOR),
    # Partners of the two, so that some records are seen by one of them only.
    (BAYSIDE, "Bayside Cloud", Account.Role.VENDOR),
    (SOUTHPAW, "Southpaw Distribution", Account.Role.DISTRIBUTOR),
)
ADMINISTRATOR, MEMBER = Membership.Role.ADMINISTRATOR, Membership.Role.MEMBER
PEOPLE = (
    ("UR-101-000-001", "michael@mightymicks.example", "Michael Goldmill", {MICK: ADMINISTRATOR}),
    ("UR-101-000-002", "adrian@mightymicks.example", "Adrian Pennino", {MICK: MEMBER}),
    ("UR-420-000-001", "robert@frontstreet.example", "Robert Balboa", {FRONT_STREET: ADMINISTRATOR}),
    ("UR-420-000-002", "paulie@frontstreet.example", "Paulie Pennino", {FRONT_STREET: MEMBER}),
    ("UR-500-000-001", "tony@gazzo.example", "Tony Gazzo", {MICK: ADMINISTRATOR, FRONT_STREET: ADMINISTRATOR}),
)
PORTAL_ADMINISTRATOR = ("UR-900-000-001", "admin@portal.example", "Portal Administrator")

# Where the pairs of companies meet: each of the two main companies has two partners.
PAIRS = ((MICK, FRONT_STREET), (MICK, BAYSIDE), (SOUTHPAW, FRONT_STREET))
REGIONS = ("Iberia", "Benelux", "Nordics", "DACH", "Italy", "France", "Ireland", "Poland", "Baltics", "Greece", "Czechia", "Austria")
LINES = (
    "Cloud Backup",
    "Endpoint Security",
    "Managed Kubernetes",
    "Business Mail",
    "Contract Archive",
    "Video Meetings",
    "Object Storage",
    "Identity Hub",
    "Log Search",
    "Device Management",
)
MARKETPLACES = (
    ("MP-10101", "Iberia", MICK, "EUR"),
    ("MP-10102", "Benelux", MICK, "EUR"),
    ("MP-10103", "United Kingdom", MICK, "GBP"),
    ("MP-31801", "Nordics", SOUTHPAW, "SEK"),
    ("MP-31802", "DACH", SOUTHPAW, "EUR"),
)


@dataclass(frozen=True)
class Sample:
    """A token of the demo. Times without a date count back from the first run."""

    account: str
    id: str
    name: str
    extension: Extension
    created: datetime
    creator: int = 0
    modules: tuple[Module, ...] = ()
    external_id: str = ""
    description: str = ""
    used: timedelta | None = None
    expires: timedelta | None = None
    status: Token.Status = Token.Status.ACTIVE


def day(year: int, month: int, date: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(year, month, date, hour, minute, tzinfo=UTC)


ACTIVE, INACTIVE, DELETED = Token.Status.ACTIVE, Token.Status.INACTIVE, Token.Status.DELETED
CUSTOM, ZAPIER, FLOWGEAR, REPORTS = Extension.CUSTOM, Extension.ZAPIER, Extension.FLOWGEAR, Extension.REPORTS
M = Module

SAMPLES = (
    # The two of the article.
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


def more_samples() -> Iterator[Sample]:
    """About forty more, of every extension, state and age."""
    rows: tuple[tuple[Any, ...], ...] = (
        # name, extension, modules, external id, last used, expires, status
        ("ERP Agreements Sync", CUSTOM, (M.AGREEMENTS, M.CUSTOMERS, M.HELPDESK), "erp-7", timedelta(minutes=11), None, ACTIVE),
        ("New Orders to Chat", ZAPIER, (), "", timedelta(hours=2), None, ACTIVE),
        ("Monthly Usage Report", REPORTS, (), "fin-12", timedelta(days=1), None, ACTIVE),
        ("NetSuite Bridge", FLOWGEAR, (), "ns-prod", timedelta(minutes=5), None, ACTIVE),
        ("Price List Export", CUSTOM, (M.PRICING, M.PRODUCTS), "", timedelta(hours=6), timedelta(days=11), ACTIVE),
        ("Helpdesk Mirror", CUSTOM, (M.HELPDESK,), "desk-2", timedelta(weeks=3), None, INACTIVE),
        ("Partner Onboarding, Staging", ZAPIER, (), "", None, None, ACTIVE),
        ("QA Sandbox", CUSTOM, (M.ALL,), "qa", timedelta(days=120), timedelta(days=-90), ACTIVE),
        ("Quarterly Revenue Report", REPORTS, (), "", timedelta(days=61), None, ACTIVE),
        ("Contract Archive", CUSTOM, (M.CONTRACTS, M.AGREEMENTS), "arc-1", timedelta(hours=1), None, ACTIVE),
        ("Agreements Dashboard", CUSTOM, (M.AGREEMENTS,), "bi-agr", timedelta(minutes=26), None, ACTIVE),
        ("Legal Review Feed", CUSTOM, (M.AGREEMENTS, M.CONTRACTS), "", timedelta(days=1), None, ACTIVE),
        ("Catalog Mirror", CUSTOM, (M.PRODUCTS, M.LISTINGS, M.PRICING), "cat-eu", timedelta(hours=3), None, ACTIVE),
        ("Old Billing Bridge", FLOWGEAR, (), "bill-1", timedelta(days=400), None, DELETED),
        ("Support Chat Bot", ZAPIER, (), "bot", timedelta(minutes=48), None, ACTIVE),
        ("Subscription Watch", CUSTOM, (M.SUBSCRIPTIONS, M.TIER_CONFIG), "", timedelta(days=2), timedelta(days=24), ACTIVE),
        ("CRM Customers, Production", CUSTOM, (M.CUSTOMERS, M.PARTNERS), "crm-1", timedelta(minutes=2), None, ACTIVE),
        ("CRM Customers, Staging", CUSTOM, (M.CUSTOMERS,), "crm-1-stg", timedelta(days=9), None, INACTIVE),
        ("Usage Collector", CUSTOM, (M.USAGE,), "use-3", timedelta(hours=12), None, ACTIVE),
        ("Marketplace Monitor", CUSTOM, (M.MARKETPLACES, M.LISTINGS), "", timedelta(days=16), None, ACTIVE),
        ("Board Figures", REPORTS, (), "board", timedelta(days=28), None, ACTIVE),
        ("Warehouse Load", CUSTOM, (M.ALL,), "dwh", timedelta(minutes=31), None, ACTIVE),
        ("Trial of Flowgear", FLOWGEAR, (), "", None, timedelta(days=-30), ACTIVE),
        ("Access Review Script", CUSTOM, (M.ACCOUNT, M.INTEGRATIONS), "iam", timedelta(days=5), None, ACTIVE),
        ("Deployment Checks", CUSTOM, (M.DEVOPS,), "ci", timedelta(hours=8), timedelta(days=200), ACTIVE),
        ("Intern Project", CUSTOM, (M.PRODUCTS,), "", timedelta(days=95), None, DELETED),
        ("Ticket Statistics", REPORTS, (), "", None, None, INACTIVE),
        ("Invoice Matching", FLOWGEAR, (), "inv", timedelta(hours=20), None, ACTIVE),
        ("Reseller Portal", CUSTOM, (M.CUSTOMERS, M.SUBSCRIPTIONS, M.HELPDESK), "rp-2", timedelta(seconds=40), None, ACTIVE),
        ("Export for the Auditor", CUSTOM, (M.CONTRACTS,), "aud-2023", timedelta(days=300), timedelta(days=-200), ACTIVE),
    )
    for number, (name, extension, modules, external_id, used, expires, status) in enumerate(rows):
        draw = random.Random(f"token {number}")  # noqa: S311 (sample data, the same every time)
        for account, limit in ((MICK, 30), (FRONT_STREET, 11)):
            if number < limit:
                yield Sample(
                    account,
                    "SU-160-984-311" if (account, number) == (MICK, 0) else sample_id(draw, "SU", 3, 3, 3),
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


def sample_id(draw: random.Random, prefix: str, *groups: int) -> str:
    return "-".join((prefix, *(f"{draw.randrange(10**digits):0{digits}}" for digits in groups)))


class Command(BaseCommand):
    help = "Load the demo data. A second run adds what is missing and changes nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--records", type=int, default=72, metavar="N", help="agreements per main account (72)")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        accounts = {
            id: Account.objects.get_or_create(pk=id, defaults={"name": name, "role": role, "created_at": day(2021, 1, 4)})[0]
            for id, name, role in COMPANIES
        }
        self.people(accounts)
        self.tokens(accounts)
        self.records(max(options["records"], 0))

    # --- People -----------------------------------------------------------------------------------

    def people(self, accounts: dict[str, Account]) -> None:
        given = os.environ.get("DEMO_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        fresh = []
        for id, email, name, memberships in (*PEOPLE, (*PORTAL_ADMINISTRATOR, {})):
            user = User.objects.filter(pk=id).first()
            if user is None:
                staff = not memberships
                user = User.objects.create_user(email, password, id=id, name=name, is_staff=staff, is_superuser=staff, created_at=day(2021, 1, 4))
                fresh.append(user)
            elif given and not user.check_password(given):
                user.set_password(given)
                user.save(update_fields=("password",))
            for account, role in memberships.items():
                Membership.objects.get_or_create(user=user, account=accounts[account], defaults={"role": role})
        self.stdout.write("Demo people: " + ", ".join(email for _, email, _, _ in PEOPLE) + f"; for /admin/: {PORTAL_ADMINISTRATOR[1]}")
        if given:
            self.stdout.write("Their password is the one in DEMO_PASSWORD.")
        elif fresh:
            self.stdout.write(f"Their password, shown this once: {password}")
        else:
            self.stdout.write("Their password was shown when they were made. To set another: DEMO_PASSWORD=… make run")

    # --- Tokens -----------------------------------------------------------------------------------

    def tokens(self, accounts: dict[str, Account]) -> None:
        now = timezone.now()
        creators = {
            MICK: (User.objects.get(pk="UR-101-000-001"), User.objects.get(pk="UR-500-000-001")),
            FRONT_STREET: (User.objects.get(pk="UR-420-000-001"), User.objects.get(pk="UR-500-000-001")),
        }
        known = set(Token.objects.values_list("pk", flat=True))
        for sample in (*SAMPLES, *more_samples()):
            if sample.id in known:
                continue
            by = creators[sample.account][sample.creator]
            try:
                token = Token.issue(
                    account=accounts[sample.account],
                    modules=sample.modules or sample.extension.fixed_modules,
                    by=by,
                    id=sample.id,
                    name=sample.name,
                    extension=sample.extension,
                    external_id=sample.external_id,
                    description=sample.description,
                    expires_at=now + sample.expires if sample.expires else None,
                    created_at=sample.created,
                    updated_at=sample.created,
                )
            except NameTaken:
                continue  # The person trying the portal took the name; theirs stays.
            token.permissions.update(granted_at=sample.created)
            token.events.update(at=sample.created)
            if sample.used:
                TokenUsage.objects.filter(token=token).update(last_used_at=now - sample.used)
            if sample.status == Token.Status.INACTIVE:
                token.disable(by=by)
            elif sample.status == Token.Status.DELETED:
                token.remove(by=by)

    # --- Records ----------------------------------------------------------------------------------

    def records(self, per_account: int) -> None:
        for id, name, owner, currency in MARKETPLACES:
            Marketplace.objects.get_or_create(pk=id, defaults={"name": name, "owner_id": owner, "currency": currency})
        # Two of the three pairs concern each main account.
        agreements = [agreement(number) for number in range(-(-per_account * 3 // 2))]
        Agreement.objects.bulk_create(agreements, batch_size=500, ignore_conflicts=True)
        Contract.objects.bulk_create((contract(number, of) for number, of in enumerate(agreements[:108])), batch_size=500, ignore_conflicts=True)
        Product.objects.bulk_create((product(number) for number in range(len(LINES) * 2)), ignore_conflicts=True)
        customers = [customer(number) for number in range(96)]
        resellers = [each for each in customers if each.type == Customer.Type.RESELLER]
        Customer.objects.bulk_create(resellers, ignore_conflicts=True)
        Customer.objects.bulk_create((each for each in customers if each not in resellers), ignore_conflicts=True)


def spread(number: int, first: datetime, step: timedelta) -> datetime:
    return first + number * step


def agreement(number: int) -> Agreement:
    draw = random.Random(f"agreement {number}")  # noqa: S311
    provider, vendor = PAIRS[number % 3]
    kind = (Agreement.Type.DISTRIBUTION, Agreement.Type.PROGRAM, Agreement.Type.SERVICE)[number // 3 % 3]
    prefix = {Agreement.Type.DISTRIBUTION: "AGD", Agreement.Type.PROGRAM: "AGP", Agreement.Type.SERVICE: "AGS"}[kind]
    noun = {Agreement.Type.DISTRIBUTION: "Distribution", Agreement.Type.PROGRAM: "Partner Program", Agreement.Type.SERVICE: "Service"}[kind]
    created = spread(number % 400, day(2019, 2, 4, 8, 15), timedelta(days=5, hours=3, minutes=7))
    id = sample_id(draw, prefix, 3, 3, 3)
    return Agreement(
        id=id,
        vendor_id=vendor,
        provider_id=provider,
        # Service agreements are offered by the vendor, the others by the distributor.
        owner_id=vendor if kind == Agreement.Type.SERVICE else provider,
        type=kind,
        title=f"{draw.choice(LINES)} {noun} Agreement, {draw.choice(REGIONS)}",
        description=f"Terms of {noun.lower()} between the two companies.",
        marketplace_id=draw.choice([id for id, _, owner, _ in MARKETPLACES if owner == provider]),
        link=f"https://documents.example/{id.lower()}.pdf",
        active=draw.random() < 0.85,
        auto_accept=draw.random() < 0.2,
        version=draw.randint(1, 5),
        contracts=draw.randint(0, 40),
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(0, 300), minutes=draw.randint(0, 900)),
    )


def contract(number: int, of: Agreement) -> Contract:
    draw = random.Random(f"contract {number}")  # noqa: S311
    status = Contract.Status.ACTIVE if number < 9 else draw.choices(Contract.Status.values, (1, 2, 8, 1, 2))[0]
    created = of.created_at + timedelta(days=draw.randint(1, 40), minutes=draw.randint(0, 900))
    signed = status in {Contract.Status.ACTIVE, Contract.Status.TERMINATED}
    return Contract(
        id=sample_id(draw, {"AGD": "CRD", "AGP": "CRP", "AGS": "CRS"}[of.id[:3]], 5, 5, 5),
        vendor_id=of.vendor_id,
        provider_id=of.provider_id,
        name=of.title.replace("Agreement", "Contract"),
        type=of.type,
        status=status,
        agreement=of,
        owner_id=of.vendor_id if of.owner_id == of.provider_id else of.provider_id,
        issuer_id=of.owner_id,
        marketplace_id=of.marketplace_id,
        version=of.version,
        enrolled_at=created,
        signed_at=created + timedelta(days=draw.randint(1, 14)) if signed else None,
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(15, 200)),
    )


def product(number: int) -> Product:
    draw = random.Random(f"product {number}")  # noqa: S311
    line = LINES[number % len(LINES)]
    vendor = (FRONT_STREET, BAYSIDE)[number // len(LINES)]
    edition = draw.choice(("Standard", "Business", "Enterprise"))
    created = spread(number, day(2019, 1, 14, 10), timedelta(days=31, hours=1))
    status = draw.choices(Product.Status.values, (1, 6, 1))[0]
    return Product(
        id=sample_id(draw, "PRD", 3, 3, 3),
        name=f"{line} {edition}",
        status=status,
        vendor_id=vendor,
        category=draw.choice(("Security", "Infrastructure", "Productivity", "Communication")),
        short_description=f"{line} for companies of any size.",
        detailed_description=f"{line} in the edition {edition}, billed by the month, with support in working hours.",
        monthly_price=Decimal(draw.randrange(290, 9990, 10)) / 100,
        version=draw.randint(1, 4),
        published_at=created + timedelta(days=20) if status != Product.Status.DRAFT else None,
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(21, 500)),
    )


FIRST_NAMES = ("Marta", "Jonas", "Ines", "Luca", "Greta", "Pablo", "Elena", "Noah", "Sofia", "Mateo", "Clara", "Emil")
LAST_NAMES = ("Ruiz", "Berg", "Moreau", "Conti", "Novak", "Silva", "Keller", "Larsen", "Costa", "Vidal", "Horvat", "Dahl")
TRADES = ("Logistics", "Foods", "Design", "Clinics", "Tools", "Legal", "Travel", "Printing", "Optics", "Energy")
CITIES = (
    ("Valencia", "es", "+34"),
    ("Porto", "pt", "+351"),
    ("Ghent", "be", "+32"),
    ("Turin", "it", "+39"),
    ("Graz", "at", "+43"),
    ("Lyon", "fr", "+33"),
)


def customer(number: int) -> Customer:
    draw = random.Random(f"customer {number}")  # noqa: S311
    provider, vendor = PAIRS[number % 3]
    first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
    city, country, phone = draw.choice(CITIES)
    reseller = number < 9
    company = f"{last} {'IT Services' if reseller else draw.choice(TRADES)}"
    created = spread(number, day(2020, 3, 2, 7, 40), timedelta(days=9, hours=5))
    # The first nine are resellers, three for each pair of companies; most others buy through one of theirs.
    parent = None if reseller or draw.random() < 0.25 else customer(number % 3 + 3 * draw.randrange(3)).pk
    return Customer(
        id=sample_id(draw, "TA", 4, 4, 4),
        vendor_id=vendor,
        provider_id=provider,
        name=company,
        type=Customer.Type.RESELLER if reseller else Customer.Type.CUSTOMER,
        environment="production" if draw.random() < 0.9 else "test",
        external_id=str(10_000 + number),
        external_uid=uuid.UUID(int=draw.getrandbits(128), version=4),
        tax_id=f"{country.upper()}{draw.randrange(10**8):08}",
        parent_id=parent,
        address=f"{draw.choice(('Harbour Street', 'Mill Lane', 'Station Road', 'Market Square'))} {draw.randint(1, 120)}",
        city=city,
        postal_code=f"{draw.randrange(10_000, 99_999)}",
        country=country,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@{company.split()[0]}-{company.split()[-1]}.example".lower(),
        phone_country=phone,
        phone_area=str(draw.randint(10, 99)),
        phone_number=f"{draw.randrange(10**6):06}",
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(0, 400)),
    )
