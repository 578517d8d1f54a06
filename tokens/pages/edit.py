"""The page that edits a token."""

from copy import copy
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import posted, whole
from portal.notices import fail, inform, succeed
from portal.typed import render_form
from tokens.catalog import FUTURE, Access, AccessChange, Module
from tokens.html import actor
from tokens.models import Changed, Deleted, NameTaken, Token
from tokens.pages.detail import find
from tokens.pages.forms import GeneralForm, PermissionsForm, RateForm
from tokens.standing import Standing


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit(request: PersonRequest, token_id: str) -> HttpResponse:
    """Edit everything but the extension, with the forms of the wizard."""
    token = find(request, token_id)
    if token.is_deleted:
        return refuse_deleted(request, token)
    data = posted(request)
    if data is None:
        return show_edit(request, token, data, version=token.version)
    if "select" in data:
        # "Select all" and "Clear" without scripts: show the changed form, save nothing.
        data = data.copy()
        chosen = Module.single() if data["select"] == "all" else ()
        data.setlist("modules", [module.value for module in chosen])
        return show_edit(request, token, data, version=data.get("version", ""))
    if whole(data.get("version"), 0) != token.version:
        return show_conflict(request, token, data)

    general_form, permissions_form, rate_form = forms = edit_forms(token, data)
    if not all(form.is_valid() for form in forms) or request.method != "POST":
        return show_edit(request, token, data, version=token.version)
    modules = None if permissions_form.fixed else permissions_form.cleaned_data["modules"]
    change = AccessChange.between(token.grants, token.grants if modules is None else modules)
    if Standing(token).in_use and not {*change.lost} <= {*data.get("loss", "").split("|")}:
        # The form sends what the panel has listed already, so that nobody has to read it twice.
        return show_edit(request, token, data, version=token.version, loss=change.lost)
    values = {**general_form.values, **rate_form.values}
    if token.widens(modules, general_form.expires_at) or token.widens_rate(**rate_form.values):
        purpose = format_html(_("To save more access for <strong>{}</strong>"), token.name)
        if asked := sudo.ask(request, purpose, _("Save Changes")):
            return show_edit(request, token, data, version=token.version, confirm=asked)
    try:
        count = token.edit(by=request.user, version=token.version, modules=modules, **values)
    except Changed:
        return show_conflict(request, find(request, token_id), data)
    except Deleted:
        return refuse_deleted(request, token)
    except (NameTaken, ValidationError):
        # A name taken or a policy made since the form was validated; validating it again says so.
        return show_edit(request, find(request, token_id), data, version=token.version)
    if count:
        # The modules count one by one.
        fields = sum(getattr(token, name) != value for name, value in values.items())
        say_saved(request, values["name"], fields + len(change.gained) + len(change.lost), change)
    else:
        inform(
            request,
            _("Nothing was changed."),
            _("%(name)s is as it was.") % {"name": text.isolate(token.name)},
        )
    return redirect("tokens:detail", token.pk)


def say_saved(request: PersonRequest, name: str, count: int, change: AccessChange) -> None:
    changes = ngettext("%(n)s change", "%(n)s changes", count) % {"n": count}
    succeed(
        request,
        _("%(name)s is saved: %(changes)s.") % {"name": name, "changes": changes},
        told(change),
    )


def told(change: AccessChange) -> str:
    """Return a change in words: `It gained Pricing. It lost Customers and Usage.`."""
    gained, lost = _("It gained %(names)s."), _("It lost %(names)s.")
    parts = ((gained, change.gained), (lost, change.lost))
    return " ".join(words % {"names": text.join_some(names)} for words, names in parts if names)


def edit_forms(
    token: Token, data: QueryDict | None
) -> tuple[GeneralForm, PermissionsForm, RateForm]:
    # A copy, since validating a form changes its instance, and the page shows the saved name.
    return (
        GeneralForm(data, instance=copy(token)),
        PermissionsForm(data, extension=token.extension, grants=token.grants),
        RateForm(data, instance=copy(token)),
    )


def show_edit(
    request: PersonRequest,
    token: Token,
    data: QueryDict | None,
    *,
    version: int | str,
    **shown: Any,
) -> HttpResponse:
    general_form, permissions_form, rate_form = edit_forms(token, data)
    standing = Standing(token, request.membership.is_admin)
    context = {
        "token": token,
        "standing": standing,
        "extension": token.extension,
        "general_form": general_form,
        "permissions_form": permissions_form,
        "rate_form": rate_form,
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
    """Show what somebody else saved next to what this person wants to save.

    Saving again overwrites the other changes.
    """
    general_form, permissions_form, rate_form = edit_forms(token, data)
    differences = [
        {"label": field.label, "theirs": written(field.initial), "yours": written(field.value())}
        for field in (*general_form, *rate_form)
        if written(field.initial) != written(field.value())
    ]
    theirs, yours = token.access, permissions_form.access
    if theirs != yours:
        differences.append(
            {
                "label": _("Modules"),
                "theirs": modules_written(theirs),
                "yours": modules_written(yours),
            }
        )
    conflict = {
        "by": actor(token.updated_by, token) or _("Somebody"),
        "at": token.updated_at,
        "differences": differences,
    }
    return show_edit(request, token, data, version=token.version, conflict=conflict)


def written(value: Any) -> str:
    """Return the value of a form field as a person reads it."""
    return value.isoformat() if isinstance(value, date) else str(value or _("Not set")).strip()


def modules_written(access: Access) -> str:
    return str(access.summary) if access.all or not access.reach else text.join(access.reach)


def refuse_deleted(request: PersonRequest, token: Token) -> HttpResponse:
    fail(
        request,
        _("A deleted token cannot be changed."),
        _("%(name)s was deleted; nothing was saved.") % {"name": text.isolate(token.name)},
    )
    return redirect("tokens:detail", token.pk)
