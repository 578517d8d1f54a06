"""What was typed is never lost: a form that could not be taken comes back with its text.

A form is not taken when the session has ended, when its CSRF token is of an earlier sign-in, when its page was made for
another account, or when it has mistakes. Its fields are kept in the session, never a password among them, and fill the form
until it is saved, sent again or started over. Nothing is done by that: the person presses again.
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
# Of one form, in characters of its urlencoded fields, and of how many forms: a session row stays small.
LIMIT = 16 * 1024
FORMS = 4

# Why a form was not taken.
ENDED, STALE, ACCOUNT, ERRORS = "ended", "stale", "account", "errors"

OWNER: Final = "page_of"
SIGNER = TimestampSigner(salt="portal.page_of")
# A field with this in its name is never kept.
NEVER = "password"


# --- For whom a page was made -------------------------------------------------------------------


class Owner(NamedTuple):
    """The ids of the person a page was made for and of the account they acted for, `""` for none."""

    person: str
    account: str


def sign_owner(request: HttpRequest) -> str:
    """The hidden field of every form: for whom its page was made, signed; `""` for a page made for nobody."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    membership = getattr(request, "membership", None)
    return SIGNER.sign(f"{user.pk}/{membership.account_id if membership else ''}")


def read_owner(request: HttpRequest) -> Owner | None:
    """For whom the page that sent the request was made; None if it does not say, or if the signature is not ours."""
    try:
        mark = request.POST.get(OWNER) or request.headers.get("X-Page-Of", "")
        # No page lives longer than the longest session.
        lasts = settings.SESSION_HOURS * 3600
        person, account = SIGNER.unsign(mark, max_age=lasts).split("/")
    except (BadSignature, ValueError):
        return None
    return Owner(person, account)


def is_from_here(request: HttpRequest) -> bool:
    """Whether a page of this portal sent the request, as the browser says. Nothing is kept for any other site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "same-origin"
    sender = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        return urlsplit(sender)[:2] == (request.scheme, request.get_host())
    except ValueError:
        return False


def form_page(request: HttpRequest) -> str:
    """The page that holds the form: where htmx or the browser says it was, else the address of the form itself."""
    address = request.headers.get("HX-Current-URL") or request.headers.get("Referer")
    return own_path(request, address) if address else request.get_full_path()


def lead_to(request: HttpRequest, url: str) -> HttpResponse:
    """Make the browser open a page. htmx would follow a redirect and put what it finds into a piece of the old page."""
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", None) else redirect(url)


# --- Keeping ------------------------------------------------------------------------------------


class Entry(TypedDict):
    """A kept form. `page` holds it, `path` takes it; they differ where a button acts at an address of its own."""

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
        if NEVER in name.lower() or name in {"csrfmiddlewaretoken", OWNER}:
            del fields[name]
    data = fields.urlencode()
    if len(data) > LIMIT:
        return
    # Without a session it takes a new one, whose number is limited.
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
    """The form of a page was taken, or is not wanted any more."""
    kept = entries(request)
    if kept.pop(key(page), None):
        request.session[KEY] = kept


def entries(request: HttpRequest) -> dict[str, Entry]:
    kept: dict[str, Entry] = dict(request.session.get(KEY, {}))
    return kept


def key(page: str) -> str:
    """A page's filters and order play no part: the form in it is the same."""
    try:
        return urlsplit(page).path
    except ValueError:
        return ""


def forget_others(request: HttpRequest, person: str) -> None:
    """Somebody signed in: what anybody else typed in this browser before is gone."""
    if KEY in request.session:
        request.session[KEY] = {page: entry for page, entry in entries(request).items() if entry["person"] == person}


# --- Bringing back ------------------------------------------------------------------------------


class Kept:
    """What was kept for the page that is opened now."""

    def __init__(self, request: HttpRequest, entry: Entry) -> None:
        self.request = request
        self.entry = entry
        self.is_recalled = False

    def recall(self) -> QueryDict | None:
        """The fields, if the page's own form has sent them."""
        if self.entry["path"] != self.request.path:
            return None
        self.is_recalled = True
        return QueryDict(self.entry["data"])

    @property
    def notice(self) -> Notice | None:
        """What to tell above the page; None right after mistakes, which say themselves what is wrong."""
        page, cause = self.entry["page"], self.entry["cause"]
        title = {
            ENDED: _("You were signed out."),
            STALE: _("You signed in anew since this page was opened."),
            ACCOUNT: _("Your form is here."),
            ERRORS: _("Your form is here."),
        }[cause]
        if not self.is_recalled:
            forget(self.request, page)
            return Notice(title=title, text=_("What you pressed was not done."), action=self.again)
        if cause == ERRORS and self.entry["fresh"]:
            self.request.session[KEY] = {**entries(self.request), key(page): {**self.entry, "fresh": False}}
            return None
        anew = Action(label=_("Start Over"), url=reverse("portal:start_over"), fields=[("page", page), ("next", page)])
        return Notice(title=title, text=_("What you typed is in the form. Nothing was saved yet."), action=anew)

    @property
    def again(self) -> Action | None:
        """The press once more, for a button with an address of its own; a form of the page has its button there."""
        if self.entry["path"] == self.request.path:
            return None
        fields = [(name, value) for name, values in QueryDict(self.entry["data"]).lists() for value in values]
        return Action(label=_("Try Again"), url=self.entry["path"], fields=fields)


def look_up(request: HttpRequest) -> Kept | None:
    """What was kept for this page and this person."""
    entry = entries(request).get(request.path)
    return Kept(request, entry) if entry and entry["person"] == str(request.user.pk) else None


def carry_over(request: HttpRequest, end: Callable[[HttpRequest], None]) -> None:
    """End the session, but keep for the next sign-in of the same person what was typed."""
    kept = request.session.get(KEY)
    end(request)
    if kept:
        request.session[KEY] = kept


def render_form(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render the page of a form. A browser that has just sent the form is led back to the page, which shows its mistakes.

    So the history holds no answer to a POST, and Back and Reload never ask whether to send the form once more.
    """
    # A question, for the password or whether access may be lost, is no mistake: its page carries the form itself.
    asks = bool(context.get("confirm") or context.get("loss"))
    if request.method == "POST" and request.headers.get("Sec-Fetch-Mode") == "navigate" and not asks:
        keep(request, ERRORS, str(request.user.pk))
        return redirect(request.get_full_path())
    return render(request, template, context)
