"""The masked secrets on the page of a webhook."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.shown import SecretField
from portal import text
from webhooks import secrets
from webhooks.models import WebhookSecret
from webhooks.standing import Standing


@dataclass(frozen=True)
class WebhookSecretField(SecretField):
    """The field of the newest secret of a kind."""

    standing: Standing
    stored: WebhookSecret
    old: WebhookSecret | None
    # The page that it is on, `detail` or `summary`.
    page: str = "detail"

    @property
    def kind(self) -> str:
        return self.stored.kind

    @property
    def title(self) -> str:
        return str(WebhookSecret.Kind(self.kind).label)

    @property
    def about(self) -> str:
        """What the secret is for."""
        if self.kind == WebhookSecret.Kind.JWT:
            return _("Signs the token in the header Authorization, as CloudBlue Connect does.")
        return _("Signs the body in the header webhook-signature, as Standard Webhooks say.")

    @property
    def overlap(self) -> str:
        """Until when the old secret signs too; `""` if there is none."""
        if self.old is None or self.old.expires_at is None:
            return ""
        told = _("The one that ends in %(four)s signs too, until %(at)s.")
        until = text.day_and_time(self.old.expires_at)
        return told % {"four": self.old.last_four, "at": until}

    @property
    def id(self) -> str:
        return f"secret-{self.kind}"

    @property
    def noun(self) -> str:
        return self.title

    @property
    def prefix(self) -> str:
        return "" if self.kind == WebhookSecret.Kind.JWT else "whsec_"

    @property
    def last_four(self) -> str:
        return self.stored.last_four

    @property
    def dots(self) -> str:
        """As many as a secret that the portal made, so that showing it moves nothing."""
        return "•" * (secrets.LENGTH - len(self.last_four))

    @property
    def version(self) -> int:
        return self.stored.version

    @property
    def can_be_viewed(self) -> bool:
        return self.standing.may_manage

    @property
    def hint(self) -> str:
        if not self.standing.may_manage:
            return _("Only administrators of the account can view it.")
        return _("Viewing and copying ask for your password and are recorded.")

    @property
    def home_url(self) -> str:
        return reverse(f"webhooks:{self.page}", args=(self.standing.webhook.pk,))

    @property
    def reveal_url(self) -> str:
        return reverse("webhooks:reveal", args=(self.standing.webhook.pk, self.kind))

    @property
    def copy_url(self) -> str:
        return reverse("webhooks:copy", args=(self.standing.webhook.pk, self.kind))

    @property
    def words(self) -> dict[str, str]:
        return {
            "once": _("The secret is shown only this once. Copy it now: no copy of it is kept."),
            "copied": _("Secret copied."),
            "selected": _("Copying is not possible here. The secret is selected: press Ctrl+C."),
            "kept": _("The secret stays visible until you hide it or leave the page."),
            "gone": _("The secret is hidden."),
            "refused": _(
                "Copying is not possible here. Press View, and copy the secret from the page."
            ),
        }


def secret_fields(
    standing: Standing, kind: str = "", *, page: str = "detail", **shown: Any
) -> list[WebhookSecretField]:
    """Return the fields of both secrets; `shown` is for the one of that kind."""
    fields = []
    for each in WebhookSecret.Kind:
        live = WebhookSecret.live(standing.webhook, each)
        if live:
            old = live[1] if len(live) > 1 else None
            more = shown if each == kind else {}
            fields.append(WebhookSecretField(standing, live[0], old, page, **more))
    return fields
