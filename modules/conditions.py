"""What conditions of webhooks can ask: the records as the API shows them."""

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import CharField, QuerySet, Value
from django.utils.translation import gettext as _

from accounts.models import Account
from api import rql
from api.resource import Resource
from modules.billing import BILLING_REQUESTS
from modules.customers import ACCOUNT_REQUESTS
from modules.helpdesk import CASES
from modules.integrations import TOKENS
from modules.listings import LISTING_REQUESTS
from modules.subscriptions import REQUESTS
from modules.tier_config import CONFIG_REQUESTS
from modules.usage import USAGE_FILES
from tokens.gate import Caller
from webhooks import conditions
from webhooks.catalog import ObjectClass


class Records:
    """The records of a resource, with what an event says beside what they show."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        shown = {name: resource.filters.AT[name] for name in resource.filter_names}
        self.said = tuple(name for name in conditions.NAMES if name not in shown)
        text: CharField[str, str] = CharField(max_length=255, blank=True)
        added = {name: rql.Filter(f"said_{name}", text) for name in self.said}
        self.filters = rql.build(resource.model, {**shown, **added}, (), resource.search)

    def rows(self, account: Account, said: Mapping[str, str]) -> "QuerySet[Any]":
        """Return the records that the account sees, with what an event says as columns."""
        text: CharField[str, str] = CharField()
        columns = {f"said_{name}": Value(said.get(name, ""), text) for name in self.said}
        caller = Caller("", account.pk, account.side)
        rows: QuerySet[Any] = self.resource.visible(caller, None).annotate(**columns)
        return rows

    def check(self, condition: str) -> None:
        """Raise ValidationError for a condition that cannot be asked of them."""
        anybody = Account(side=Account.Side.VENDOR)
        try:
            asked = rql.apply(self.filters, self.rows(anybody, {}), condition)
        except rql.BadQuery as problem:
            raise ValidationError(str(problem)) from None
        if asked.ignored:
            raise ValidationError(conditions.unknown(asked.ignored[0]))
        if asked.limit is not None or asked.offset is not None or asked.select:
            raise ValidationError(_("A condition has neither limit, offset nor select."))

    def asked(
        self, condition: str, account_id: str, said: Mapping[str, str], ids: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Return which of the ids exist, and which of them meet the condition."""
        rows = self.rows(Account.objects.get(pk=account_id), said).filter(pk__in=ids)
        asked = rql.apply(self.filters, rows, condition)
        if asked.ignored:
            return set(ids), set()
        existing, found = (
            set(map(str, each.order_by().values_list("pk", flat=True)))
            for each in (rows, asked.queryset)
        )
        return existing, found


RECORDS = {
    object_class: Records(resource)
    for object_class, resource in {
        ObjectClass.FULFILLMENT_REQUEST: REQUESTS,
        ObjectClass.TIER_CONFIG_REQUEST: CONFIG_REQUESTS,
        ObjectClass.TIER_ACCOUNT_REQUEST: ACCOUNT_REQUESTS,
        ObjectClass.LISTING_REQUEST: LISTING_REQUESTS,
        ObjectClass.BILLING_REQUEST: BILLING_REQUESTS,
        ObjectClass.USAGE_FILE: USAGE_FILES,
        ObjectClass.HELPDESK_CASE: CASES,
        ObjectClass.TOKEN: TOKENS,
    }.items()
}
