"""What can come of one try to deliver an event, in words: what happened, and what to do about it.

Every page, mail and log takes its sentence from here.
"""

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import text


class Outcome(TextChoices):
    """The outcomes of a try. The label is the short form in lists."""

    OK = "ok", _("Delivered")
    OK_CUT = "ok_cut", _("Delivered, answer cut off")
    CLIENT_ERROR = "client_4xx", _("Refused")
    SERVER_ERROR = "server_5xx", _("Server error")
    RATE_LIMITED = "rate_limited", _("Too many requests")
    GONE = "gone", _("Gone")
    REDIRECT = "redirect", _("Redirect")
    NO_ADDRESS = "no_address", _("No public address")
    REFUSED = "refused", _("Connection refused")
    RESET = "reset", _("Connection lost")
    CONNECT_TIMEOUT = "connect_timeout", _("No connection in time")
    TOTAL_TIMEOUT = "total_timeout", _("No answer in time")
    TLS_EXPIRED = "tls_expired", _("Certificate expired")
    TLS_EARLY = "tls_early", _("Certificate not valid yet")
    TLS_NAME = "tls_name", _("Certificate of another name")
    TLS_UNTRUSTED = "tls_untrusted", _("Certificate not trusted")
    TLS_REFUSED = "tls_refused", _("TLS refused")
    BAD_ANSWER = "bad_answer", _("Not an HTTP answer")
    ABORTED = "aborted_by_receiver", _("Stopped by the receiver")
    STOPPED = "stopped", _("Stopped")
    NOT_SENT = "not_sent", _("Not sent")
    WORKER_LOST = "worker_lost", _("Interrupted")
    LOOP = "loop", _("A loop")

    @property
    def is_delivered(self) -> bool:
        return self in {Outcome.OK, Outcome.OK_CUT}

    @property
    def is_sent(self) -> bool:
        """Whether anything was sent, as far as the portal can tell: not without a connection."""
        return self not in UNSENT

    def answer(self, code: int | None, milliseconds: int | None = None) -> str:
        """Return what came back and how fast: `503 in 120 ms`, `no answer in 20 s`, `gone`."""
        time = "" if milliseconds is None else text.took(milliseconds)
        if code:
            return _("%(code)s in %(time)s") % {"code": code, "time": time} if time else str(code)
        if time and self in TIMED:
            return str(TIMED[self]) % {"time": time}
        return text.within(str(self.label))

    @property
    def sentence(self) -> Promise | str:
        """What happened, as one sentence."""
        return SENTENCES[self][0]

    @property
    def advice(self) -> Promise | str:
        """What the reader can do; empty if nothing has to be done."""
        return SENTENCES[self][1]


UNSENT = {
    *(Outcome.NO_ADDRESS, Outcome.REFUSED, Outcome.CONNECT_TIMEOUT),
    *(Outcome.TLS_EXPIRED, Outcome.TLS_EARLY, Outcome.TLS_NAME, Outcome.TLS_UNTRUSTED),
    *(Outcome.TLS_REFUSED, Outcome.NOT_SENT, Outcome.LOOP),
}

# What did not come is told with how long it was waited for.
TIMED: dict[Outcome, Promise | str] = {
    Outcome.CONNECT_TIMEOUT: _("no connection in %(time)s"),
    Outcome.TOTAL_TIMEOUT: _("no answer in %(time)s"),
}

SENTENCES: dict[Outcome, tuple[Promise | str, Promise | str]] = {
    Outcome.OK: (_("The endpoint accepted the event."), ""),
    Outcome.OK_CUT: (
        _("The endpoint accepted the event, but its answer was too long or too slow to be read."),
        _("Answer 204 without a body: the portal ignores what it says."),
    ),
    Outcome.CLIENT_ERROR: (
        _("The endpoint refused the event."),
        _("Check its address, and whether it verifies the signature with the present secret."),
    ),
    Outcome.SERVER_ERROR: (
        _("The endpoint reported an error of its own."),
        _("Look at the log of the endpoint for the time of the try."),
    ),
    Outcome.RATE_LIMITED: (
        _("The endpoint asked the portal to slow down."),
        _("Nothing needs to be done: the portal waits as long as the endpoint asked for."),
    ),
    Outcome.GONE: (
        _("The endpoint says that it no longer exists, so the webhook was disabled."),
        _("Enter its new address and enable the webhook, or delete the webhook."),
    ),
    Outcome.REDIRECT: (
        _("The endpoint redirected the call. Webhooks follow no redirects."),
        _("Enter the address that the endpoint redirects to."),
    ),
    # One for names that do not exist and for private addresses: which names and addresses exist
    # inside the network of the portal is nobody's business.
    Outcome.NO_ADDRESS: (
        _("The endpoint has no public address."),
        _(
            "Check the spelling; private addresses are refused. An operator can allow a network "
            "with WEBHOOK_ALLOWED_NETWORKS."
        ),
    ),
    Outcome.REFUSED: (
        _("Nothing accepts connections at the address of the endpoint."),
        _("Check that the endpoint is running, and its port."),
    ),
    Outcome.RESET: (
        _("The connection ended before the endpoint had answered."),
        _("Look at the log of the endpoint, and of the proxies in front of it."),
    ),
    Outcome.CONNECT_TIMEOUT: (
        _("The endpoint could not be reached within 5 seconds."),
        _("Check that a firewall lets the portal through."),
    ),
    Outcome.TOTAL_TIMEOUT: (
        _("The endpoint did not answer within 20 seconds."),
        _("Answer first, and do the work afterwards."),
    ),
    Outcome.TLS_EXPIRED: (
        _("The certificate of the endpoint has expired."),
        _("Renew the certificate."),
    ),
    Outcome.TLS_EARLY: (
        _("The certificate of the endpoint is not valid yet."),
        _("Install one that is valid now. If it is, ask an operator to check the portal's clock."),
    ),
    Outcome.TLS_NAME: (
        _("The certificate of the endpoint is for another name."),
        _("Use the name in the certificate, or install one for this name."),
    ),
    Outcome.TLS_UNTRUSTED: (
        _("The certificate of the endpoint comes from an unknown authority."),
        _("Install a certificate from a public authority, with its intermediate certificates."),
    ),
    Outcome.TLS_REFUSED: (
        _("The endpoint refused to speak TLS with the portal."),
        _("Let it accept TLS 1.2 or later, and ask for no certificate of the portal."),
    ),
    Outcome.BAD_ANSWER: (
        _("What came back was not an HTTP answer."),
        _("Check the port, and whether the endpoint speaks http or https."),
    ),
    Outcome.ABORTED: (
        _("The endpoint asked not to be sent this event again."),
        "",
    ),
    Outcome.STOPPED: (
        _("Somebody of the account stopped it before it was delivered."),
        "",
    ),
    Outcome.NOT_SENT: (
        _("The portal could not make the call, because a secret or the address is unusable."),
        _("Enter the secret and the address of the webhook again."),
    ),
    Outcome.WORKER_LOST: (
        _("The portal was stopped during the try, so its result is unknown."),
        _("Nothing needs to be done: the event is sent again."),
    ),
    Outcome.LOOP: (
        _("A chain of webhooks caused this event, one leading to the next, so it was not sent."),
        _("Let the receiver ignore changes that it makes itself, or narrow the webhook."),
    ),
}
