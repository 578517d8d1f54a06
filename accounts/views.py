"""Views for signing in and out, switching the account, and passwords."""

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

from accounts import devices, hashing, limits, proofs, second_step
from accounts.decorators import always_possible, for_any_account
from accounts.forms import NewPasswordForm, ResetForm, SignInForm
from accounts.http import PersonRequest
from accounts.models import User
from portal.http import next_url, posts_from
from portal.navigation import THEMES
from portal.notices import inform, succeed


@method_decorator(login_not_required, name="dispatch")
class SignInView(auth_views.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_initial(self) -> dict[str, Any]:
        """Keep the e-mail address of a form that was too old to be accepted."""
        return {**super().get_initial(), "username": self.request.POST.get("username", "")}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        tell_who_is_in(request)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if user.last_login is None:
            user.guess_zone(self.request.POST.get("zone", ""))
        page = self.get_success_url()
        if user.has_two_step:
            second_step.begin(self.request, user, page)
            return redirect("accounts:second_step")
        return second_step.complete(self.request, user, page)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        failed = bool(form.non_field_errors())
        return {
            **context,
            "failed": failed,
            "tries_left": limits.tries_left(self.request, form.cleaned_data["username"])
            if failed
            else None,
            "ended": self.request.session.pop("ended", False),
        }


def tell_who_is_in(request: HttpRequest) -> None:
    """Tell a person whose session it is if they sign in where somebody else is signed in already.

    That happens with two tabs at the sign-in page.
    """
    email = request.POST.get("username", "").strip().lower()
    if email and request.user.is_authenticated and email != request.user.email:
        text = _("To sign in as somebody else, sign out first.")
        inform(request, _("You are signed in as %(email)s.") % {"email": request.user.email}, text)


def too_many(
    request: HttpRequest, reached: limits.LimitReached, template: str = "accounts/too_many.html"
) -> HttpResponse:
    """Return 429 with the reason and the time until which to wait."""
    context = {
        "reason": reached.limit.reason,
        "until": reached.until,
        "minutes": math.ceil(reached.seconds / 60),
        "seconds": reached.seconds,
    }
    page = render(request, template, context, status=429)
    page["Retry-After"] = str(reached.seconds)
    return page


def busy(request: HttpRequest) -> HttpResponse:
    """Return 503 because too many passwords are being hashed at once."""
    page = render(request, "accounts/busy.html", status=503)
    page["Retry-After"] = str(hashing.RETRY_AFTER)
    return page


@method_decorator(always_possible, name="dispatch")
@method_decorator(for_any_account, name="dispatch")
@method_decorator(posts_from("portal:home"), name="dispatch")
class SignOutView(auth_views.LogoutView):
    """Ends the session on the server, by POST only, and clears the browser's cache and storage.

    Cookies stay, so that the theme is kept and the device stays known.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@for_any_account
@posts_from("accounts:profile")
def switch(request: PersonRequest) -> HttpResponse:
    """Switch to another of the person's accounts."""
    chosen = request.POST.get("account")
    if chosen not in {membership.account_id for membership in request.memberships}:
        raise Http404
    request.session["account"] = chosen
    request.user.remember("account", id=chosen)
    return redirect(next_url(request, reverse("tokens:list")))


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def session(request: PersonRequest) -> HttpResponse:
    """Return how many seconds the session has left, for scripts.

    Asking counts as activity unless it is marked as a background request, and so does
    *Stay signed in*, a POST.
    """
    if request.method == "POST":
        succeed(request, _("You stay signed in."))
        return redirect(next_url(request, reverse("portal:home")))
    return JsonResponse(request.session_left._asdict())


@login_not_required
@posts_from("portal:home")
def theme(request: HttpRequest) -> HttpResponse:
    """Set the theme: light, dark or the system's. A cookie, so that the sign-in page has it too."""
    response = redirect(next_url(request, reverse("portal:home")))
    remember_theme(response, request.POST.get("theme", ""))
    return response


def remember_theme(response: HttpResponse, chosen: str) -> None:
    if chosen in THEMES:
        response.set_cookie(
            "theme",
            chosen,
            max_age=365 * 24 * 3600,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )


@method_decorator(always_possible, name="dispatch")
@method_decorator(for_any_account, name="dispatch")
class PasswordChangeView(auth_views.PasswordChangeView):
    """Changes the password, which ends every other session of the person.

    They end because Django's session hash depends on the password. Wrong old passwords are limited.
    """

    template_name = "accounts/password_change.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("accounts:security")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        proofs.confirm(self.request)
        devices.remember(self.request, response, form.user)
        tell_of_new_password(self.request, form.user)
        succeed(
            self.request,
            _("Your password is changed."),
            _("Other browsers that were signed in with the old one are signed out."),
        )
        return response


def tell_of_new_password(request: HttpRequest, user: User) -> None:
    """Mail a person that the password was changed. What staff change is told by accounts.alerts."""
    text = _("The password of %(email)s was changed. Other devices are signed out.")
    devices.tell(request, user, _("Your password was changed"), text % {"email": user.email})


class PasswordResetView(auth_views.PasswordResetView):
    template_name = "accounts/password_reset.html"
    form_class = ResetForm
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_sent")
    extra_email_context = {"brand": settings.BRAND}

    def get_initial(self) -> dict[str, Any]:
        """Keep the e-mail address of a form that was too old to be accepted."""
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
        """Return None for a link with an impossible id: PostgreSQL refuses to look up a NUL."""
        try:
            known = "\0" not in urlsafe_base64_decode(uidb64).decode()
        except ValueError:
            known = False
        return super().get_user(uidb64) if known else None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        tell_of_new_password(self.request, form.user)
        # The device is known from now on, so guesses from elsewhere cannot lock the person out.
        devices.remember(self.request, response, form.user)
        return response


class PasswordResetCompleteView(auth_views.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"
