"""Runs of the wizard."""

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.models import Draft
from tokens import vault
from webhooks import products
from webhooks.catalog import ObjectClass
from webhooks.models.base import WebhookFields
from webhooks.models.webhook import Webhook


class WebhookDraft(Draft, WebhookFields):
    """An unfinished run of the wizard for webhooks.

    Its secret is sealed; without one, the portal makes one up in the end.
    """

    # What people have not chosen yet is empty.
    object_class = models.CharField(max_length=32, choices=ObjectClass, blank=True)
    sealed = models.BinaryField(null=True, editable=False)

    class Meta:
        indexes = (models.Index("owner", "created_at", name="hook_drafts_of_a_person"),)

    def keep_secret(self, secret: str) -> None:
        """Seal the secret of the form; without one, the portal makes one up."""
        self.sealed = vault.seal(secret, self.account_id, str(self.pk)) if secret else None

    @property
    def secret(self) -> str:
        """The secret of the form; `""` if the portal makes it up. Raise vault.SealBroken."""
        if self.sealed is None:
            return ""
        return vault.unseal(bytes(self.sealed), self.account_id, str(self.pk))

    def put(self, *names: str) -> None:
        """Save some fields, unless another tab has finished the run."""
        said = {name: getattr(self, name) for name in names}
        WebhookDraft.objects.filter(pk=self.pk).update(**said)

    def finish(self) -> Webhook | None:
        """Create the webhook and return it, and forget the draft.

        Repeated or simultaneous calls return the same webhook; None if it was deleted again, or
        the draft was forgotten. Validate again what the forms validated, since time passes between
        the steps. Raise ValidationError and TooManyWebhooks.
        """
        with transaction.atomic():
            row = WebhookDraft.objects.select_for_update().filter(pk=self.pk).first()
            if row is None:
                return Webhook.objects.filter(draft_id=self.pk, account=self.account_id).first()
            made = row.create()
            row.delete()
            return made

    def create(self) -> Webhook:
        """Create the webhook. Raise ValidationError and TooManyWebhooks."""
        if not self.external_url:
            raise ValidationError({"external_url": _("Enter the address to call.")})
        try:
            secret = self.secret
        except vault.SealBroken:
            told = _("Enter the secret again, or press New: its sealing key is gone.")
            raise ValidationError({"own_secret": told}) from None
        check_product(self)
        said = {field.name: getattr(self, field.name) for field in WebhookFields._meta.fields}
        return Webhook.create(**said, secret=secret, by=self.owner, draft_id=self.pk)


def check_product(webhook: WebhookFields) -> None:
    """Raise ValidationError if the webhook cannot be about its product, for the field of it."""
    if not webhook.product_id:
        return
    if not ObjectClass(webhook.object_class).has_product:
        raise ValidationError({"object_class": no_product(webhook.object_class)})
    if webhook.product_id not in products.of(webhook.account):
        told = _("The product is no longer offered to this account. Choose another one.")
        raise ValidationError({"product_id": told})


def no_product(object_class: str) -> str:
    told = _("A %(kind)s belongs to no product. Choose other objects, or “All products” before.")
    return told % {"kind": str(ObjectClass(object_class).label).lower()}
