"""The section IP Rules: its list, and adding, editing and deleting rules."""

import ipaddress
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import sudo
from accounts.decorators import for_administrators, for_members
from accounts.http import PersonRequest, get_visible_or_404
from portal import tables, text
from portal.addresses import Span, covers, read_address
from portal.http import client_address, posted, posts_from
from portal.notices import fail, inform, succeed
from portal.text import fold
from portal.typed import render_form
from tokens import origins
from tokens.models import IPRule, Policy, Token
from tokens.origins import Origin
from tokens.pages.detail import find
from tokens.pages.rules.filters import RuleFilter
from tokens.pages.rules.forms import SINGLE, RuleForm
from tokens.pages.rules.tables import RuleTable

# The most addresses and tokens that a page lists; more are counted.
LISTED = 20


@require_safe
@for_members
def index(request: PersonRequest) -> HttpResponse:
    """Show the rules of the account. As with every list, the URL holds the whole state."""
    account = request.membership.account
    rules = IPRule.objects.for_account(account.pk)
    filters = RuleFilter(request, rules)
    table = RuleTable(filters.matching, account=account.pk, may_manage=request.membership.is_admin)
    table.configure(request, request.user.choices("rules"))
    has_rules = rules.exists()
    empty = ""
    if not table.page.object_list:
        empty = "invalid" if not filters.is_valid() else "no_match" if has_rules else "none"
    context = {
        **table.template_context(),
        **filters.template_context(),
        **asked(request),
        "empty": empty,
        "account": account,
        "may_manage": request.membership.is_admin,
        "tokens_with_rules": [] if has_rules else tokens_with_rules(account.pk),
        "refused": still_refused(account.pk),
        "are_required": empty == "none" and Policy.of(account).rules_required,
        "refresh_url": request.get_full_path(),
        "kept_query": {
            name: values
            for name, values in request.GET.lists()
            if name not in {"q", "page", "address"}
        },
    }
    return render(request, "rules/list.html", context)


def tokens_with_rules(account_id: str) -> list[Token]:
    """Return live tokens that have rules of their own."""
    tokens = Token.objects.of_account(account_id).live()
    return [*tokens.filter(ip_rules__isnull=False).distinct().order_by("name_key")[:LISTED]]


def still_refused(account_id: str) -> list[Any]:
    """Return the refused addresses that the rules of today refuse as well."""
    rules = IPRule.objects.filter(account=account_id)
    spans: dict[str, list[Span]] = {}
    for rule in rules:
        spans.setdefault(rule.scope, []).append(rule.span)
    return [
        row
        for row in origins.refused(account_id)
        if any(
            scope in spans and not covers(spans[scope], row.address)
            for scope in (account_id, row.token_id)
        )
    ][:LISTED]


def asked(request: PersonRequest) -> dict[str, Any]:
    """Return the answer to *Would it pass?*: which rule has the address that was typed, if any."""
    typed = request.GET.get("address", "").strip()
    if not typed:
        return {}
    try:
        address = str(read_address(typed))
    except ValidationError as problem:
        return {"asked": typed, "asked_error": problem.message}
    account = request.membership.account_id
    rules = IPRule.objects.for_account(account)
    rule = rules.covering(address).first()
    passes = rule is not None or not rules.exists()
    tokens = Token.objects.of_account(account).live().filter(ip_rules__isnull=False)
    barred = tokens.exclude(ip_rules__in=IPRule.objects.covering(address)).distinct()
    users = [each for each in origins.origins(account) if each.address == address]
    return {
        "asked": address,
        "asked_rule": rule,
        "asked_passes": passes,
        "asked_barred": [*barred.order_by("name_key")[:LISTED]] if passes else [],
        "asked_callers": users[0].callers if users else [],
    }


@posts_from("rules:list")
@for_members
def save_layout(request: PersonRequest) -> HttpResponse:
    return tables.save_layout(request, "rules", RuleTable, reverse("rules:list"))


# --- Adding and editing ---------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def add(request: PersonRequest, token_id: str = "") -> HttpResponse:
    """Add a rule to the account or, with an id, to one of its tokens."""
    token = find(request, token_id) if token_id else None
    rule = IPRule(account=request.membership.account, token=token)
    return refuse_deleted(request, rule) or save(request, rule)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit(request: PersonRequest, rule_id: str) -> HttpResponse:
    rule = find_rule(request, rule_id)
    return refuse_deleted(request, rule) or save(request, rule)


def refuse_deleted(request: PersonRequest, rule: IPRule) -> HttpResponse | None:
    """Say that the rules of a deleted token stay as they are; None for any other rule."""
    if rule.token is None or not rule.token.is_deleted:
        return None
    fail(request, _("A deleted token cannot be changed."))
    return redirect("tokens:detail", rule.token_id)


def find_rule(request: PersonRequest, rule_id: str) -> IPRule:
    rules = IPRule.objects.select_related("account", "token")
    return get_visible_or_404(request, lambda membership: rules.visible_to(membership), rule_id)


def save(request: PersonRequest, rule: IPRule) -> HttpResponse:
    """Show the form of a rule, and save it after showing whom it would stop."""
    is_new, name = rule._state.adding, rule.name
    data = posted(request)
    if data is not None and "current" in data:
        # "Add Current IP": show the form with it, save nothing.
        return show(request, rule, form_of(rule, with_current(request, data)))
    given = {"first": request.GET["address"]} if "address" in request.GET else {}
    form = RuleForm(data, rule=rule, initial=given)
    if data is None or not form.is_valid() or form.span is None or request.method != "POST":
        return show(request, rule, form)

    before = IPRule.rules_of(rule.account, rule.token).spans()
    kept = IPRule.rules_of(rule.account, rule.token).exclude(pk=rule.pk).spans()
    loss = origins.stopped(rule.account_id, rule.token, before, [*kept, form.span])
    ticked = [each for each in loss if each.address in data.getlist("also")]
    if not {each.address for each in loss} <= set(data.getlist("listed")):
        # Warn before saving; the form then sends back what was listed.
        return show(request, rule, form, loss=loss)
    also = [read_address(each.address) for each in ticked]
    more = [(free_name(rule, form, str(each)), Span(each, each)) for each in also]
    if widens(before, [*kept, form.span, *(span for _name, span in more)]):
        purpose = _("To let in calls from more addresses")
        if asked := sudo.ask(request, purpose, label(is_new=is_new, count=1 + len(more))):
            return show(request, rule, form, loss=loss, confirm=asked)
    wanted = [(form.cleaned_data["name"], form.span), *more]
    try:
        changed = store(request, rule, wanted, is_new=is_new)
    except ValidationError as problem:
        # Somebody else was faster since the form was checked.
        form.add_error(None, " ".join(problem.messages))
        return show(request, rule, form)
    told(request, rule, wanted, was=name, changed=changed)
    return redirect(back_url(rule))


def store(
    request: PersonRequest, rule: IPRule, wanted: list[tuple[str, Span]], *, is_new: bool
) -> bool:
    """Save the rule and those that were ticked. Tell whether anything changed."""
    if is_new:
        IPRule.add(rule.account, rule.token, wanted, by=request.user)
        return True
    with transaction.atomic():
        changed = rule.change(*wanted[0], by=request.user)
        if wanted[1:]:
            IPRule.add(rule.account, rule.token, wanted[1:], by=request.user)
    return changed or bool(wanted[1:])


def with_current(request: PersonRequest, data: QueryDict) -> QueryDict:
    """Return the form with the person's own address in it."""
    data = data.copy()
    data["kind"], data["first"], data["last"] = SINGLE, own_address(request), ""
    return data


def form_of(rule: IPRule, data: QueryDict) -> RuleForm:
    """Return an unchecked form, with what was typed."""
    return RuleForm(None, rule=rule, initial={name: data.get(name, "") for name in FIELDS})


FIELDS = ("name", "kind", "first", "last")


def own_address(request: PersonRequest) -> str:
    """Return where the portal sees the person; `""` for a private address, which says nothing."""
    address = client_address(request)
    return address if address and ipaddress.ip_address(address).is_global else ""


def free_name(rule: IPRule, form: RuleForm, name: str) -> str:
    """Return a name for one more rule, its address; with a number if that is taken."""
    taken = {
        *IPRule.objects.filter(account=rule.account_id).values_list("name_key", flat=True),
        fold(form.cleaned_data["name"]),
    }
    names = [name, *(f"{name} ({number})" for number in range(2, 2 + len(taken)))]
    return next(each for each in names if fold(each) not in taken)


def widens(before: list[Span], after: list[Span]) -> bool:
    """Tell whether addresses pass that did not. The first rule narrows: all passed before."""
    return bool(before) and (
        not after or any(not any(old.includes(new) for old in before) for new in after)
    )


def label(*, is_new: bool, count: int) -> str:
    """Return the words of the button that saves the form."""
    if not is_new:
        return _("Save Changes")
    return _("Add Rule") if count == 1 else _("Add %(n)s Rules") % {"n": count}


def show(
    request: PersonRequest,
    rule: IPRule,
    form: RuleForm,
    *,
    loss: list[Origin] | None = None,
    confirm: Any = None,
) -> HttpResponse:
    is_new = rule._state.adding
    rules = IPRule.rules_of(rule.account, rule.token)
    loss = loss or []
    sent = request.POST.getlist("listed")
    also = request.POST.getlist("also")
    rows: list[dict[str, Any]] = [
        {
            "origin": origin,
            "ticked": origin.address in also if origin.address in sent else origin.is_recent,
        }
        for origin in loss[: 10 * LISTED]
    ]
    ticked = sum(row["ticked"] for row in rows)
    context = {
        "rule": rule,
        "form": form,
        "is_new": is_new,
        "is_first": is_new and not rules.exists(),
        "token": rule.token,
        "own_address": own_address(request),
        "loss": loss,
        "rows": rows,
        "callers": origins.count_callers(loss),
        "submit_label": label(is_new=is_new, count=1 + ticked),
        "back_url": back_url(rule),
        "confirm": confirm,
    }
    return render_form(request, "rules/edit.html", context)


def back_url(rule: IPRule) -> str:
    return reverse("tokens:detail", args=(rule.token_id,)) if rule.token else reverse("rules:list")


def told(
    request: PersonRequest,
    rule: IPRule,
    wanted: list[tuple[str, Span]],
    *,
    was: str,
    changed: bool,
) -> None:
    (name, span), more = wanted[0], len(wanted) - 1
    words = {"name": text.isolate(name), "addresses": span}
    if not changed:
        inform(request, _("Nothing was changed."), _("%(name)s is as it was.") % words)
        return
    also = ngettext(
        "One address that was used lately has a rule of its own.",
        "%(n)s addresses that were used lately have rules of their own.",
        more,
    ) % {"n": more}
    title = _("%(name)s is saved.") if was else _("%(name)s is added.")
    succeed(
        request,
        title % words,
        " ".join([_("It lets in %(addresses)s.") % words, *([also] if more else [])]),
    )


# --- Deleting -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def delete(request: PersonRequest, rule_id: str) -> HttpResponse:
    """Ask for confirmation, naming whom it stops (GET), and delete the rule (POST)."""
    rule = find_rule(request, rule_id)
    if refusal := refuse_deleted(request, rule):
        return refusal
    before = IPRule.rules_of(rule.account, rule.token).spans()
    after = IPRule.rules_of(rule.account, rule.token).exclude(pk=rule.pk).spans()
    if request.method == "POST":
        purpose = format_html(_("To delete the rule <strong>{}</strong>"), rule.name)
        if widens(before, after) and (asked := sudo.ask(request, purpose, _("Delete Rule"))):
            return sudo.page(request, asked, back=back_url(rule))
        rule.remove(by=request.user)
        effect = (
            _("Calls from %(addresses)s get the answer 403 from now on.") % {"addresses": rule.span}
            if after
            else origins.without_rules(rule.account, rule.token)
        )
        succeed(request, _("%(name)s is deleted.") % {"name": text.isolate(rule.name)}, effect)
        return redirect(back_url(rule))
    loss = origins.stopped(rule.account_id, rule.token, before, after)
    context = {
        "rule": rule,
        "token": rule.token,
        "is_last": not after,
        "effect": origins.without_rules(rule.account, rule.token),
        "rows": [{"origin": origin} for origin in loss[: 10 * LISTED]],
        "callers": origins.count_callers(loss),
        "back_url": back_url(rule),
    }
    return render(request, "rules/delete.html", context)
