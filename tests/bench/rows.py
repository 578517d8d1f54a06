"""Rows to measure with: people, agreements, hundreds of thousands of tokens, keys of the peers."""

import random
from datetime import UTC, datetime, timedelta

from django.db import connection, models, transaction
from knox.models import AuthToken, get_digest_token
from knox.settings import CONSTANTS
from rest_framework.authtoken.models import Token as DrfToken
from rest_framework_api_key.models import APIKey

from accounts.models import Account, Membership, User
from modules.models import Agreement, Contract, Marketplace
from tests.bench.models import NinjaKey
from tokens import keys
from tokens.catalog import Module
from tokens.models import Grant, Token, TokenKey, TokenUsage

ACCOUNT = "PA-063-101"
AGREEMENTS = 1_000
KEYS = 10_000
EXTENSIONS = FLOWGEAR, REPORTS, ZAPIER, CUSTOM = (
    "EXT-310-442",
    "EXT-386-120",
    "EXT-651-883",
    "EXT-000",
)


def company() -> User:
    """Make an account, its administrator, and its agreements with a contract each.

    As many agreements again belong to another account.
    """
    account = Account.objects.create(
        pk=ACCOUNT, name="Mighty Mick's LLC", side=Account.Side.DISTRIBUTOR
    )
    user = User.objects.create_user("bench@portal.example", None, name="Bench")
    Membership.objects.create(user=user, account=account, role=Membership.Role.ADMINISTRATOR)
    vendor = Account.objects.create(name="Front Street Inc", side=Account.Side.VENDOR)
    other = Account.objects.create(name="Southpaw Distribution", side=Account.Side.DISTRIBUTOR)
    start = datetime(2024, 1, 31, 10, 20, 30, tzinfo=UTC)
    for number, provider in enumerate((account, other), 1):
        marketplace = Marketplace.objects.create(
            pk=f"MP-1010{number}", name=f"Region {number}", owner=provider, currency="EUR"
        )
        agreements = Agreement.objects.bulk_create(
            Agreement(
                id=f"AGD-{number:03}-{n // 1000:03}-{n % 1000:03}",
                vendor=vendor,
                provider=provider,
                owner=provider,
                marketplace=marketplace,
                type=Agreement.Type.DISTRIBUTION,
                title=f"Distribution of Cloud Backup {n}",
                description="Terms under which the product is sold in the region.",
                link=f"https://agreements.example/{n}",
                created_at=start + timedelta(minutes=n),
                updated_at=start + timedelta(days=1, minutes=n),
            )
            for n in range(AGREEMENTS)
        )
        Contract.objects.bulk_create(
            Contract(
                id=f"CRD-{number:03}-{n // 1000:03}-{n % 1000:03}",
                vendor=vendor,
                provider=provider,
                owner=vendor,
                issuer=provider,
                agreement=agreement,
                marketplace=marketplace,
                name=agreement.title,
                type=agreement.type,
                status=Contract.Status.ACTIVE,
                enrolled_at=start,
            )
            for n, agreement in enumerate(agreements)
        )
    return user


# --- The portal's tokens --------------------------------------------------------------------------

NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT CAST(%s AS bigint) UNION ALL SELECT n + 1 FROM numbers "
    "WHERE n < %s)"
)
# Gives a different id for every number below a billion, since factor and modulus are coprime; the
# counterpart of `token_id`.
FACTOR, MODULUS = 387_420_489, 1_000_000_000
DIGITS = f"CAST({MODULUS} + (n * {FACTOR}) %% {MODULUS} AS text)"
ID = (
    f"'SU-' || substr({DIGITS}, 2, 3) || '-' || substr({DIGITS}, 5, 3) || '-' || "
    f"substr({DIGITS}, 8, 3)"
)


def token_id(number: int) -> str:
    digits = f"{number * FACTOR % MODULUS:09}"
    return f"SU-{digits[:3]}-{digits[3:6]}-{digits[6:]}"


class Tokens:
    """Tokens of one account, all but the first copied from it by the database.

    That makes a million in the time in which the portal makes a thousand.
    """

    def __init__(self, user: User) -> None:
        account = Account.objects.get(pk=ACCOUNT)
        self.count = 0
        self.first, _key = Token.issue(
            account=account,
            modules=(Module.AGREEMENTS,),
            by=user,
            name="First",
            extension_id=CUSTOM,
        )

    def fill(self, count: int) -> None:
        """Make tokens until there are `count` of them."""
        sqlite = connection.vendor == "sqlite"
        created = (
            "datetime(first.created_at, '-' || n || ' minutes')"
            if sqlite
            else "first.created_at - n * interval '1 minute'"
        )
        extensions = " ".join(
            f"WHEN {number} THEN '{value}'" for number, value in enumerate(EXTENSIONS)
        )
        self.copy(
            Token,
            id=ID,
            name="'Integration ' || n",
            name_key="'integration ' || n",
            external_id="'erp-' || n",
            external_id_key="'erp-' || n",
            extension=f"CASE n %% {len(EXTENSIONS)} {extensions} END",
            status="CASE WHEN n %% 10 = 0 THEN 'inactive' ELSE 'active' END",
            created_at=created,
            updated_at=created,
            until=count,
        )
        # The secrets of the copies are unknown: they have the digest of the first token.
        self.copy(TokenKey, token_id=ID, until=count)
        self.copy(
            TokenUsage,
            token_id=ID,
            last_used_at="CASE WHEN n %% 3 = 0 THEN NULL ELSE first_token.created_at END",
            until=count,
        )
        self.copy(Grant, token_id=ID, until=count)
        self.count = count
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def copy(self, model: type[models.Model], *, until: int, **changed: str) -> None:
        """Copy the row of the first token, numbered from the present count up to `until`.

        `changed` holds the SQL of the columns that differ.
        """
        columns = [
            field.column
            for field in model._meta.concrete_fields
            if not isinstance(field, models.AutoField)
        ]
        values = ", ".join(changed.get(column, f"first.{column}") for column in columns)
        key = "id" if model is Token else "token_id"
        table = model._meta.db_table
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # A million rows take longer than the portal lets a statement run.
                cursor.execute("SET statement_timeout = 0")
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS} SELECT {values} FROM "
                f"numbers, {table} AS first"
                f" JOIN {Token._meta.db_table} AS first_token ON first_token.id = first.{key} "
                f"WHERE first.{key} = %s ON CONFLICT DO NOTHING",
                (self.count + 1, until, self.first.pk),
            )

    def keys(self, count: int = 500) -> list[str]:
        """Give that many tokens, spread over all of them, working keys that were used just now.

        Returns the values of the header.
        """
        active = [number for number in range(1, self.count + 1) if number % 10]
        chosen = [token_id(number) for number in random.sample(active, count)]
        minted = [keys.mint(id) for id in chosen]
        with transaction.atomic():
            for key in minted:
                digest = keys.digest(key)
                TokenKey.objects.filter(token_id=key.token_id).update(
                    digest=digest.value, pepper=digest.pepper
                )
            used = datetime.now(UTC)
            TokenUsage.objects.filter(token_id__in=chosen).update(last_used_at=used)
        return [key.header for key in minted]


# --- The peers' keys ------------------------------------------------------------------------------


def peer_keys() -> dict[str, dict[str, str]]:
    """Make 10,000 keys of every kind, each with its own user if the kind belongs to users.

    Returns the headers with one key of each kind.
    """
    users = User.objects.bulk_create(
        User(
            id=f"UR-900-{n // 1000:03}-{n % 1000:03}", email=f"{n}@peers.example", name=f"Peer {n}"
        )
        for n in range(KEYS)
    )
    chosen = KEYS // 2
    drf = DrfToken.objects.bulk_create(
        DrfToken(key=DrfToken.generate_key(), user=user) for user in users
    )
    knox = [get_digest_token() for _ in users]
    AuthToken.objects.bulk_create(
        AuthToken(digest=digest, token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH], user=user)
        for user, (digest, token) in zip(users, knox, strict=True)
    )
    api_keys = [APIKey(name=f"Key {n}") for n in range(KEYS)]
    api_secrets = [APIKey.objects.assign_key(key) for key in api_keys]
    APIKey.objects.bulk_create(api_keys)
    ninja = NinjaKey.objects.bulk_create(
        NinjaKey(key=DrfToken.generate_key(), name=f"Key {n}") for n in range(KEYS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {
        "drf-token": {"Authorization": f"Token {drf[chosen].key}"},
        "drf-knox": {"Authorization": f"Token {knox[chosen][1]}"},
        "drf-api-key": {"Authorization": f"Api-Key {api_secrets[chosen]}"},
        "ninja": {"X-API-Key": ninja[chosen].key},
    }
