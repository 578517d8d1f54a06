"""Profile, People: who belongs to the account, and inviting others into it."""

from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import alerts, limits, mails, second_step, signals, sudo
from accounts.decorators import for_administrators, for_any_account
from accounts.forms import InvitationForm, JoinForm
from accounts.http import PersonRequest
from accounts.mails import Fact, Mail, Step
from accounts.models import (
    Authenticator,
    Invitation,
    LastAdministrator,
    Membership,
    Over,
    User,
)
from portal.http import posted, posts_from, whole
from portal.notices import fail, inform, succeed
from portal.text import day
from portal.typed import render_form

# --- The people of an account ---------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def overview(request: PersonRequest) -> HttpResponse:
    """List the people of the account; POST invites one."""
    account = request.membership.account
    form = InvitationForm(posted(request), account=account)
    if request.method == "POST" and form.is_valid():
        if asked := sudo.ask(request, _("To invite a person"), _("Invite")):
            return sudo.page(request, asked, back=reverse("accounts:people"))
        limits.take(limits.invitations(account.pk))
        invite(request, form.cleaned_data["email"], form.cleaned_data["role"])
        return redirect("accounts:people")
    has_two_step = Exists(Authenticator.objects.filter(user=OuterRef("user")))
    context = {
        "form": form,
        "tab": "people",
        "people": Membership.objects.filter(account=account)
        .select_related("user")
        .annotate(has_two_step=has_two_step)
        .order_by("user__name", "pk"),
        "invitations": Invitation.objects.visible_to(request.membership),
    }
    return render_form(request, "accounts/people.html", context)


def invite(request: PersonRequest, email: str, role: str) -> None:
    """Send an invitation, and say what became of it."""
    with transaction.atomic():
        row, token = Invitation.issue(request.membership.account, email, role, by=request.user)
        signals.invitation_changed.send(Invitation, invitation=row, is_sent=True)
    try:
        mails.deliver(mail_of(request, row, token), email)
    except OSError:
        row.delete()
        fail(request, _("No mail could be sent to %s.") % email, _("Nobody was invited."))
    else:
        succeed(request, _("%s is invited.") % email, _("The link in the mail works for 7 days."))


def mail_of(request: PersonRequest, row: Invitation, token: str) -> Mail:
    title = _("You are invited to %s") % row.account
    return Mail(
        subject=title,
        preview=_("%(name)s invites you, as %(role)s.")
        % {"name": request.user.name, "role": row.get_role_display()},
        title=title,
        text=_("Open this address to accept. It works once, until %s:") % day(row.expires_at),
        link=request.build_absolute_uri(reverse("accounts:invitation", args=(token,))),
        facts=[
            Fact(_("Account"), row.account.name, row.account_id),
            Fact(_("Role"), str(row.get_role_display())),
            Fact(_("Invited by"), request.user.name, request.user.email),
        ],
        steps=[Step(_("Not expected?"), _("There is nothing to do."))],
    )


def chosen(request: PersonRequest) -> Membership:
    """Return the posted membership of the account. Raise Http404."""
    row = (
        Membership.objects.filter(
            account=request.membership.account_id, pk=whole(request.POST.get("member"), 0)
        )
        .select_related("user", "account")
        .first()
    )
    if row is None:
        raise Http404
    return row


@posts_from("accounts:people")
@for_administrators
def change_role(request: PersonRequest) -> HttpResponse:
    row, role = chosen(request), request.POST.get("role", "")
    if role not in Membership.Role:
        raise Http404
    if asked := sudo.ask(request, _("To change a role"), _("Change")):
        return sudo.page(request, asked, back=reverse("accounts:people"))
    try:
        with alerts.watched(request):
            row.change_role(role)
    except LastAdministrator:
        refuse_last(request)
    else:
        label = Membership.Role(role).label
        succeed(request, _("%(name)s is %(role)s now.") % {"name": row.user.name, "role": label})
    return redirect("accounts:people" if row != request.membership else "accounts:profile")


@posts_from("accounts:people")
@for_administrators
def remove(request: PersonRequest) -> HttpResponse:
    row = chosen(request)
    if asked := sudo.ask(request, _("To remove a person from the account"), _("Remove")):
        return sudo.page(request, asked, back=reverse("accounts:people"))
    try:
        with alerts.watched(request):
            row.end()
    except LastAdministrator:
        refuse_last(request)
    else:
        text = _("What they did stays in Activity.")
        succeed(request, _("%s no longer belongs to the account.") % row.user.name, text)
    return redirect("accounts:people" if row.user != request.user else "accounts:profile")


def refuse_last(request: PersonRequest) -> None:
    fail(
        request,
        _("Nothing was changed."),
        _("An account needs an administrator. Make somebody else one first."),
    )


@posts_from("accounts:people")
@for_administrators
def withdraw(request: PersonRequest) -> HttpResponse:
    """Withdraw an invitation. It takes something away, so the password is not asked for."""
    row = (
        Invitation.objects.visible_to(request.membership)
        .filter(pk=whole(request.POST.get("invitation"), 0))
        .first()
    )
    if row is None:
        raise Http404
    with transaction.atomic():
        signals.invitation_changed.send(Invitation, invitation=row, is_sent=False)
        row.delete()
    succeed(request, _("The invitation of %s is withdrawn.") % row.email)
    return redirect("accounts:people")


# --- Accepting ------------------------------------------------------------------------------------


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation; somebody new chooses name and password here, others sign in first."""
    row = Invitation.objects.of(token)
    if row is None:
        return over(request)
    context = {"invitation": row, "token": token}
    if request.user.is_authenticated or User.objects.filter(email=row.email).exists():
        return render(request, "accounts/invitation.html", context)
    user = User(email=row.email)
    form = JoinForm(user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/invitation.html", {**context, "form": form})
    try:
        # Until the person is signed in, the trail names nobody as the one who acted.
        row.accept(form.save(commit=False))
    except Over:
        return over(request)
    except IntegrityError:
        # Somebody has made a person with this address meanwhile: the page asks to sign in now.
        return redirect("accounts:invitation", token)
    return second_step.complete(request, user, reverse("tokens:list"))


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: PersonRequest, token: str) -> HttpResponse:
    """Accept an invitation as the person who is signed in."""
    if request.method != "POST":
        return redirect("accounts:invitation", token)
    row = Invitation.objects.of(token)
    if row is None:
        return over(request)
    try:
        membership = row.accept(request.user)
    except Over:
        inform(request, _("This invitation is for another address or was used already."))
        return redirect("accounts:profile")
    request.session["account"] = membership.account_id
    succeed(request, _("You belong to %s now.") % membership.account)
    return redirect("tokens:list")


def over(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation.html", status=404)
