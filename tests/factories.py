"""Factories for plain rows."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model
from django.utils import timezone
from factory.declarations import LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory, Password

from accounts.models import Account, Membership, User
from modules.models import Agreement, Category, Contract, Customer, Product
from tokens.catalog import Module
from tokens.models import Extension, Token

PASSWORD = "a password for the tests"
# The extensions that a new portal has.
CUSTOM, FLOWGEAR, REPORTS, ZAPIER = "EXT-000", "EXT-310-442", "EXT-386-120", "EXT-651-883"

Row = TypeVar("Row", bound=Model)


class Factory(DjangoModelFactory[Row]):
    """A factory that returns a row when it is called."""

    class Meta:
        abstract = True

    if TYPE_CHECKING:
        # The metaclass of factories does not tell what a call returns.
        def __new__(cls, **kwargs: Any) -> Row: ...  # type: ignore[misc]


class AccountFactory(Factory[Account]):
    class Meta:
        model = Account

    name = Sequence(lambda n: f"Company {n}")
    side = Account.Side.DISTRIBUTOR


class UserFactory(Factory[User]):
    class Meta:
        model = User

    name = Sequence(lambda n: f"Person {n}")
    email = Sequence(lambda n: f"person{n}@company.example")
    password = Password(PASSWORD)


class MembershipFactory(Factory[Membership]):
    class Meta:
        model = Membership

    user = SubFactory(UserFactory)
    account = SubFactory(AccountFactory)
    role = Membership.Role.ADMINISTRATOR


class TokenFactory(Factory[Token]):
    """A token as the portal makes it: with its key, usage and grants."""

    class Meta:
        model = Token

    account = SubFactory(AccountFactory)
    name = Sequence(lambda n: f"Token {n}")
    extension_id = CUSTOM
    modules = (Module.AGREEMENTS,)
    by = None

    @classmethod
    def _create(cls, model_class: type[Token], *args: Any, **kwargs: Any) -> Token:
        token, _key = Token.issue(**kwargs)
        return token


class AgreementFactory(Factory[Agreement]):
    class Meta:
        model = Agreement

    id = Sequence(lambda n: f"AGD-000-000-{n:03}")
    type = Agreement.Type.DISTRIBUTION
    title = Sequence(lambda n: f"Agreement {n}")
    provider = SubFactory(AccountFactory)
    vendor = SubFactory(AccountFactory, side=Account.Side.VENDOR)
    owner = SelfAttribute("provider")
    created_at = LazyFunction(timezone.now)


class ContractFactory(Factory[Contract]):
    class Meta:
        model = Contract

    id = Sequence(lambda n: f"CRD-00000-00000-{n:05}")
    provider = SubFactory(AccountFactory)
    vendor = SubFactory(AccountFactory, side=Account.Side.VENDOR)
    agreement = SubFactory(
        AgreementFactory,
        provider=SelfAttribute("..provider"),
        vendor=SelfAttribute("..vendor"),
    )
    owner = SelfAttribute("vendor")
    issuer = SelfAttribute("provider")
    name = "Distribution Contract"
    type = Agreement.Type.DISTRIBUTION
    status = Contract.Status.ACTIVE
    enrolled_at = LazyFunction(timezone.now)


class ProductFactory(Factory[Product]):
    class Meta:
        model = Product

    id = Sequence(lambda n: f"PRD-000-000-{n:03}")
    name = "Cloud Backup"
    status = Product.Status.PUBLISHED
    vendor = SubFactory(AccountFactory, side=Account.Side.VENDOR)
    category = LazyFunction(
        lambda: Category.objects.get_or_create(pk="CAT-00001", defaults={"name": "Security"})[0]
    )
    short_description = "Backups in the cloud."
    monthly_price = 9


class CustomerFactory(Factory[Customer]):
    class Meta:
        model = Customer

    provider = SubFactory(AccountFactory)
    vendor = SubFactory(AccountFactory, side=Account.Side.VENDOR)
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
    modules: list[Module] = Extension.objects.get(pk=extension_id).fixed_modules
    return modules


def secret(token: Token) -> str:
    """Return the secret part of a token's key, which no page may contain."""
    return header(token).split(":")[1]


def header(token: Token) -> str:
    """Return the value of the Authorization header of a token."""
    return token.usable_keys[0].open()


def handle_of(token: Token) -> str:
    """Return the handle that people see of a token."""
    return Token.objects.get(pk=token.pk).live_keys[0].open()
