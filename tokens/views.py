"""Pages of the Tokens section: General, the list, the details and what one can do to a token."""

from copy import copy
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import sudo
from accounts.decorators import always_possible, for_administrators, for_members
from accounts.http import PersonRequest, get_visible_or_404
from accounts.models import Membership
from portal import text
from portal.http import client_address, next_url, posted, posts_from, whole
from portal.notices import Action, fail, inform, succeed
from portal.tables import Table
from portal.typed import render_form
from tokens import first_call, keys, vault
from tokens.catalog import FUTURE, Access, AccessChange, Module
from tokens.filters import Chip, ModuleFilter, TokenFilter, with_values, without
from tokens.forms import GeneralForm, PermissionsForm
from tokens.models import Changed, Deleted, NameTaken, Token, TokenQuerySet
from tokens.standing import Standing
from tokens.tables import PermissionRow, PermissionTable, TokenTable
from tokens.templatetags.tokens import actor
from tokens.wizard import Step, just_created

# Letters of the mark by which a session knows a form that has shown a key, and how many it keeps.
ONCE = 12
REMEMBERED_FORMS = 50

# --- General ------------------------------------------------------------------------------------


@require_safe
@for_members
def general(request: PersonRequest) -> HttpResponse:
    """Where the API is and how a first call works."""
    count = Token.objects.visible_to(request.membership).live().count()
    return render(request, "tokens/general.html", {"endpoint": endpoint(request), "token_count": count, "may_manage": request.membership.is_admin})


def endpoint(request: HttpRequest) -> str:
    """The base address of the API, as this person reaches the portal."""
    return request.build_absolute_uri("/public/v1")


# --- List ---------------------------------------------------------------------------------------


@require_safe
@for_members
def index(request: PersonRequest) -> HttpResponse:
    """The list. Its whole state is the address; what that does not say comes from the person's remembered choices."""
    tokens = Token.objects.visible_to(request.membership)
    filters = TokenFilter(request, tokens.with_people())
    table = TokenTable(filters.rows, may_manage=request.membership.is_admin)
    table.configure(request, request.user.choices("tokens"))
    valid = filters.is_valid()
    empty = ""
    if not table.page.object_list:
        empty = "invalid" if not valid else "no_match" if tokens.exists() else "none"
    return render(
        request,
        "tokens/list.html",
        {
            **table.state(),
            "filter_form": filters.form,
            "filters_open": "filter" in request.GET or not valid,
            "open_url": with_values(request.GET, filter="open"),
            "close_url": without(request.GET, "filter"),
            "applied": bool(filters.chips),
            "chips": filters.chips,
            "clear_url": filters.clear_url,
            "empty": empty,
            "no_match_text": filters.no_match_text if empty == "no_match" else "",
            "all_statuses_url": filters.all_statuses_url if empty == "no_match" and "status" not in request.GET else None,
            "may_manage": request.membership.is_admin,
            "refresh_url": request.get_full_path(),
            "state": {name: values for name, values in request.GET.lists() if name not in {"q", "page"}},
        },
    )


@posts_from("tokens:list")
@for_members
def view(request: PersonRequest) -> HttpResponse:
    """Remember how the person wants the list, and show it so; the address then says it too and can be shared."""
    return remember(request, "tokens", TokenTable, reverse("tokens:list"))


def remember(request: PersonRequest, topic: str, table: type[Table], default: str) -> HttpResponse:
    """Keep the choices of a table's header, pager and column chooser, and return to the list with them in the address."""
    target = urlsplit(next_url(request, default))
    query = parse_qs(target.query, keep_blank_values=True)
    query.pop("page", None)
    names = [name for name in table.base_columns if name != "actions"]
    sort, per_page = request.POST.get("sort", ""), whole(request.POST.get("per_page"), 0)
    chosen: dict[str, Any] = {}
    if "reset" in request.POST:
        chosen = {"columns": None, "sort": None, "per_page": None}
    elif "columns_sent" in request.POST:
        chosen["columns"] = [name for name in names if name in {*request.POST.getlist("columns"), *table.always}]
    elif sort.removeprefix("-") in names:
        chosen["sort"] = sort
    elif per_page in table.page_sizes:
        chosen["per_page"] = per_page
    for name, value in chosen.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [",".join(value) if isinstance(value, list) else str(value)]
    if chosen:
        request.user.remember(topic, **chosen)
    return redirect(f"{target.path}?{urlencode(query, doseq=True)}" if query else target.path)


# --- Details ------------------------------------------------------------------------------------


@require_safe
@for_members
def detail(request: PersonRequest, token_id: str) -> HttpResponse:
    return show_detail(request, find(request, token_id))


@require_safe
@for_members
def permissions(request: PersonRequest, token_id: str) -> HttpResponse:
    """The second tab: every module and whether the token may reach it."""
    token = find(request, token_id)
    grants = {permission.module: permission for permission in token.permissions.select_related("granted_by", "granted_by_token")}
    standing = Standing(token, request.membership.is_admin)
    form = ModuleFilter(request.GET, standing=standing)
    wanted = form.cleaned_data if form.is_valid() else {"q": "", "status": ""}
    rows = [
        row
        for row in (PermissionRow(module, grants, standing) for module in Module)
        if wanted["q"].casefold() in f"{row.label} {row.module.covers}".casefold()
        and wanted["status"] in {"", "enabled" if row.enabled else "disabled"}
    ]
    table = PermissionTable(rows)
    table.configure(request, request.user.choices("permissions"), paginate=False)
    chips = [
        Chip(str(form.fields[name].label), str(form.statuses[value]) if name == "status" else value, without(request.GET, name))
        for name, value in wanted.items()
        if value
    ]
    return render(
        request,
        "tokens/detail.html",
        {
            **frame(request, token),
            **table.state(),
            "tab": "permissions",
            "find_form": form,
            "filters_open": "filter" in request.GET or not form.is_valid(),
            "open_url": with_values(request.GET, filter="open"),
            "close_url": without(request.GET, "filter"),
            "chips": chips,
            "clear_url": without(request.GET, "q", "status"),
        },
    )


@posts_from("tokens:permissions")
@for_members
def permissions_view(request: PersonRequest, token_id: str) -> HttpResponse:
    """Remember the columns of the Permissions tab."""
    token = find(request, token_id)
    return remember(request, "permissions", PermissionTable, reverse("tokens:permissions", args=(token.pk,)))


@require_safe
@for_members
def summary(request: PersonRequest, token_id: str) -> HttpResponse:
    """Step 4 of the wizard, for the session that has just created the token; for everybody else the details."""
    token = find(request, token_id)
    return show_summary(request, token) if has_summary(request, token) else redirect("tokens:detail", token.pk)


def has_summary(request: PersonRequest, token: Token) -> bool:
    """Whether the moment of Summary, which says that the token is ready to use, is still there."""
    return just_created(request, token) and Standing(token).can_call


@posts_from("tokens:detail")
@for_administrators
def reveal(request: PersonRequest, token_id: str) -> HttpResponse:
    """The page again, with the key in it. Asks for the password first, and is recorded."""
    return hand_out(request, find(request, token_id), copied=False)


@posts_from("tokens:detail")
@for_administrators
def copy_key(request: PersonRequest, token_id: str) -> HttpResponse:
    """The key as plain text, for a script that puts it into the clipboard. Asked and recorded like View.

    Without the header that no form of another site can send, it is View.
    """
    return hand_out(request, find(request, token_id), copied=bool(request.htmx))


def hand_out(request: PersonRequest, token: Token, *, copied: bool) -> HttpResponse:
    page = "summary" if request.POST.get("page") == "summary" and has_summary(request, token) else "detail"
    show = show_summary if page == "summary" else show_detail
    if token.is_deleted:
        fail(request, _("The token is deleted, and its key with it."))
        return redirect("tokens:detail", token.pk)
    if not copied and has_shown(request):
        return redirect(f"tokens:{page}", token.pk)
    if page != "summary":
        purpose = format_html(_("To view the key of <strong>{}</strong>"), token.name)
        if asked := sudo.ask(request, purpose, _("Copy Key") if copied else _("View Key")):
            return show(request, token, key_confirm=asked, confirm_return="#key-copy" if copied else "#key-view")
    try:
        key = token.reveal(by=request.user, address=client_address(request), copied=copied)
    except vault.SealBroken:
        fail(
            request,
            _("The key cannot be opened."),
            _("Its sealing key is missing or the stored copy was changed; tell the portal's administrator.") + " " + Standing(token).calls,
        )
        return redirect(f"tokens:{page}", token.pk)
    if copied:
        return HttpResponse(key, content_type="text/plain; charset=utf-8")
    note_shown(request)
    return show(request, token, key=key, viewed={"by": request.user, "at": timezone.now()})


def has_shown(request: PersonRequest) -> bool:
    """Tell whether this very form has shown the key before: reloading that page sends it again."""
    return request.POST.get("once") in request.session.get("forms_that_showed_keys", ())


def note_shown(request: PersonRequest) -> None:
    """Remember the form that shows the key now; of a session, the last ones are enough."""
    if once := request.POST.get("once", "")[:ONCE]:
        shown = request.session.get("forms_that_showed_keys", [])
        request.session["forms_that_showed_keys"] = [*shown, once][-REMEMBERED_FORMS:]


def find(request: PersonRequest, token_id: str) -> Token:
    """The token with all that its pages show, or 404: another account's token does not exist."""

    def visible(membership: Membership) -> TokenQuerySet:
        tokens = Token.objects.visible_to(membership).with_people()
        return tokens.select_related("account", "status_changed_by", "status_changed_by_token")

    return get_visible_or_404(request, visible, token_id)


def frame(request: PersonRequest, token: Token) -> dict[str, Any]:
    """What the header of the details needs."""
    changed = {"by": actor(token.status_changer, token), "at": token.status_changed_at} if token.status_changed_at else None
    return {
        "token": token,
        "standing": Standing(token, request.membership.is_admin),
        "status_change": changed,
        "extension": token.kind,
        "last_used_at": token.last_used_at,
        "endpoint": endpoint(request),
        "first_calls": first_call.examples(endpoint(request), token.grants),
    }


def key_field(token: Token, page: str, **shown: Any) -> dict[str, Any]:
    """The key field of a page; `shown` has the key itself, or the password form, after View or Copy was pressed."""
    return {
        "key": None,
        "key_confirm": None,
        "viewed": None,
        "page": page,
        "masked_prefix": f"{keys.SCHEME} {token.pk}:",
        "once": get_random_string(ONCE),
        **shown,
    }


def show_detail(request: PersonRequest, token: Token, **shown: Any) -> HttpResponse:
    return render(request, "tokens/detail.html", {**frame(request, token), "tab": "general", **key_field(token, "detail", **shown)})


def show_summary(request: PersonRequest, token: Token, **shown: Any) -> HttpResponse:
    answers = {Step.GENERAL: token.name, Step.EXTENSION: token.kind.label, Step.PERMISSIONS: token.access.summary}
    steps = [
        {
            "number": step.number,
            "label": step.label,
            "state": "current" if step is Step.SUMMARY else "done",
            "url": None,
            "answer": answers.get(step, ""),
        }
        for step in Step
    ]
    context = {**frame(request, token), "steps": steps, **key_field(token, "summary", **shown)}
    return render(request, "tokens/summary.html", context)


# --- What one can do to a token --------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit(request: PersonRequest, token_id: str) -> HttpResponse:
    """Change everything but the extension, with the forms of the wizard."""
    token = find(request, token_id)
    if token.is_deleted:
        return refuse_deleted(request, token)
    data = posted(request)
    if data is not None and "select" in data:
        # "Select all" and "Clear" without scripts: show the form as asked, save nothing.
        data = data.copy()
        data.setlist("modules", [module.value for module in Module.single()] if data["select"] == "all" else [])
        return show_edit(request, token, data, version=data.get("version", ""))
    if data is None:
        return show_edit(request, token, data, version=token.version)
    if whole(data.get("version"), 0) != token.version:
        return show_conflict(request, token, data)

    general_form, permissions_form = edit_forms(token, data)
    if not (general_form.is_valid() & permissions_form.is_valid()) or request.method != "POST":
        return show_edit(request, token, data, version=token.version)
    modules = None if permissions_form.fixed else permissions_form.cleaned_data["modules"]
    change = AccessChange.between(token.grants, token.grants if modules is None else modules)
    if Standing(token).in_use and not {*change.lost} <= {*data.get("loss", "").split("|")}:
        # Whoever has read in the panel what programs would lose does not read it twice.
        return show_edit(request, token, data, version=token.version, loss=change.lost)
    if token.widens(modules, general_form.expires_at):
        purpose = format_html(_("To save more access for <strong>{}</strong>"), token.name)
        if asked := sudo.ask(request, purpose, _("Save Changes")):
            return show_edit(request, token, data, version=token.version, confirm=asked)
    try:
        count = token.edit(by=request.user, version=token.version, modules=modules, **general_form.values)
    except Changed:
        return show_conflict(request, find(request, token_id), data)
    except Deleted:
        return refuse_deleted(request, token)
    except NameTaken:
        # Taken since the form was checked: checking it once more finds that.
        return show_edit(request, find(request, token_id), data, version=token.version)
    if count:
        values = general_form.values
        count = sum(getattr(token, name) != value for name, value in values.items()) + len(change.gained) + len(change.lost)
        changes = ngettext("%(n)s change", "%(n)s changes", count) % {"n": count}
        succeed(request, _("%(name)s is saved: %(changes)s.") % {"name": values["name"], "changes": changes}, told(change))
    else:
        inform(request, _("Nothing was changed."), _("%(name)s is as it was.") % {"name": text.isolate(token.name)})
    return redirect("tokens:detail", token.pk)


def told(change: AccessChange) -> str:
    """`It gained Pricing. It lost Customers and Usage.`"""
    gained, lost = _("It gained %(names)s."), _("It lost %(names)s.")
    parts = ((gained, change.gained), (lost, change.lost))
    return " ".join(words % {"names": text.join_some(names)} for words, names in parts if names)


def edit_forms(token: Token, data: QueryDict | None) -> tuple[GeneralForm, PermissionsForm]:
    # A copy: checking a form writes into its instance, and the page still names the token as it is saved.
    return GeneralForm(data, instance=copy(token)), PermissionsForm(data, extension=token.kind, grants=token.grants)


def show_edit(request: PersonRequest, token: Token, data: QueryDict | None, *, version: int | str, **shown: Any) -> HttpResponse:
    general_form, permissions_form = edit_forms(token, data)
    standing = Standing(token, request.membership.is_admin)
    context = {
        "token": token,
        "standing": standing,
        "extension": token.kind,
        "general_form": general_form,
        "permissions_form": permissions_form,
        "access": standing.access_with(permissions_form.chosen),
        "last_used_at": token.last_used_at,
        "future": FUTURE,
        "token_version": version,
        "conflict": None,
        "loss": (),
        **shown,
    }
    return render_form(request, "tokens/edit.html", context)


def show_conflict(request: PersonRequest, token: Token, data: QueryDict) -> HttpResponse:
    """What somebody else saved beside what this person wants to save; saving once more replaces it."""
    general_form, permissions_form = edit_forms(token, data)
    rows = [
        {"label": field.label, "theirs": written(field.initial), "yours": written(field.value())}
        for field in general_form
        if written(field.initial) != written(field.value())
    ]
    theirs, yours = token.access, permissions_form.access
    if theirs != yours:
        rows.append({"label": _("Modules"), "theirs": modules_written(theirs), "yours": modules_written(yours)})
    conflict = {"by": actor(token.updater, token) or _("Somebody"), "at": token.updated_at, "rows": rows}
    return show_edit(request, token, data, version=token.version, conflict=conflict)


def written(value: Any) -> str:
    """A value of a form as a person reads it."""
    return value.isoformat() if isinstance(value, date) else str(value or _("Not set")).strip()


def modules_written(access: Access) -> str:
    return str(access.summary) if access.all or not access.reach else text.join(access.reach)


def refuse_deleted(request: PersonRequest, token: Token) -> HttpResponse:
    fail(request, _("A deleted token cannot be changed."), _("%(name)s was deleted; nothing was saved.") % {"name": text.isolate(token.name)})
    return redirect("tokens:detail", token.pk)


@always_possible
@posts_from("tokens:detail")
@for_administrators
def disable(request: PersonRequest, token_id: str) -> HttpResponse:
    token = find(request, token_id)
    before = Standing(token)
    effect = _("Its next API call gets the answer 401.") if before.can_call else before.calls
    if token.disable(by=request.user):
        again = Action(label=_("Enable again"), url=reverse("tokens:enable", args=(token.pk,)))
        succeed(request, _("%(name)s is disabled.") % {"name": text.isolate(token.name)}, effect, again)
    else:
        unchanged(request, token)
    return redirect(next_url(request, reverse("tokens:list")))


@posts_from("tokens:detail")
@for_administrators
def enable(request: PersonRequest, token_id: str) -> HttpResponse:
    token = find(request, token_id)
    back = next_url(request, reverse("tokens:list"))
    purpose = format_html(_("To enable <strong>{}</strong>"), token.name)
    if asked := sudo.ask(request, purpose, _("Enable")):
        return sudo.page(request, asked, back=back)
    if token.enable(by=request.user):
        now = Standing(token)
        tell, effect = (succeed, _("Its key works again.")) if now.can_call else (inform, now.calls)
        tell(request, _("%(name)s is enabled.") % {"name": text.isolate(token.name)}, effect)
    else:
        unchanged(request, token)
    return redirect(back)


def unchanged(request: PersonRequest, token: Token) -> None:
    """Somebody, perhaps in another tab, was quicker."""
    token.refresh_from_db()
    status = str(token.get_status_display()).lower()
    inform(request, _("Nothing was changed."), _("%(name)s is %(status)s already.") % {"name": text.isolate(token.name), "status": status})


@always_possible
@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def delete(request: PersonRequest, token_id: str) -> HttpResponse:
    """GET asks, naming the token and its use; POST deletes."""
    token = find(request, token_id)
    back = next_url(request, reverse("tokens:list"))
    if token.is_deleted:
        inform(request, _("%(name)s is deleted already.") % {"name": text.isolate(token.name)})
        return redirect(back)
    if request.method == "POST":
        token.remove(by=request.user)
        succeed(request, _("%(name)s is deleted.") % {"name": text.isolate(token.name)}, _("It stays in the list under the status Deleted."))
        return redirect(back)
    return render(request, "tokens/delete.html", {**frame(request, token), "next": back})
