"""The products that webhooks can be about.

Products are records of a layer above, which registers how to find them.
"""

from collections.abc import Callable

from accounts.models import Account

Find = Callable[[Account], dict[str, str]]
finders: list[Find] = []


def register(find: Find) -> None:
    """Register how to find the products of an account; for `AppConfig.ready`."""
    finders.append(find)


def of(account: Account) -> dict[str, str]:
    """Return the names of the products that the account sees, by id."""
    return {key: name for find in finders for key, name in find(account).items()}
