"""`/public/v1/modules/<id>/settings`: the IP rules, as settings of the module Integrations.

As in Connect, the module is named by its id or by `integrations`. Connect publishes only the GET.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounts.models import Account
from api import bodies
from api.answers import READ, method_not_allowed, not_found
from api.bodies import ApiError
from modules.integrations import acting
from portal import api
from portal.addresses import Span, covers, read_address, read_span, span_of
from portal.http import client_address
from portal.text import line
from tokens.catalog import Module
from tokens.gate import ApiRequest
from tokens.models import IPRule, Token
from tokens.permissions import requires_module

NAMES = {Module.INTEGRATIONS.value, "integrations"}
METHODS = (*READ, "PUT")


@requires_module(Module.INTEGRATIONS)
def settings(request: ApiRequest, pk: str) -> HttpResponse:
    """Show the IP rules of the account, or replace them."""
    if request.method not in METHODS:
        return method_not_allowed(METHODS)
    if pk not in NAMES:
        return not_found(pk)
    if request.method == "PUT":
        try:
            replace(request)
        except ApiError as problem:
            return problem.response
    rules = IPRule.objects.for_account(request.token.account_id).order_by("name_key", "pk")
    ips = [{"name": rule.name, "ip_range": [rule.first, rule.last]} for rule in rules]
    return api.json_response({"acl": {"ips": ips}})


def replace(request: ApiRequest) -> None:
    """Make the rules of the body those of the account. Raise ApiError.

    Existing rules for the same addresses are kept, and renamed if necessary.
    """
    body = bodies.read(request)
    wanted = read_rules(body)
    account = Account.objects.get(pk=request.token.account_id)
    by = acting(request.token)
    address = client_address(request)
    spans = [*wanted]
    if body.get("force") is not True and (why := lockout(by, address, spans)):
        raise ApiError(f"acl.ips: {why} " + _("Send `force`: true to save them anyway."))
    try:
        IPRule.replace(account, wanted, by=by)
    except ValidationError as problem:
        raise ApiError(*(f"acl.ips: {message}" for message in problem.messages)) from None


def lockout(caller: Token, address: str | None, spans: list[Span]) -> str:
    """Return why these rules of its account would refuse the caller; `""` if they would not."""
    if spans and not (address and covers(spans, address)):
        where = address or _("an address that is not known")
        words = _("These rules would refuse your own calls, which come from %(address)s.")
        return words % {"address": where}
    if not spans and caller.policy.rules_required and not caller.ip_rules.exists():
        return _("Without rules, a policy of the account would refuse your own calls.")
    return ""


def read_rules(body: dict[str, Any]) -> dict[Span, str]:
    """Return the names of the rules in a body, by their addresses. Raise ApiError."""
    acl = body.get("acl")
    ips = acl.get("ips") if isinstance(acl, dict) else None
    if not isinstance(ips, list):
        raise ApiError("acl.ips: " + _("Must be a list of rules."))
    wanted: dict[Span, str] = {}
    for number, each in enumerate(ips):
        where = f"acl.ips[{number}]"
        if not isinstance(each, dict):
            raise ApiError(f"{where}: " + _("Must be an object."))
        span = said(f"{where}.ip_range", read_range, each.get("ip_range"))
        name = said(f"{where}.name", read_name, each.get("name"))
        if span in wanted:
            raise ApiError(f"{where}.ip_range: " + _("%(span)s is listed twice.") % {"span": span})
        wanted[span] = name
    return wanted


def said(where: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValidationError as problem:
        raise ApiError(*(f"{where}: {message}" for message in problem.messages)) from None


def read_name(value: Any) -> str:
    if not isinstance(value, str) or not line(value):
        raise ValidationError(_("Enter a name for the rule."))
    return line(value)


def read_range(value: Any) -> Span:
    """Return the addresses of a rule: a list of one or two, or of one network."""
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= 2
        or not all(isinstance(each, str) for each in value)
    ):
        raise ValidationError(_("Must be a list with the first and the last address."))
    if len(value) == 1:
        return read_span(value[0])
    return span_of(read_address(value[0]), read_address(value[1]))
