"""Sealed copies move to another sealing key while programs call a served portal."""

import re
import secrets
import threading
from pathlib import Path

from tests.server import Server, database, environment, manage, served

COPIES = 250
# Tokens with a copy each; issuing them one by one would take longer than the rest.
MANY = f"""
from accounts.models import Account
from tokens.catalog import Module
from tokens.models import Token
account = Account.objects.get(name="Bayside Cloud")
for number in range({COPIES}):
    Token.issue(account=account, modules=[Module.USAGE], by=None, name=f"Many {{number}}",
                extension_id="EXT-000")
"""


def test_no_call_is_refused_while_copies_are_resealed(tmp_path: Path) -> None:
    with database(tmp_path) as url:
        env = environment(url, DEMO_PASSWORD=secrets.token_urlsafe(), TOKENS_PER_EXTENSION="1000")
        with served(env, tmp_path) as address:
            manage(env, "shell", "--no-imports", "-c", MANY)
            account = ("--account", "Mighty Mick's LLC", "--name", "Busy")
            key = manage(env, "create_token", *account, "--module", "agreements").strip()
            portal, over, statuses = Server(address, env), threading.Event(), []

            def keep_calling() -> None:
                while not over.is_set():
                    statuses.append(portal.get("/public/v1/agreements?limit=1", key).status)

            callers = [threading.Thread(target=keep_calling) for _ in range(2)]
            for caller in callers:
                caller.start()
            both = f"{env['TOKEN_SEALING_KEYS']},2:{secrets.token_hex(32)}"
            said = manage({**env, "TOKEN_SEALING_KEYS": both}, "reseal")
            over.set()
            for caller in callers:
                caller.join()
            moved = re.search(r"Sealed with number 2: ([\d,]+)", said)
            assert moved, said
            assert int(moved[1].replace(",", "")) > COPIES
            assert "Could not be opened" not in said
            assert len(statuses) > 10
            assert set(statuses) == {200}
