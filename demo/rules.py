"""IP rules of the demo: of a company without programs, and of one token.

None for the companies whose tokens people try: those work from wherever the portal is tried.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from accounts.models import Account, User
from demo.companies import BAYSIDE, MICK
from portal.addresses import read_span
from tokens.models import IPRule, RefusedAddress, Token

OF_BAYSIDE = (
    ("Head office", "203.0.113.0/26"),
    ("Office IPv6", "2001:db8:51::/64"),
    ("Export host", "198.51.100.0/28"),
)
RULED = "Reseller Portal"
OF_TOKEN = (
    ("Reseller servers", "203.0.113.24 - 203.0.113.26"),
    ("Night export", "198.51.100.7"),
)


def load(accounts: Mapping[str, Account]) -> None:
    """Add the rules where there are none yet."""
    add(accounts[BAYSIDE], None, OF_BAYSIDE, by="UR-571-000-001")
    token = Token.objects.live().filter(account=MICK, name=RULED).first()
    if token and add(accounts[MICK], token, OF_TOKEN, by="UR-101-000-001"):
        yesterday = timezone.now() - timedelta(hours=19)
        RefusedAddress.objects.create(
            token=token,
            address="192.0.2.210",
            agent="python-requests/2.32",
            first_at=yesterday,
            last_at=yesterday,
        )


def add(
    account: Account, token: Token | None, rules: Sequence[tuple[str, str]], *, by: str
) -> bool:
    """Add rules unless there are some. Tell whether they were added."""
    if IPRule.rules_of(account, token).exists():
        return False
    wanted = [(name, read_span(addresses)) for name, addresses in rules]
    IPRule.add(account, token, wanted, by=User.objects.filter(pk=by).first())
    return True
