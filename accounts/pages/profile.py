"""Profile: who one is, and which mails one gets."""

from datetime import timedelta

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import limits, mails
from accounts.decorators import for_any_account
from accounts.forms import ProfileForm
from accounts.http import PersonRequest
from accounts.mails import HINTS, Kind, Mail, When
from accounts.views import remember_theme
from portal.http import next_url, posted, posts_from
from portal.navigation import THEMES
from portal.notices import fail, succeed
from portal.typed import render_form

TEST_MAILS = 5


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def about(request: PersonRequest) -> HttpResponse:
    theme = request.COOKIES.get("theme", "")
    initial = {"theme": theme if theme in THEMES else "system"}
    form = ProfileForm(posted(request), instance=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        # Only these columns: somebody may have changed the others since the row was read.
        request.user.save(update_fields=form.Meta.fields)
        succeed(request, _("Your profile is saved."))
        response = redirect("accounts:profile")
        remember_theme(response, form.cleaned_data["theme"])
        return response
    return render_form(
        request,
        "accounts/profile.html",
        {"form": form, "memberships": request.memberships, "tab": "about"},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: PersonRequest) -> HttpResponse:
    membership = request.membership or None
    data = posted(request)
    if request.method == "POST" and membership and membership.is_admin:
        membership.mails = {kind.value: whens(request.POST, kind) for kind in Kind}
        membership.save(update_fields=("mails",))
        succeed(request, _("Your choice is saved."))
        return redirect("accounts:notifications")
    kinds = [
        {
            "name": kind.value,
            "label": kind.label,
            "hint": HINTS.get(kind, ""),
            "boxes": [
                {"value": when.value, "label": when.label, "checked": when in chosen}
                for when in When
            ],
        }
        for kind in Kind
        if membership and membership.is_admin
        for chosen in [mails.choices(membership, kind) if data is None else whens(data, kind)]
    ]
    return render(
        request,
        "accounts/notifications.html",
        {"kinds": kinds, "whens": When.labels, "tab": "notifications"},
    )


def whens(data: QueryDict, kind: Kind) -> list[str]:
    """Return when mails of a kind are wanted, as the form says it."""
    return [when for when in When.values if when in data.getlist(kind)]


@for_any_account
@posts_from("accounts:notifications")
def test_mail(request: PersonRequest) -> HttpResponse:
    """Send the person a mail now, so that they learn at once whether it works."""
    reason = _("You sent many test mails.")
    limit = limits.Limit(f"test-mail:{request.user.pk}", TEST_MAILS, timedelta(minutes=15), reason)
    limits.take([limit])
    title = _("Mails of the portal reach you")
    mail = Mail(
        subject=title,
        preview=_("This is the test mail that you asked for."),
        title=title,
        text=_("You asked for it in the portal, so mails of the portal arrive."),
    )
    try:
        mails.deliver(mail, request.user.email)
    except OSError:
        fail(
            request,
            _("No mail could be sent."),
            _("Tell the operator of the portal to check the mail server."),
        )
    else:
        succeed(request, _("A test mail is on its way to %s.") % request.user.email)
    return redirect(next_url(request, reverse("accounts:notifications")))
