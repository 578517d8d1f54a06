"""How long the list of tokens takes in an account with very many tokens."""

import time
from collections.abc import Mapping
from functools import partial

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from accounts.models import User
from accounts.sessions import SessionStore
from tests.bench.calls import call, medians
from tests.bench.rows import ZAPIER, Tokens

TOKENS = 100_000
ROUNDS, CALLS = 3, 5
PAGES = {
    "first page": "",
    "page 1,000": "?page=1000",
    "page 5,000": "?page=5000",
    "100 rows": "?per_page=100",
    "sorted by name": "?sort=label",
    "sorted by status": "?sort=status",
    "sorted by last used": "?sort=-last_used",
    "one extension": f"?extension={ZAPIER}",
    "inactive": "?status=inactive",
    "search, common": "?q=integration",
    "search, rare": "?q=integration%2099999",
    "search, absent": "?q=nothing",
    "column of modules": "?columns=label,modules,status",
}


def signed_in(user: User) -> dict[str, str]:
    """Return the session cookie of a signed-in user."""
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = user.pk, "accounts.backends.EmailBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["signed_in_at"] = session["seen_at"] = int(time.time())
    session.create()
    return {"Cookie": f"session={session.session_key}"}


def measure(tokens: Tokens, user: User) -> None:
    title = f"List of tokens, {tokens.count:,} in one account"
    show(title, "/integrations/tokens/", PAGES, user)


def show(title: str, path: str, pages: Mapping[str, str], user: User) -> None:
    """Measure the pages of a list and print the medians."""
    headers = signed_in(user)
    print(f"\n{title}, median ms in process")
    targets = {name: partial(call, path + query, headers) for name, query in pages.items()}
    for name, value in medians(targets, dict.fromkeys(targets, 200), ROUNDS, CALLS).items():
        print(f"  {name:40}{value / 1e3:9,.1f}")
