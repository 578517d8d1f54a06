"""Factories for plain rows."""

from datetime import timedelta

import factory
from django.utils import timezone

from accounts.models import Account, Membership, User
from modules.models import Agreement, Category, Contract, Customer, Product
from tokens.catalog import Module
from tokens.models import Extension, Token

PASSWORD = "a password for the tests"
# The extensions that a new portal has.
CUSTOM, FLOWGEAR, REPORTS, ZAPIER = "EXT-000", "EXT-310-442", "EXT-386-120", "EXT-651-883"


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Company {n}")
    side = Account.Side.DISTRIBUTOR


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@company.example")
    password = factory.django.Password(PASSWORD)


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    account = factory.SubFactory(AccountFactory)
    role = Membership.Role.ADMINISTRATOR


class TokenFactory(factory.django.DjangoModelFactory):
    """A token as the portal makes it: with its key, usage and grants."""

    class Meta:
        model = Token

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Token {n}")
    extension_id = CUSTOM
    modules = (Module.AGREEMENTS,)
    by = None

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        token, _key = Token.issue(**kwargs)
        return token


class AgreementFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Agreement

    id = factory.Sequence(lambda n: f"AGD-000-000-{n:03}")
    type = Agreement.Type.DISTRIBUTION
    title = factory.Sequence(lambda n: f"Agreement {n}")
    provider = factory.SubFactory(AccountFactory)
    vendor = factory.SubFactory(AccountFactory, side=Account.Side.VENDOR)
    owner = factory.SelfAttribute("provider")
    created_at = factory.LazyFunction(timezone.now)


class ContractFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Contract

    id = factory.Sequence(lambda n: f"CRD-00000-00000-{n:05}")
    provider = factory.SubFactory(AccountFactory)
    vendor = factory.SubFactory(AccountFactory, side=Account.Side.VENDOR)
    agreement = factory.SubFactory(
        AgreementFactory,
        provider=factory.SelfAttribute("..provider"),
        vendor=factory.SelfAttribute("..vendor"),
    )
    owner = factory.SelfAttribute("vendor")
    issuer = factory.SelfAttribute("provider")
    name = "Distribution Contract"
    type = Agreement.Type.DISTRIBUTION
    status = Contract.Status.ACTIVE
    enrolled_at = factory.LazyFunction(timezone.now)


class ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    id = factory.Sequence(lambda n: f"PRD-000-000-{n:03}")
    name = "Cloud Backup"
    status = Product.Status.PUBLISHED
    vendor = factory.SubFactory(AccountFactory, side=Account.Side.VENDOR)
    category = factory.LazyFunction(
        lambda: Category.objects.get_or_create(pk="CAT-00001", defaults={"name": "Security"})[0]
    )
    short_description = "Backups in the cloud."
    monthly_price = 9


class CustomerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Customer

    provider = factory.SubFactory(AccountFactory)
    vendor = factory.SubFactory(AccountFactory, side=Account.Side.VENDOR)
    name = "Ruiz Foods"
    address = "Mill Lane 1"
    city = "Valencia"
    postal_code = "46001"
    country = "es"
    first_name = "Marta"
    last_name = "Ruiz"
    email = "marta@ruiz-foods.example"


def deleted(token: Token, days: float = 0) -> Token:
    """Delete a token, some days ago."""
    token.remove(by=None)
    at = timezone.now() - timedelta(days=days)
    Token.objects.filter(pk=token.pk).update(status_changed_at=at)
    token.refresh_from_db()
    return token


def modules_of(extension_id: str) -> list[Module]:
    """Return the modules that an extension brings."""
    return Extension.objects.get(pk=extension_id).fixed_modules


def secret(token: Token) -> str:
    """Return the secret part of a token's key, which no page may contain."""
    return header(token).split(":")[1]


def header(token: Token) -> str:
    """Return the value of the Authorization header of a token."""
    return token.usable_keys[0].open()
