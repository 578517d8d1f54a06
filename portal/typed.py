"""Keeps what people typed: a form that could not be accepted comes back with its text.

A form is not accepted if the session has ended, if its CSRF token is from an earlier sign-in, if
its page was made for another account, or if it has errors. Its fields, except passwords, are kept
in the session and fill the form until it is saved, sent again or started over. Nothing else
happens by itself: the person has to press the button again.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypedDict
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from portal.http import own_path
from portal.notices import Action, Notice

KEY: Final = "typed"
# The most characters of a form's urlencoded fields, and the most forms: sessions stay small.
LIMIT = 16 * 1024
FORMS = 4

# Why a form was not accepted.
ENDED, STALE, ACCOUNT, ERRORS = "ended", "stale", "account", "errors"

OWNER: Final = "page_of"
SIGNER = TimestampSigner(salt="portal.page_of")
# A field whose name contains one of these is never kept.
NEVER = ("password", "secret", "passkey")


# --- For whom a page was made -------------------------------------------------------------------


class Owner(NamedTuple):
    """For whom a page was made: the ids of a person and of the account they acted for, or `""`."""

    person: str
    account: str


def sign_owner(request: HttpRequest) -> str:
    """Return for whom a page is made, signed, for a hidden field of its forms; `""` for nobody."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    membership = getattr(request, "membership", None)
    return SIGNER.sign(f"{user.pk}/{membership.account_id if membership else ''}")


def read_owner(request: HttpRequest) -> Owner | None:
    """Return for whom the page that sent the request was made.

    None if the request does not say, or if the signature is invalid or too old.
    """
    try:
        mark = request.POST.get(OWNER) or request.headers.get("X-Page-Of", "")
        # No page is used longer than the longest session.
        lasts = settings.SESSION_HOURS * 3600
        person, account = SIGNER.unsign(mark, max_age=lasts).split("/")
    except (BadSignature, ValueError):
        return None
    return Owner(person, account)


def is_from_here(request: HttpRequest) -> bool:
    """Tell whether a page of this portal sent the request, going by the browser's headers.

    Nothing is kept for other sites.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "same-origin"
    sender = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        return urlsplit(sender)[:2] == (request.scheme, request.get_host())
    except ValueError:
        return False


def form_page(request: HttpRequest) -> str:
    """Return the path of the page with the form, as htmx or the browser tells it.

    Without such a header, return the path that the form was sent to.
    """
    address = request.headers.get("HX-Current-URL") or request.headers.get("Referer")
    return own_path(request, address) if address else request.get_full_path()


def lead_to(request: HttpRequest, url: str) -> HttpResponse:
    """Navigate the browser to a page, by HX-Redirect for htmx, which would swap the page in."""
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", None) else redirect(url)


# --- Keeping ------------------------------------------------------------------------------------


class Entry(TypedDict):
    """A kept form: `page` shows it, `path` receives it. They differ for buttons with own URLs."""

    person: str
    cause: str
    page: str
    path: str
    data: str
    fresh: bool


def keep(request: HttpRequest, cause: str, person: str) -> None:
    """Keep the posted fields for `person` until the page of the form is opened again."""
    if not get_user_model().objects.filter(pk=person, is_active=True).exists():
        return
    fields = request.POST.copy()
    for name in list(fields):
        is_secret = any(part in name.lower() for part in NEVER)
        if is_secret or name in {"csrfmiddlewaretoken", OWNER}:
            del fields[name]
    data = fields.urlencode()
    if len(data) > LIMIT:
        return
    # This would start a new session, and the number of those is limited.
    if not request.session.session_key and not request.may_keep_form():  # type: ignore[attr-defined]
        return
    page = request.get_full_path() if cause == ERRORS else form_page(request)
    entry = Entry(person=person, cause=cause, page=page, path=request.path, data=data, fresh=True)
    kept = entries(request)
    kept.pop(key(page), None)
    kept[key(page)] = entry
    request.session[KEY] = dict(list(kept.items())[-FORMS:])
    request.was_kept = True  # type: ignore[attr-defined]


def forget(request: HttpRequest, page: str) -> None:
    """Drop the kept form of a page, because it was accepted or is no longer wanted."""
    kept = entries(request)
    if kept.pop(key(page), None):
        request.session[KEY] = kept


def entries(request: HttpRequest) -> dict[str, Entry]:
    kept: dict[str, Entry] = dict(request.session.get(KEY, {}))
    return kept


def key(page: str) -> str:
    """Return the key of a page: its path, since filters and order do not change its form."""
    try:
        return urlsplit(page).path
    except ValueError:
        return ""


def forget_others(request: HttpRequest, person: str) -> None:
    """Drop what anybody but `person`, who has just signed in, typed in this browser."""
    if KEY in request.session:
        request.session[KEY] = {
            page: entry for page, entry in entries(request).items() if entry["person"] == person
        }


# --- Bringing back ------------------------------------------------------------------------------


class Kept:
    """The form that was kept for the page being opened."""

    def __init__(self, request: HttpRequest, entry: Entry) -> None:
        self.request = request
        self.entry = entry
        self.is_recalled = False

    def recall(self) -> QueryDict | None:
        """Return the fields if the form of the page itself sent them, else None."""
        if self.entry["path"] != self.request.path:
            return None
        self.is_recalled = True
        return QueryDict(self.entry["data"])

    @property
    def notice(self) -> Notice | None:
        """The message for the top of the page; None right after errors, which show on their own."""
        page, cause = self.entry["page"], self.entry["cause"]
        title = {
            ENDED: _("You were signed out."),
            STALE: _("You signed in again since this page was opened."),
            ACCOUNT: _("Your form is here."),
            ERRORS: _("Your form is here."),
        }[cause]
        if not self.is_recalled:
            forget(self.request, page)
            return Notice(title=title, text=_("What you pressed was not done."), action=self.again)
        if cause == ERRORS and self.entry["fresh"]:
            self.request.session[KEY] = {
                **entries(self.request),
                key(page): {**self.entry, "fresh": False},
            }
            return None
        anew = Action(
            label=_("Start Over"),
            url=reverse("portal:start_over"),
            fields=[("page", page), ("next", page)],
        )
        return Notice(
            title=title,
            text=_("What you typed is in the form. Nothing was saved yet."),
            action=anew,
        )

    @property
    def again(self) -> Action | None:
        """A button that sends the form again; None if the page itself has the form."""
        if self.entry["path"] == self.request.path:
            return None
        fields = [
            (name, value)
            for name, values in QueryDict(self.entry["data"]).lists()
            for value in values
        ]
        return Action(label=_("Try Again"), url=self.entry["path"], fields=fields)


def look_up(request: HttpRequest) -> Kept | None:
    """Return what was kept for this page and person, or None."""
    entry = entries(request).get(request.path)
    return Kept(request, entry) if entry and entry["person"] == str(request.user.pk) else None


def carry_over(request: HttpRequest, end: Callable[[HttpRequest], None]) -> None:
    """End the session, but keep what was typed for the next sign-in of the same person."""
    kept = request.session.get(KEY)
    end(request)
    if kept:
        request.session[KEY] = kept


def render_form(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render the page of a form; after a POST with errors, redirect to the page, which shows them.

    So the history has no POST, and Back and Reload never ask whether to send the form again.
    """
    # A question, for the password or whether access may be lost, is not an error: its page contains
    # the form itself.
    asks = any(context.get(name) for name in ("confirm", "loss", "asks"))
    if (
        request.method == "POST"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and not asks
    ):
        keep(request, ERRORS, str(request.user.pk))
        return redirect(request.get_full_path())
    return render(request, template, context)
