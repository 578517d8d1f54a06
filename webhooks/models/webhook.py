"""Webhooks: whom to call about which changes, and the verbs that change them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account, Membership
from activity.actions import Action
from activity.recording import record
from portal.fields import (
    FoldedField,
    MomentField,
    OwnedActorField,
    PublicIdField,
)
from portal.text import fold
from webhooks import conditions, safety, secrets
from webhooks.catalog import Type
from webhooks.models.base import WebhookFields

if TYPE_CHECKING:
    from tokens.models import Doer
    from webhooks.models.delivery import Delivery, DeliveryQuerySet
    from webhooks.models.replay import Replay


class Changed(Exception):
    """Raised when somebody else has changed the webhook since its form was opened."""


class TooManyWebhooks(Exception):
    """Raised when the account has as many webhooks as it may; the text says what to do."""


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def of_account(self, account_id: str) -> "WebhookQuerySet":
        """Return the webhooks of an account; another account's is a 404."""
        return self.filter(account=account_id)

    def visible_to(self, membership: Membership) -> "WebhookQuerySet":
        """Return the webhooks of the account that a person acts for."""
        return self.of_account(membership.account_id)

    def why_no_more(self, account_id: str) -> str:
        """Return why an account cannot have one more webhook; `""` if it can."""
        most = settings.WEBHOOKS_PER_ACCOUNT
        # More than one if it has more than it may, from before the number was lowered.
        surplus = self.of_account(account_id).count() - most + 1
        if surplus < 1:
            return ""
        has = ngettext(
            "An account can have %(n)s webhook.", "An account can have %(n)s webhooks.", most
        )
        must = ngettext("Delete one to create another.", "Delete %(n)s to create another.", surplus)
        return f"{has % {'n': f'{most:,}'}} {must % {'n': f'{surplus:,}'}}"

    def search(self, text: str) -> "WebhookQuerySet":
        """Return webhooks whose label or id contains the text, ignoring case."""
        return self.filter(Q(label_key__contains=fold(text)) | Q(id__contains=text.strip().upper()))

    def with_last(self) -> "WebhookQuerySet":
        """Annotate the id and the time of the latest delivery that was tried."""
        from webhooks.models.delivery import Delivery

        last = Delivery.objects.filter(webhook=OuterRef("pk")).tried()
        return self.annotate(
            last_delivery_id=Subquery(last.values("pk")[:1]),
            last_delivery_at=Subquery(last.values("created_at")[:1]),
        )

    def in_state(self, state: "Webhook.State") -> "WebhookQuerySet":
        """Return the webhooks of one state, as `Webhook.state` has it."""
        return self.filter(IN_STATE[state])

    def listening(self, account_id: str, object_class: str, product_id: str) -> "WebhookQuerySet":
        """Return the webhooks that get an event; paused and disabled ones keep theirs back."""
        rows = self.filter(account=account_id, object_class=object_class, type=Type.EVENT)
        return rows.filter(Q(product_id="") | Q(product_id=product_id))


class Webhook(WebhookFields):
    """An endpoint of an account that is told of changes to objects of one class."""

    class Disabled(models.TextChoices):
        """Why a webhook is not active."""

        PERSON = "person", gettext_lazy("Disabled")
        GONE = "gone", gettext_lazy("Disabled: the endpoint is gone")
        FAILING = "failing", gettext_lazy("Disabled: the endpoint failed for days")

    class State(models.TextChoices):
        """Whether what is due goes out; while it does not, events are kept.

        Paused is a person's short stop, which anybody who manages webhooks ends. Disabled is for
        good, until somebody enables it with the password; the portal disables too.
        """

        ACTIVE = "active", gettext_lazy("Active")
        PAUSED = "paused", gettext_lazy("Paused")
        DISABLED = "inactive", gettext_lazy("Inactive")

    id = PublicIdField(gettext_lazy("ID"), groups=(3, 3, 3), prefix="WH")
    label_key = FoldedField(source="label")
    # Set while a person has stopped it for a while; never of one that is disabled.
    paused_at = MomentField(gettext_lazy("Paused"), null=True, editable=False)
    # Empty while active.
    disabled_by = models.CharField(max_length=8, choices=Disabled, blank=True, editable=False)
    disabled_at = MomentField(null=True, editable=False)
    created_at = MomentField(gettext_lazy("Created"), default=timezone.now, editable=False)
    created_by = OwnedActorField(gettext_lazy("Created by"))
    created_email = models.CharField(max_length=254, blank=True, editable=False)
    updated_at = MomentField(gettext_lazy("Updated"), null=True, editable=False)
    updated_by = OwnedActorField(gettext_lazy("Updated by"))
    # Counts edits, so that the second of two people who edit at the same time is warned.
    version = models.PositiveIntegerField(default=1, editable=False)
    # The wizard run that created it. Unique, so that pressing Create several times creates one.
    draft_id = models.UUIDField(null=True, unique=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("webhook")
        verbose_name_plural = gettext_lazy("webhooks")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                "account", F("created_at").desc(), F("id").desc(), name="webhooks_by_created"
            ),
            models.Index("account", "label_key", "id", name="webhooks_by_label"),
            models.Index("account", "object_class", name="webhooks_by_class"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(active=True) | Q(paused_at=None), name="paused_only_while_active"
            ),
        )

    @property
    def state(self) -> "Webhook.State":
        if not self.active:
            return self.State.DISABLED
        return self.State.PAUSED if self.paused_at else self.State.ACTIVE

    @property
    def sends(self) -> bool:
        """Whether what is due goes out now."""
        return self.state == self.State.ACTIVE

    def widens(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether an edit would have more sent, or have it sent elsewhere."""
        resumes = fields["active"] and not self.active
        fires = fields["type"] == Type.EVENT and not self.fires
        moves = any(
            fields[name] != getattr(self, name) for name in ("external_url", "object_class")
        )
        # Without a product or a condition all is sent, so that a first one sends less.
        frees = any(
            getattr(self, name) not in {"", fields[name]} for name in ("product_id", "condition")
        )
        return resumes or fires or moves or frees

    # --- Verbs --------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, *, account: Account, secret: str = "", by: "Doer | None", **fields: Any
    ) -> "Webhook":
        """Create a webhook with its secrets. Raise ValidationError and TooManyWebhooks.

        Without a secret, the portal makes one up.
        """
        from webhooks.models.health import WebhookHealth
        from webhooks.models.secret import WebhookSecret

        webhook = cls(
            account=account,
            created_email=getattr(by, "email", ""),
            **OwnedActorField.columns("created_by", by),
            **fields,
        )
        if not webhook.active:
            webhook.disabled_by, webhook.disabled_at = cls.Disabled.PERSON, timezone.now()
        webhook.full_clean(exclude={"id", "account"})
        webhook.check_endpoint()
        webhook.check_condition()
        with transaction.atomic():
            # Creations of one account queue here, so that they cannot pass the limit together.
            Account.objects.select_for_update(no_key=True).get(pk=account.pk)
            if full := cls.objects.why_no_more(account.pk):
                raise TooManyWebhooks(full)
            webhook.save(force_insert=True)
            WebhookHealth.objects.create(webhook=webhook)
            WebhookSecret.put(webhook, WebhookSecret.Kind.JWT, secret or secrets.new_jwt(), by=by)
            WebhookSecret.put(webhook, WebhookSecret.Kind.STANDARD, secrets.new_standard(), by=by)
            record(by, Action.WEBHOOK_CREATED, webhook, webhook.described())
        return webhook

    def edit(
        self,
        *,
        by: "Doer | None",
        secret: str | None = None,
        version: int | None = None,
        **fields: Any,
    ) -> bool:
        """Change fields, and the JWT secret if one is given; return False if nothing changed.

        Raise ValidationError, and Changed if the webhook no longer has the version.
        """
        from webhooks.models.secret import WebhookSecret

        with transaction.atomic():
            row = Webhook.objects.select_for_update(no_key=True).get(pk=self.pk)
            if version not in {None, row.version}:
                raise Changed
            before = row.described()
            was_active = row.active
            for name, value in fields.items():
                setattr(row, name, value)
            moved = row.external_url != before["endpoint"][1]
            if row.active != was_active:
                row.enter(self.State.ACTIVE if row.active else self.State.DISABLED)
            elif moved and row.state == self.State.ACTIVE:
                row.begin_anew()
            row.full_clean(exclude={"id", "account"})
            if moved:
                row.check_endpoint()
            if {"condition", "object_class"} & set(fields):
                row.check_condition()
            changed = secret is not None and WebhookSecret.replace(
                row, WebhookSecret.Kind.JWT, secret, by=by
            )
            after = row.described()
            changes = {
                name: [before[name][1], after[name][1]]
                for name in after
                if before[name] != after[name]
            }
            if changed:
                changes["secret"] = [None, _("changed")]
            if changes:
                row.touch(by)
                row.save()
                record(by, Action.WEBHOOK_CHANGED, row, changes)
        self.refresh_from_db()
        return bool(changes)

    def enable(self, *, by: "Doer | None") -> bool:
        """Let deliveries go out again, those that waited first; return False if it was active."""
        return self.move({self.State.DISABLED}, self.State.ACTIVE, Action.WEBHOOK_ENABLED, by=by)

    def disable(self, *, by: "Doer | None", reason: str = Disabled.PERSON) -> bool:
        """Keep deliveries back until it is enabled, also if it was paused; False if it was."""
        # Somebody who paused it is looking after an endpoint that fails.
        paused = set() if reason == self.Disabled.FAILING else {self.State.PAUSED}
        before = {self.State.ACTIVE} | paused
        action = Action.WEBHOOK_DISABLED
        return self.move(before, self.State.DISABLED, action, by=by, reason=reason)

    def pause(self, *, by: "Doer | None") -> bool:
        """Keep deliveries back until it is resumed; return False unless it was active."""
        return self.move({self.State.ACTIVE}, self.State.PAUSED, Action.WEBHOOK_PAUSED, by=by)

    def resume(self, *, by: "Doer | None") -> bool:
        """Let deliveries go out again, those that waited first; return False unless paused."""
        return self.move({self.State.PAUSED}, self.State.ACTIVE, Action.WEBHOOK_RESUMED, by=by)

    def move(
        self,
        before: "set[Webhook.State]",
        after: "Webhook.State",
        action: Action,
        *,
        by: "Doer | None",
        reason: str = "",
    ) -> bool:
        """Go from one of some states to another; return False if it was in none of them."""
        with transaction.atomic():
            row = Webhook.objects.select_for_update(no_key=True).filter(pk=self.pk).first()
            if row is None or row.state not in before:
                return False
            row.enter(after, reason)
            row.touch(by)
            row.save()
            why = {"reason": [None, str(self.Disabled(reason).label)]} if reason else {}
            record(by, action, row, why)
            # While nobody can delete it.
            self.refresh_from_db()
        return True

    def enter(self, state: "Webhook.State", reason: str = Disabled.PERSON) -> None:
        """Note the state, and why if it is disabled, without saving. Once active, begin anew."""
        now, disabled = timezone.now(), state == self.State.DISABLED
        self.active = not disabled
        self.paused_at = now if state == self.State.PAUSED else None
        self.disabled_by, self.disabled_at = (reason, now) if disabled else ("", None)
        if state == self.State.ACTIVE:
            self.begin_anew()

    def begin_anew(self) -> None:
        """Give the endpoint a fresh start, and send in parts what was planned for later."""
        from webhooks.models.health import WebhookHealth

        WebhookHealth.objects.filter(webhook=self).update(**WebhookHealth.FRESH)
        self.deliveries.all().bring_forward()

    def check_endpoint(self) -> None:
        """Raise ValidationError, for its field, if the address is certainly private."""
        try:
            safety.check_reach(self.external_url)
        except ValidationError as problem:
            raise ValidationError({"external_url": problem}) from None

    def check_condition(self) -> None:
        """Raise ValidationError, for its field, if it cannot be asked of the objects."""
        try:
            conditions.check(self.condition, self.object_class)
        except ValidationError as problem:
            raise ValidationError({"condition": problem}) from None

    def remove(self, *, by: "Doer | None") -> None:
        """Delete the webhook with its deliveries. What is being sent may still arrive."""
        from webhooks.models.delivery import Attempt

        with transaction.atomic():
            # No change adds a delivery from here on, no worker takes one or writes down a result.
            # There may be a million, so they are not loaded, neither here nor by delete().
            Webhook.objects.select_for_update().filter(pk=self.pk).first()
            waiting = self.deliveries.unfinished().order_by("pk").select_for_update()
            for _each in waiting.values_list("pk").iterator():
                pass
            record(by, Action.WEBHOOK_DELETED, self)
            Attempt.objects.filter(delivery__webhook=self).delete()
            self.deliveries.all()._raw_delete(self.deliveries.db)
            self.delete()

    def reveal(self, kind: str, *, by: "Doer | None") -> str:
        """Return the newest secret of a kind and record that it was seen. Raise SealBroken."""
        from webhooks.models.secret import WebhookSecret

        with transaction.atomic():
            newest = WebhookSecret.newest(self, kind)
            secret = newest.open()
            seen = {"kind": [None, str(WebhookSecret.Kind(kind).label)]}
            record(by, Action.WEBHOOK_SECRET_SEEN, self, seen)
        return secret

    def renew_secret(
        self, kind: str, *, by: "Doer | None", secret: str = "", until: datetime | None = None
    ) -> bool:
        """Put a new secret in place of the newest of a kind; without one, make it up.

        The old one signs `until` then as well, or no longer. Return False if the secret is the
        present one. Raise ValidationError.
        """
        from webhooks.models.secret import WebhookSecret

        with transaction.atomic():
            row = Webhook.objects.select_for_update(no_key=True).get(pk=self.pk)
            new = secret or secrets.new(kind)
            if not WebhookSecret.replace(row, kind, new, by=by, until=until):
                return False
            told = {"kind": [None, str(WebhookSecret.Kind(kind).label)]}
            record(by, Action.WEBHOOK_SECRET_CHANGED, row, told)
        return True

    def redeliver(self, deliveries: "DeliveryQuerySet", *, by: "Doer | None") -> int:
        """Send deliveries of this webhook once more, or at once; return how many.

        Raise Webhook.DoesNotExist if it was deleted meanwhile.
        """
        with transaction.atomic():
            Webhook.objects.select_for_update(no_key=True).get(pk=self.pk)
            count = deliveries.filter(webhook=self).redeliver()
            if count:
                record(by, Action.WEBHOOK_REDELIVERED, self, {"deliveries": [None, count]})
        return count

    def abort(self, delivery: "Delivery", *, by: "Doer | None") -> bool:
        """Give up a delivery that waits; return False if it is being sent, or finished."""
        with transaction.atomic():
            if not delivery.give_up():
                return False
            record(by, Action.WEBHOOK_ABORTED, self, {"delivery": [None, delivery.pk]})
        return True

    def send_anew(
        self, deliveries: "DeliveryQuerySet", *, seen: datetime, by: "Doer | None"
    ) -> "Replay | None":
        """Begin anew with deliveries of this webhook, paced; return None if there are none.

        `seen` is when the person saw that they had ended or failed: two presses at once count once.
        """
        from webhooks.models.replay import Replay

        with transaction.atomic():
            if not Webhook.objects.select_for_update(no_key=True).filter(pk=self.pk).first():
                return None
            replay = Replay.objects.create(
                webhook=self, **OwnedActorField.columns("created_by", by)
            )
            rows = deliveries.filter(webhook=self)
            replay.total, replay.has_more = rows.send_anew(seen, replay)
            if not replay.total:
                replay.delete()
                return None
            replay.save(update_fields=["total"])
            record(by, Action.WEBHOOK_REDELIVERED, self, {"deliveries": [None, replay.total]})
        return replay

    def touch(self, by: "Doer | None") -> None:
        self.updated_at, self.version = timezone.now(), self.version + 1
        for name, value in OwnedActorField.columns("updated_by", by).items():
            setattr(self, name, value)

    def described(self) -> dict[str, Any]:
        """Return what people set, as changes of the trail. Headers may hold passwords."""
        return {
            "label": [None, self.label],
            "description": [None, self.description],
            "product": [None, self.product_id],
            "object_class": [None, self.get_object_class_display()],
            "type": [None, self.get_type_display()],
            "condition": [None, self.condition],
            "endpoint": [None, self.external_url],
            "method": [None, self.http_method],
            "headers": [None, ", ".join(sorted(self.headers))],
            "data": [None, json.dumps(self.data, sort_keys=True)],
            "active": [None, self.active],
            "keep_order": [None, self.keep_order],
            "rate": [None, self.rate_per_minute],
        }


# What each state is in the database.
IN_STATE = {
    Webhook.State.ACTIVE: Q(active=True, paused_at=None),
    Webhook.State.PAUSED: Q(active=True, paused_at__isnull=False),
    Webhook.State.DISABLED: Q(active=False),
}
