"""The tables of IP rules."""

from collections.abc import Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.http import HttpRequest
from django.template.loader import get_template
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.html import ago, day, day_and_time, two_lines
from portal.tables import Table, actions_column
from tokens.models import IPRule, Token
from tokens.origins import Origin, origins


class RuleTable(Table):
    """The rules of an account."""

    name = tables.Column(gettext_lazy("Name"), order_by=("name_key", "pk"))
    addresses = tables.Column(gettext_lazy("Addresses"), order_by=("first", "pk"))
    added = tables.Column(gettext_lazy("Added"), order_by=("created_at", "pk"))
    last_matched = tables.Column(gettext_lazy("Last matched"), orderable=False)
    actions = actions_column()

    always: Sequence[str] = ("name",)
    default_columns: ClassVar[tuple[str, ...]] = ("name", "addresses", "added", "last_matched")
    default_sort = "name"
    kind = "rules"

    token: Token | None = None

    class Meta(Table.Meta):
        sequence = ("name", "addresses", "added", "last_matched", "actions")

    def __init__(self, rules: Any, *, account: str, may_manage: bool) -> None:
        super().__init__(rules)
        self.account = account
        if may_manage:
            self.always = ("name", "actions")

    def configure(self, request: HttpRequest, choices: Any, *, paginate: bool = True) -> None:
        self.request = request
        self.menu = get_template("rules/menu.html")
        super().configure(request, choices, paginate=paginate)

    @cached_property
    def origins(self) -> list[Origin]:
        """Where calls came from in the last 30 days, latest first."""
        return origins(self.account, self.token)

    def render_name(self, record: IPRule) -> SafeString:
        return two_lines(record.name)

    def render_addresses(self, record: IPRule) -> SafeString:
        span = record.span
        return two_lines(format_html('<span class="mono">{}</span>', span), span.size_words)

    def render_added(self, record: IPRule) -> SafeString:
        return two_lines(day_and_time(record.created_at), made_by(record))

    def render_last_matched(self, record: IPRule) -> SafeString:
        span = record.span
        last = next((each for each in self.origins if span.covers(each.address)), None)
        return (
            two_lines(ago(last.last_at), last.address) if last else two_lines(_("Not in 30 days"))
        )

    def render_actions(self, record: IPRule) -> str:
        return self.menu.render({"rule": record, "request": self.request})


class TokenRuleTable(RuleTable):
    """The rules of one token, on its page."""

    added = None
    default_columns = ("name", "addresses", "last_matched")

    class Meta(Table.Meta):
        sequence = ("name", "addresses", "last_matched", "actions")
        orderable = False

    def __init__(self, token: Token, *, may_manage: bool) -> None:
        super().__init__(
            token.ip_rules.order_by("name_key", "pk"),
            account=token.account_id,
            may_manage=may_manage,
        )
        self.token = token

    def render_name(self, record: IPRule) -> SafeString:
        by = made_by(record)
        added = day(record.created_at)
        return two_lines(record.name, format_html("{}, {}", added, by) if by else added)


def made_by(rule: IPRule) -> str:
    return rule.created_by.label if rule.created_by else ""
