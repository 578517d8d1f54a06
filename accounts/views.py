"""Pages of people: signing in and out, switching the account, the profile, passwords."""

import math
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import devices, hashing, limits, sudo
from accounts.decorators import always_possible, for_any_account
from accounts.forms import NewPasswordForm, ProfileForm, ResetForm, SignInForm
from accounts.http import PersonRequest
from accounts.models import User
from portal.http import next_url, posted, posts_from
from portal.navigation import THEMES
from portal.notices import inform, succeed
from portal.typed import render_form


@method_decorator(login_not_required, name="dispatch")
class SignInView(auth_views.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_initial(self) -> dict[str, Any]:
        """The e-mail address of a form that was too old to be taken."""
        return {**super().get_initial(), "username": self.request.POST.get("username", "")}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        tell_who_is_in(request)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if user.last_login is None:
            user.guess_zone(self.request.POST.get("zone", ""))
        response = super().form_valid(form)
        sudo.confirm(self.request)
        devices.remember(self.request, response, user)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        failed = bool(form.non_field_errors())
        return {
            **context,
            "failed": failed,
            "tries_left": limits.tries_left(self.request, form.cleaned_data["username"]) if failed else None,
            "ended": self.request.session.pop("ended", False),
        }


def tell_who_is_in(request: HttpRequest) -> None:
    """Somebody signs in where somebody is in already, as with two tabs at the sign-in page: say whose session it is."""
    email = request.POST.get("username", "").strip().lower()
    if email and request.user.is_authenticated and email != request.user.email:
        text = _("To sign in as somebody else, sign out first.")
        inform(request, _("You are signed in as %(email)s.") % {"email": request.user.email}, text)


def too_many(request: HttpRequest, reached: limits.LimitReached, template: str = "accounts/too_many.html") -> HttpResponse:
    """429: why, and until when."""
    context = {"reason": reached.limit.reason, "until": reached.until, "minutes": math.ceil(reached.seconds / 60), "seconds": reached.seconds}
    page = render(request, template, context, status=429)
    page["Retry-After"] = str(reached.seconds)
    return page


def busy(request: HttpRequest) -> HttpResponse:
    """503: too many people are doing the same at this moment."""
    page = render(request, "accounts/busy.html", status=503)
    page["Retry-After"] = str(hashing.RETRY_AFTER)
    return page


@method_decorator(always_possible, name="dispatch")
@method_decorator(for_any_account, name="dispatch")
@method_decorator(posts_from("portal:home"), name="dispatch")
class SignOutView(auth_views.LogoutView):
    """Ends the session on the server; only by POST. The browser forgets what it kept of the pages.

    Not its cookies: the theme stays, and the device stays known.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@for_any_account
@posts_from("accounts:profile")
def switch(request: PersonRequest) -> HttpResponse:
    """Act for another account of one's own."""
    chosen = request.POST.get("account")
    if chosen not in {membership.account_id for membership in request.memberships}:
        raise Http404
    request.session["account"] = chosen
    request.user.remember("account", id=chosen)
    return redirect(next_url(request, reverse("tokens:list")))


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def session(request: PersonRequest) -> HttpResponse:
    """Tell scripts how many seconds the session has left. Asking is a sign of life, and so is *Stay signed in*, a POST."""
    if request.method == "POST":
        succeed(request, _("You stay signed in."))
        return redirect(next_url(request, reverse("portal:home")))
    return JsonResponse(request.session_left._asdict())


@login_not_required
@posts_from("portal:home")
def theme(request: HttpRequest) -> HttpResponse:
    """Choose light, dark or what the system says. A cookie, so that the sign-in page follows as well."""
    response = redirect(next_url(request, reverse("portal:home")))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=365 * 24 * 3600, secure=settings.HTTPS, httponly=True, samesite="Lax")
    return response


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: PersonRequest) -> HttpResponse:
    form = ProfileForm(posted(request), instance=request.user)
    if request.method == "POST" and form.is_valid():
        # These columns only: the row was read before, and somebody may have changed the others since.
        request.user.save(update_fields=form.Meta.fields)
        succeed(request, _("Your profile is saved."))
        return redirect("accounts:profile")
    return render_form(request, "accounts/profile.html", {"form": form, "memberships": request.memberships})


@method_decorator(always_possible, name="dispatch")
@method_decorator(for_any_account, name="dispatch")
class PasswordChangeView(auth_views.PasswordChangeView):
    """A new password ends every other session of the person: Django's session hash depends on it.

    Wrong old passwords have limits of their own.
    """

    template_name = "accounts/password_change.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("accounts:profile")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        sudo.confirm(self.request)
        devices.remember(self.request, response, form.user)
        succeed(self.request, _("Your password is changed."), _("Other browsers that were signed in with the old one are signed out."))
        return response


class PasswordResetView(auth_views.PasswordResetView):
    template_name = "accounts/password_reset.html"
    form_class = ResetForm
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_sent")
    extra_email_context = {"brand": settings.BRAND}

    def get_initial(self) -> dict[str, Any]:
        """The e-mail address of a form that was too old to be taken."""
        return {**super().get_initial(), "email": self.request.POST.get("email", "")}

    def form_valid(self, form: Any) -> HttpResponse:
        limits.take(limits.resets(self.request))
        return super().form_valid(form)


class PasswordResetSentView(auth_views.PasswordResetDoneView):
    template_name = "accounts/password_reset_sent.html"


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    template_name = "accounts/password_reset_confirm.html"
    success_url = reverse_lazy("accounts:password_reset_complete")

    def get_user(self, uidb64: str) -> User | None:
        """Nobody for a link whose id cannot be one: PostgreSQL refuses to look up a NUL."""
        try:
            known = "\0" not in urlsafe_base64_decode(uidb64).decode()
        except ValueError:
            known = False
        return super().get_user(uidb64) if known else None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        # Whoever keeps guessing cannot keep her out: she comes back on a device that is known.
        devices.remember(self.request, response, form.user)
        return response


class PasswordResetCompleteView(auth_views.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"
