"""The keys of a token: which of them work, and the verbs that replace one.

`rotate` makes a new key and stops the others at once; `renew` lets the present key live on for a
while as the old one. All verbs lock the token first, so simultaneous ones run one after the other.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.db import models, transaction
from django.db.models import F, Value
from django.db.models.functions import Least, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from activity.actions import Action
from activity.recording import record
from portal import text
from portal.fields import OwnedActorField
from tokens import vault
from tokens.keys import Key
from tokens.models.base import BadEnd, InUse, NoOldKey, Replaced, TokenFields, TwoKeys
from tokens.models.key import TokenKey
from tokens.models.usage import KeyUse

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from tokens.models.token import Doer, Token

# How long the old key may live on beside the new one.
SHORTEST_OVERLAP, LONGEST_OVERLAP = timedelta(hours=1), timedelta(days=30)
# How long a rehearsal refuses the old key.
REHEARSAL = timedelta(minutes=5)
# How many retired keys a token keeps, so that whoever still sends one learns why it is refused.
KEPT = 5


class Rotating(TokenFields):
    """The part of Token that is about its keys."""

    class Meta:
        abstract = True

    if TYPE_CHECKING:
        keys: RelatedManager[TokenKey]

        def locked(self) -> "Token": ...

    # --- Reading ----------------------------------------------------------------------------------

    @property
    def live_keys(self) -> list[TokenKey]:
        """The keys that are not retired, newest first."""
        live = [key for key in self.keys.all() if not key.is_retired]
        return sorted(live, key=lambda key: key.version, reverse=True)

    @property
    def usable_keys(self) -> list[TokenKey]:
        """The keys that pass the gate, newest first."""
        return [key for key in self.live_keys if key.can_be_checked]

    @property
    def shown_keys(self) -> list[TokenKey]:
        """The usable keys that people may see, newest first; no handle that was replaced."""
        newest = self.key_version
        return [key for key in self.usable_keys if not key.has_handle or key.version == newest]

    @property
    def old_key(self) -> TokenKey | None:
        """The key that was renewed and still works; None if there is none."""
        return next((key for key in self.live_keys if key.is_old), None)

    @property
    def uses_handle(self) -> bool:
        """Whether its newest key is behind a handle, so that people never see the key."""
        return any(key.has_handle for key in self.live_keys[:1])

    @property
    def noun(self) -> str:
        """The word for what people paste."""
        return _("handle") if self.uses_handle else _("key")

    @property
    def called_with(self) -> str:
        """What programs call with, in words that follow "the"."""
        return _("key of the handle") if self.uses_handle else _("key")

    @property
    def key_version(self) -> int:
        """The number of the newest key, by which a form tells whether it was replaced since."""
        return max((key.version for key in self.keys.all()), default=0)

    def reveal(self, *, by: User, copied: bool, version: int | None = None) -> str:
        """Return a usable key, by default the newest, as the value of the Authorization header.

        Record who got it, when and from where. Raise vault.SealBroken, after recording that
        instead.
        """
        action = Action.KEY_COPIED if copied else Action.KEY_VIEWED
        shown = next(
            (stored for stored in self.shown_keys if version in {None, stored.version}), None
        )
        try:
            if shown is None:
                raise vault.SealBroken
            key = shown.open()
        except vault.SealBroken:
            record(by, Action.KEY_UNREADABLE, self, self.as_seen)
            raise
        record(by, action, self, self.as_seen)
        return key

    @property
    def as_seen(self) -> dict[str, list[str | None]]:
        """What entries say of what was seen: which handle, so that they can name it one."""
        return changed_key(None, self.live_keys[0]) if self.uses_handle else {}

    # --- A new key --------------------------------------------------------------------------------

    def rotate(self, *, by: "Doer | None", version: int | None = None, **fields: Any) -> Key:
        """Make a new key and retire all others at once; return the new one.

        `version` is the `key_version` that the person saw; without it, whatever is there is
        replaced. `fields` may set `expires_at`. Raise Replaced, Deleted, RingSecret.Foreign, and
        ValidationError for an end that a policy does not allow.
        """
        with transaction.atomic():
            token = self.locked()
            before = token.present_key(version)
            token.keys.filter(retires_at__isnull=True).update(replaced_at=timezone.now())
            still_live(token).update(retires_at=just_now(), rehearsed_until=None, sealed=None)
            key = token.put_new(by=by, **fields)
            record(by, Action.KEY_ROTATED, token, changed_key(before, key))
        self.forget_keys()
        return key

    def renew(
        self, *, by: "Doer | None", until: datetime, version: int | None = None, **fields: Any
    ) -> Key:
        """Make a new key and let the present one live until a moment; return the new one.

        The present key never outlives the expiration that it had. `version` and `fields` are as in
        rotate(). Raise Replaced, TwoKeys, BadEnd, Deleted, ValidationError, RingSecret.Foreign.
        """
        with transaction.atomic():
            token = self.locked()
            before = token.present_key(version)
            if token.old_key:
                raise TwoKeys(_("The token has two keys already. Retire the old one first."))
            latest = before and token.key_end(before)
            if latest and latest <= timezone.now():
                raise BadEnd(_("The present key has ended already, so it cannot live on."))
            until = min(until, latest or until)
            check_end(until, timezone.now())
            present = token.keys.filter(retires_at__isnull=True)
            KeyUse.objects.filter(key__in=present).update(earlier_calls=F("calls"))
            present.update(retires_at=until, replaced_at=timezone.now())
            key = token.put_new(by=by, **fields)
            changes = {**changed_key(before, key), **changed_end(before, None, until)}
            record(by, Action.KEY_RENEWED, token, changes)
        self.forget_keys()
        return key

    def present_key(self, version: int | None) -> TokenKey | None:
        """Return the newest live key. Raise Replaced unless `version` is the present one."""
        if version is not None and version != self.key_version:
            raise Replaced(_("Another new key of this token was made in the meantime."))
        return next(iter(self.live_keys), None)

    def put_new(self, *, by: "Doer | None", **fields: Any) -> Key:
        """Make the next key of the locked token, and forget the oldest retired ones."""
        token = cast("Token", self)
        token.policy.check_end(fields.get("expires_at"), timezone.now())
        key = TokenKey.make(token, self.key_version + 1, by=by)
        kept = self.keys.order_by("-version").values_list("pk", flat=True)[: KEPT + 1]
        self.keys.filter(retires_at__lte=timezone.now()).exclude(pk__in=list(kept)).delete()
        fields |= {"updated_at": timezone.now(), **OwnedActorField.columns("updated_by", by)}
        type(self)._default_manager.filter(pk=self.pk).update(**fields)
        self.end_old_key_by(fields.get("expires_at"))
        return key

    def end_old_key_by(self, moment: datetime | None) -> None:
        """Let the old key end no later than the token does."""
        if moment:
            self.keys.filter(retires_at__gt=moment).update(retires_at=moment)

    # --- What follows, until the old key ends -----------------------------------------------------

    def extend(self, *, by: "Doer | None", until: datetime) -> None:
        """Let the old key live longer. Raise NoOldKey, BadEnd, Deleted."""
        with transaction.atomic():
            token = self.locked()
            old = token.old_or_refused()
            if old.retires_at and until <= old.retires_at:
                raise BadEnd(_("Choose a later end than the present one."))
            check_end(until, old.replaced_at or timezone.now())
            if (latest := token.key_end(old)) and until > latest:
                words = _(
                    "The old key stops on %(at)s at the latest, as the token's own end or a "
                    "policy of the account says."
                )
                raise BadEnd(words % {"at": text.day_and_time(latest)})
            self.keys.filter(pk=old.pk).update(retires_at=until)
            changes = changed_end(old, old.retires_at, until)
            record(by, Action.OLD_KEY_EXTENDED, token, changes)
        self.forget_keys()

    def retire(self, *, by: "Doer | None") -> None:
        """Stop the old key: its next call is refused. Raise NoOldKey, Deleted."""
        with transaction.atomic():
            token = self.locked()
            old = token.old_or_refused()
            self.keys.filter(pk=old.pk).update(
                retires_at=just_now(), rehearsed_until=None, sealed=None
            )
            record(by, Action.OLD_KEY_RETIRED, token, changed_key(old, None))
        self.forget_keys()

    def cancel_renewal(self, *, by: "Doer | None") -> None:
        """Retire the new key while it is unused, and let the old one live on as before.

        An expiration date that was set with the renewal stays. Raise InUse, NoOldKey, Deleted.
        """
        with transaction.atomic():
            token = self.locked()
            old, new = token.old_or_refused(), token.live_keys[0]
            if new.uses.exists():
                raise InUse(_("The new key is in use already. Retire the old one instead."))
            self.keys.filter(pk=new.pk).update(retires_at=just_now(), sealed=None)
            self.keys.filter(pk=old.pk).update(
                retires_at=None, replaced_at=None, rehearsed_until=None
            )
            record(by, Action.RENEWAL_CANCELLED, token, changed_key(new, old))
        self.forget_keys()

    def rehearse(self, *, by: "Doer | None") -> None:
        """Refuse the old key for five minutes, as if it were retired. Raise NoOldKey, Deleted."""
        self.rehearse_until(timezone.now() + REHEARSAL, Action.REHEARSAL_STARTED, by=by)

    def end_rehearsal(self, *, by: "Doer | None") -> None:
        """Let the old key in again at once. Raise NoOldKey, Deleted."""
        self.rehearse_until(None, Action.REHEARSAL_ENDED, by=by)

    def rehearse_until(self, moment: datetime | None, action: Action, *, by: "Doer | None") -> None:
        with transaction.atomic():
            token = self.locked()
            old = token.old_or_refused()
            if old.is_rehearsed != (moment is None):
                return
            self.keys.filter(pk=old.pk).update(rehearsed_until=moment)
            record(by, action, token, {"rehearsal_ends_at": [old.rehearsed_until, moment]})
        self.forget_keys()

    def old_or_refused(self) -> TokenKey:
        """Return the old key. Raise NoOldKey."""
        if self.old_key is None:
            raise NoOldKey(_("The old key has stopped already."))
        return self.old_key

    def forget_keys(self) -> None:
        """Drop the keys that were fetched with the token, since they have changed."""
        getattr(self, "_prefetched_objects_cache", {}).pop("keys", None)


def still_live(token: Rotating) -> models.QuerySet[TokenKey]:
    return token.keys.exclude(retires_at__lte=Now())


def just_now() -> Least:
    """Return the present as an expression: past by the clock of the database and by our own."""
    return Least(Now(), Value(timezone.now(), models.DateTimeField()))


def check_end(until: datetime, since: datetime) -> None:
    """Raise BadEnd unless an old key that was replaced at `since` may live until then."""
    if until <= timezone.now():
        raise BadEnd(_("Choose a moment in the future."))
    if until > since + LONGEST_OVERLAP:
        raise BadEnd(_("An old key can live on for at most 30 days."))


def changed_key(
    before: TokenKey | None, after: TokenKey | Key | None
) -> dict[str, list[str | None]]:
    """Return how the trail tells which key, or handle, replaced which."""
    last = after or before
    name = "handle" if last and last.has_handle else "key"
    return {name: [ends_in(key.last_four) if key else None for key in (before, after)]}


def changed_end(old: TokenKey | None, before: datetime | None, after: datetime) -> dict[str, Any]:
    """Return how the trail tells when the old key, or the key of the old handle, stops."""
    name = "old_handle_ends_at" if old and old.has_handle else "old_key_ends_at"
    return {name: [before, after]}


def ends_in(last_four: str) -> str:
    return _("ends in %(digits)s") % {"digits": last_four} if last_four else _("ending unknown")
