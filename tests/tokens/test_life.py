"""The life of a token: whatever is done to it in whatever order, pages, API and gate agree.

The gate is asked with every key that the token ever had, from two addresses, after every step.
"""

import os
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import escape
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from portal.addresses import Span, covers, read_span
from portal.fields import MomentField
from tests.conftest import Response, confirmed, person
from tests.factories import TokenFactory, header
from tokens import settling, uses
from tokens.catalog import Module
from tokens.hindrances import POLICIES, Hindrance
from tokens.models import BadEnd, IPRule, Policy, Token, TokenError, TokenKey, TokenUsage, TwoKeys
from tokens.pages.detail import key_fields
from tokens.standing import Standing

HERE, THERE = "10.1.0.1", "10.2.0.1"
SPANS = ("10.1.0.0/16", "10.2.0.0/16", "10.0.0.0/9")
# A little more than the round spans that people choose, since SQLite's clock has whole seconds.
MORE = timedelta(seconds=2)
SPAN_OF_TIME = st.sampled_from(
    [
        timedelta(**each) + MORE
        for each in ({"minutes": 5}, {"hours": 1}, {"days": 1}, {"days": 8}, {"days": 31})
    ]
)
MODULES = st.sampled_from([(), (Module.AGREEMENTS,), (Module.ALL,), (Module.USAGE,)])
ENDS = st.sampled_from([None, timedelta(hours=2), timedelta(days=2), timedelta(days=60)])
OVERLAP = st.sampled_from([timedelta(hours=1), timedelta(days=2), timedelta(days=30)])
WANTED = st.sampled_from(
    [
        {"most_days": 7},
        {"idle_days": 7},
        {"show_once": True},
        {"rules_required": True},
        {"most_tokens": 1},
        {"rate": 60_000, "burst": 30_000},
    ]
)
NOTHING: dict[str, Any] = {
    "most_days": None,
    "idle_days": None,
    "most_tokens": None,
    "rate": None,
    "burst": None,
}
NOTHING |= dict.fromkeys(("show_once", "rules_required", "two_step", "hide_secrets"), False)
NOTHING |= {"proposed_days": None, "warn_days": 0}


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        uses.calls.clear()
        self.person = person(account__name="Mighty Mick's LLC")
        self.client, self.account = self.person.client, self.person.account
        self.token_id = TokenFactory(account=self.account, name="ERP Sync").pk
        self.keys = {1: header(self.token)}
        # It asks the API about the token; no policy stops it.
        self.asking = TokenFactory(account=self.account, modules=(Module.INTEGRATIONS,))
        self.asking_key = header(self.asking)
        IPRule.add(self.account, self.asking, [("Asking", read_span("10.0.0.0/8"))], by=None)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # --- What is there ------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return Token.objects.with_standing().get(pk=self.token_id)

    @property
    def standing(self) -> Standing:
        return Standing(self.token, may_manage=True)

    def spans(self, scope: str) -> list[Span]:
        return IPRule.objects.filter(scope=scope).spans()

    def passes(self, address: str, *scopes: str) -> bool:
        """Tell whether an address passes the rules of the account and those of a token."""
        held = [spans for scope in (self.account.pk, *scopes) if (spans := self.spans(scope))]
        return all(covers(spans, address) for spans in held)

    def keep_asking(self) -> None:
        now = timezone.now()
        self.asking.keys.update(created_at=now)
        TokenUsage.objects.filter(token=self.asking).update(last_used_at=now)

    def ask(self, path: str, key: str, address: str) -> Response:
        return Client(REMOTE_ADDR=address).get(f"/public/v1/{path}", headers={"authorization": key})

    # --- What is done -------------------------------------------------------------------------

    def does(self, verb: Callable[..., Any], *args: Any, offered: bool, **kwargs: Any) -> Any:
        """Do it as the model does. It may be refused, in words; not if a page offers it."""
        refused = None
        with transaction.atomic():
            try:
                return verb(*args, by=self.person.user, **kwargs)
            except (TokenError, ValidationError) as problem:
                refused = problem
                transaction.set_rollback(True)
        assert str(refused)
        # What a page offers, it may still refuse with some values.
        assert not offered or isinstance(refused, BadEnd | TwoKeys | ValidationError)
        return None

    def presses(self, path: str, **data: Any) -> str:
        """Press it on a page; whatever the page answers, it is not a crash."""
        response = confirmed(self.client).post(
            f"/integrations/tokens/{self.token_id}/{path}/", data, follow=True
        )
        assert response.status_code in {200, 409}, response.status_code
        return response.text

    def keeps(self, text: str, before: int) -> None:
        """Note a new key that a page has shown."""
        version = self.token.key_version
        if version == before:
            return
        found = re.search(r'class="key-secret">([0-9a-f]{40})<', text)
        assert found, "The new key is not on the page."
        self.keys[version] = f"ApiKey {self.token_id}:{found[1]}"

    @rule(modules=MODULES, ends=ENDS)
    def edit(self, modules: Sequence[Module], ends: timedelta | None) -> None:
        until = timezone.now() + ends if ends else None
        token = self.token
        wanted = {"version": token.version, "modules": modules, "expires_at": until}
        self.does(token.edit, offered=False, **wanted)

    @rule()
    def disable(self) -> None:
        offered = self.standing.offers_disable
        self.presses("disable")
        assert not offered or self.token.status == "inactive"

    @rule()
    def enable(self) -> None:
        offered = self.standing.offers_enable
        self.presses("enable")
        assert not offered or self.token.status == "active"

    @rule()
    def remove(self) -> None:
        self.presses("delete")
        assert self.token.is_deleted

    @precondition(lambda self: self.token.is_deleted)
    @rule()
    def restore(self) -> None:
        offered, before = self.standing.offers_restore, self.token.status_before
        capped = self.token.policy.most_tokens is not None
        self.presses("restore")
        assert (self.token.status == before) == (offered and not capped)

    @precondition(lambda self: self.token.is_deleted)
    @rule()
    def purge(self) -> None:
        offered = self.standing.offers_restore
        assert self.token.purge() is False or not offered

    @rule(overlap=OVERLAP, by_page=st.booleans())
    def renew(self, overlap: timedelta, by_page: bool) -> None:
        token, before = self.token, self.token.key_version
        if by_page:
            hours = str(int(overlap.total_seconds() // 3600))
            text = self.presses("key/new", what="renew", hours=hours, version=before)
            self.keeps(text, before)
            return
        until = timezone.now() + overlap
        key = self.does(token.renew, offered=self.standing.offers_new_key, until=until)
        if key:
            self.keys[self.token.key_version] = key.header

    @rule(by_page=st.booleans())
    def rotate(self, by_page: bool) -> None:
        offered, token, before = self.standing.offers_new_key, self.token, self.token.key_version
        if by_page:
            self.keeps(self.presses("key/new", what="rotate", version=before), before)
        elif key := self.does(token.rotate, offered=offered, version=before):
            self.keys[before + 1] = key.header
        assert (self.token.key_version == before + 1) == offered

    @rule(verb=st.sampled_from(["rotate", "renew"]), ends=ENDS)
    def make_key_by_api(self, verb: str, ends: timedelta | None) -> None:
        before = self.token.key_version
        self.keep_asking()
        body = {"expiration_date": (timezone.now() + ends).isoformat()} if ends else {}
        response = self.caller().post(
            f"/public/v1/auth/tokens/{self.token_id}/{verb}",
            body,
            "application/json",
            headers={"authorization": self.asking_key},
        )
        assert response.status_code in {200, 400, 403}, response.content
        if response.status_code == 200:
            secret = response.json()["token" if verb == "rotate" else "renewed_token"]
            self.keys[before + 1] = f"ApiKey {self.token_id}:{secret}"
        assert (self.token.key_version > before) == (response.status_code == 200)

    @rule(later=OVERLAP)
    def extend_old_key(self, later: timedelta) -> None:
        token, cockpit = self.token, self.standing.cockpit
        until = timezone.now() + later
        fits = cockpit is not None and cockpit.ends_at < until <= cockpit.latest_end
        if cockpit and cockpit.offers_extend and fits:
            token.extend(by=self.person.user, until=until)
        else:
            self.does(token.extend, offered=False, until=until)

    @rule()
    def retire(self) -> None:
        offered = self.standing.cockpit is not None
        self.presses("key/retire")
        assert self.standing.cockpit is None or not offered

    @rule(begin=st.booleans())
    def rehearse(self, begin: bool) -> None:
        self.presses("key/rehearse" if begin else "key/rehearse/end")
        cockpit = self.standing.cockpit
        assert cockpit is None or cockpit.is_rehearsed == begin

    @rule()
    def cancel_renewal(self) -> None:
        cockpit = self.standing.cockpit
        offered = bool(cockpit and cockpit.offers_cancel)
        newest = self.token.key_version
        self.presses("key/cancel")
        assert (self.token.keys.get(version=newest).is_retired and offered) or not offered

    @rule(days=st.sampled_from(["30", "60", "never"]))
    def extend_token(self, days: str) -> None:
        self.presses("extend", expires=days)

    @rule(copied=st.booleans())
    def reveal(self, copied: bool) -> None:
        for field in key_fields({"standing": self.standing, "endpoint": ""}, "detail"):
            token = self.token
            if field.can_be_viewed:
                shown = token.reveal(by=self.person.user, copied=copied, version=field.version)
                assert shown == self.keys[field.version]
            text = self.presses("reveal", version=field.version)
            key = self.keys.get(field.version, "?:not there")
            assert (key.rpartition(":")[2] in text) == field.can_be_viewed

    @rule()
    def destroy_copy(self) -> None:
        offered = self.standing.offers_destroying
        self.presses("key/destroy")
        assert not offered or not self.token.keys.exclude(sealed=None).exists()

    @rule(text=st.sampled_from(SPANS), own=st.booleans())
    def add_rule(self, text: str, own: bool) -> None:
        name = f"Rule {IPRule.objects.count()} {text}"
        token = self.token if own and not self.token.is_deleted else None
        self.does(IPRule.add, self.account, token, [(name, read_span(text))], offered=False)

    @rule(own=st.booleans())
    def remove_rules(self, own: bool) -> None:
        scope = self.token_id if own else self.account.pk
        for each in IPRule.objects.filter(scope=scope):
            path = f"/integrations/ip-rules/{each.pk}/delete/"
            response = confirmed(self.client).post(path, follow=True)
            assert response.status_code == 200

    @rule(wanted=WANTED)
    def impose(self, wanted: dict[str, Any]) -> None:
        Policy.change(
            self.account, NOTHING | wanted, starts_at=timezone.now() + timedelta(hours=1), by=None
        )

    @rule()
    def lift(self) -> None:
        Policy.change(self.account, NOTHING, starts_at=timezone.now(), by=None)

    @rule()
    def do_what_the_server_does_by_itself(self) -> None:
        idle = self.token.is_idle
        settling.settle()
        Token.objects.purge()
        assert not idle or self.token.status == "inactive"

    @rule(span=SPAN_OF_TIME)
    def let_time_pass(self, span: timedelta) -> None:
        """Move every stored moment into the past, except those of the trail and of people."""
        for model in apps.get_app_config("tokens").get_models():
            names = [each.name for each in model._meta.fields if isinstance(each, MomentField)]
            if names and not issubclass(model, TokenKey | Token):
                model._default_manager.update(**{name: F(name) - span for name in names})
            for row in model._default_manager.all() if issubclass(model, TokenKey | Token) else ():
                for name in names:
                    if moment := getattr(row, name):
                        setattr(row, name, moment - span)
                row.save()

    # --- What holds after each step -----------------------------------------------------------

    def caller(self) -> Client:
        """Return a client from where the rules of the account let calls in."""
        return Client(REMOTE_ADDR=next(each for each in (HERE, THERE) if self.passes(each)))

    @invariant()
    def all_agree(self) -> None:
        self.keep_asking()
        token = self.token
        standing = Standing(token, may_manage=True)
        for version, key in self.keys.items():
            for address in (HERE, THERE):
                self.check_gate(standing, version, key, address)
        # A call may have been the first one with the new key.
        self.check_page(self.standing)
        self.check_api(self.standing)

    def check_gate(self, standing: Standing, version: int, key: str, address: str) -> None:
        token = standing.token
        response = self.ask("agreements", key, address)
        code = "" if response.status_code == 200 else response.json()["error_code"]
        answer: tuple[int, str] = response.status_code, code
        stored = token.keys.filter(version=version).first()
        cockpit = standing.cockpit
        where = f"key {version} from {address}: {response.content[:300]!r}"
        others = [each for each in standing.hindrances if each not in POLICIES]
        if stored is None:
            assert answer == (401, "AUTH_001"), where
        elif others:
            only_expired = others == [Hindrance.EXPIRED]
            assert answer == (401, "AUTH_005" if only_expired else "AUTH_001"), where
            assert standing.hindrance_text in response.json()["errors"], where
        elif stored not in token.usable_keys:
            assert answer == (401, "AUTH_006"), where
            assert "is retired" in response.text, where
        elif cockpit and cockpit.is_rehearsed and stored == cockpit.old:
            assert answer == (401, "AUTH_006"), where
            assert "rehearsal" in response.text, where
        elif not self.passes(address, token.pk):
            assert answer == (403, "AUTH_007"), where
            assert address in response.text, where
        elif standing.hindrances:
            assert answer == (403, "AUTH_008"), where
            assert standing.hindrance_text in response.json()["errors"], where
        elif cockpit and cockpit.is_over and stored == cockpit.old:
            assert answer == (403, "AUTH_008"), where
        elif not {Module.AGREEMENTS, Module.ALL} & token.grants:
            assert answer == (403, "AUTH_003"), where
        else:
            assert answer == (200, ""), where
        is_old = cockpit is not None and stored == cockpit.old
        if not code:
            assert ("Deprecation" in response.headers) == is_old, where

    def check_page(self, standing: Standing) -> None:
        text = self.client.get(f"/integrations/tokens/{self.token_id}/").text
        for words in (standing.label, standing.headline, standing.headline and standing.advice):
            assert escape(words) in text, words
        assert ("Two Keys Are Live" in text) == (standing.cockpit is not None)
        if cockpit := standing.cockpit:
            # Whatever ends the old key, the cockpit counts down to it.
            ends = [cockpit.old.retires_at, standing.token.expires_at]
            ends.append(standing.token.policy.last_end(cockpit.old.created_at))
            assert cockpit.ends_at == min(each for each in ends if each)
        for each, key in self.keys.items():
            assert key.rpartition(":")[2] not in text, each

    def check_api(self, standing: Standing) -> None:
        token = standing.token
        response = self.caller().get(
            f"/public/v1/auth/tokens/{self.token_id}", headers={"authorization": self.asking_key}
        )
        assert response.status_code == 200, response.content
        said = response.json()
        assert said["status"] == token.state.value
        assert {each["id"] for each in said["permissions"]} == token.grants
        ends, renewed = token.expires_at, None
        if cockpit := standing.cockpit:
            # It does not tell of policies, no more than it does of a token with one key.
            ends, renewed = cockpit.old.retires_at, token.expires_at
            assert not renewed or ends <= renewed
        for name, moment in (("expiration_date", ends), ("renewed_expiration_date", renewed)):
            given = said.get(name) and parse_datetime(said[name])
            assert given == (moment and moment.replace(microsecond=0)), name


@pytest.mark.django_db
def test_whatever_is_done_to_a_token_pages_api_and_gate_agree() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=int(os.environ.get("LIVES", "10")),
            stateful_step_count=20,
            derandomize="LIVES" not in os.environ,
            deadline=None,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
