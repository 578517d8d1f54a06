"""Tokens: their fields, queries and grants, and the methods that change them."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Membership, User
from activity.actions import Action
from activity.models import Event, EventQuerySet
from activity.recording import record
from portal.fields import Actor, FoldedField, MomentField, OwnedActorField, PublicIdField
from portal.text import fold
from tokens.catalog import Access, Module, labels
from tokens.keys import Key
from tokens.models.base import (
    EXPIRING,
    AlreadyIssued,
    Changed,
    Deleted,
    State,
)
from tokens.models.ending import RESTORABLE, Ending
from tokens.models.extension import Extension
from tokens.models.grant import Grant
from tokens.models.guards import IPRule
from tokens.models.key import TokenKey
from tokens.models.policy import Governed, Policy, paired
from tokens.models.rotation import Rotating
from tokens.models.rules import check_extension, check_name, claim_name
from tokens.models.usage import TokenUsage


class TokenQuerySet(models.QuerySet["Token"]):
    def of_account(self, account_id: str) -> "TokenQuerySet":
        """Return the tokens of an account.

        Every page and call starts from this, so another account's token is a 404.
        """
        return self.filter(account=account_id)

    def visible_to(self, membership: Membership) -> "TokenQuerySet":
        """Return the tokens of the account that a person acts for."""
        return self.of_account(membership.account_id)

    def live(self) -> "TokenQuerySet":
        """Return all tokens except deleted ones."""
        return self.exclude(status=Token.Status.DELETED)

    def named(self, name: str) -> "TokenQuerySet":
        """Return the tokens with the name, ignoring case."""
        return self.filter(name_key=fold(name))

    def holding(self, name: str) -> "TokenQuerySet":
        """Return the tokens that keep a name from others: live ones, and restorable ones."""
        return self.named(name).live() | self.named(name).restorable()

    def restorable(self) -> "TokenQuerySet":
        """Return the deleted tokens that can still be restored."""
        return self.filter(
            status=Token.Status.DELETED,
            purged_at=None,
            status_changed_at__gt=timezone.now() - RESTORABLE,
        )

    def due_for_purge(self) -> "TokenQuerySet":
        """Return the deleted tokens that can no longer be restored, and are not purged yet."""
        over = Q(status_changed_at=None) | Q(status_changed_at__lte=timezone.now() - RESTORABLE)
        return self.filter(over, status=Token.Status.DELETED, purged_at=None)

    def purge(self) -> int:
        """Purge those that can no longer be restored; return how many.

        One after the other, so that nobody waits long for a lock.
        """
        count = 0
        while due := self.due_for_purge().first():
            count += due.purge()
        return count

    def in_states(self, states: Collection[str]) -> "TokenQuerySet":
        """Return tokens in any of the states, as in `Token.state`."""
        meaning = self.meaning_of_states()
        wanted = Q(pk__in=())
        for state in states:
            wanted |= meaning[State(state)]
        return self.filter(wanted)

    @staticmethod
    def meaning_of_states() -> dict[State, Q]:
        """Return the condition of each state, as in `Token.state`."""
        now = timezone.now()
        active = Q(status=Token.Status.ACTIVE)
        soon = now + EXPIRING
        # From the few keys that retire to their tokens: the other way would look at every token.
        two_keys = Q(pk__in=TokenKey.objects.filter(retires_at__gt=now).values("token"))
        return {
            State.ACTIVE: active & ~two_keys & (Q(expires_at=None) | Q(expires_at__gt=soon)),
            State.REVITALISED: active & two_keys & (Q(expires_at=None) | Q(expires_at__gt=now)),
            State.EXPIRING: active & ~two_keys & Q(expires_at__gt=now, expires_at__lte=soon),
            State.EXPIRED: active & Q(expires_at__lte=now),
            State.INACTIVE: Q(status=Token.Status.INACTIVE),
            State.DELETED: Q(status=Token.Status.DELETED),
        }

    def search(self, text: str) -> "TokenQuerySet":
        """Return tokens whose name, id or external id contains the text, ignoring case."""
        return self.filter(
            Q(name_key__contains=fold(text))
            | Q(id__contains=text.strip().upper())
            | Q(external_id_key__contains=fold(text))
        )

    def reaching(self, module: str) -> "TokenQuerySet":
        """Return tokens that may reach the module, by its own grant or by All."""
        return self.filter(
            models.Exists(
                Grant.objects.filter(token=models.OuterRef("pk"), module__in=(module, Module.ALL))
            )
        )

    def without_handle(self) -> "TokenQuerySet":
        """Return the tokens whose key people see."""
        present = TokenKey.objects.filter(token=models.OuterRef("pk"), retires_at=None)
        return self.exclude(models.Exists(present.filter(handle__isnull=False)))

    def with_standing(self) -> "TokenQuerySet":
        """Fetch all that the standing needs: usage, account with policies, extension and keys."""
        keys = models.Prefetch("keys", TokenKey.objects.defer("digest"))
        rows = self.annotate(has_rules=models.Exists(IPRule.objects.holding_for()))
        rows = rows.select_related("usage", "account__policy__next", "extension__owner")
        return rows.prefetch_related(keys)


class Token(Governed, Rotating, Ending):
    """The right of a program to call the API. The keys are in TokenKey.

    A token belongs to an account, not to a person.
    """

    id = PublicIdField(gettext_lazy("ID"), groups=(3, 3, 3), prefix="SU")
    extension = models.ForeignKey(
        Extension,
        models.PROTECT,
        db_column="extension",
        db_index=False,
        related_name="+",
        verbose_name=gettext_lazy("Extension"),
    )
    name_key = FoldedField(source="name")
    external_id_key = FoldedField(source="external_id")
    created_at = MomentField(gettext_lazy("Created"), default=timezone.now, editable=False)
    created_by = OwnedActorField(gettext_lazy("Created by"))
    updated_at = MomentField(gettext_lazy("Updated"), default=timezone.now, editable=False)
    updated_by = OwnedActorField(gettext_lazy("Updated by"))
    # Counts edits, so that the second of two people who edit at the same time is warned.
    version = models.PositiveIntegerField(default=1, editable=False)
    # The wizard run that created the token. Unique, so that pressing Create several times creates
    # one token.
    draft_id = models.UUIDField(null=True, unique=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("token")
        verbose_name_plural = gettext_lazy("tokens")
        permissions = (("disable_token", gettext_lazy("Can disable tokens of any account")),)
        constraints = (
            models.UniqueConstraint(
                fields=("account", "name_key"),
                # A deleted token keeps its name as long as it can be restored.
                condition=Q(purged_at=None),
                name="unique_name_until_purged",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("active", "inactive", "deleted")), name="known_status"
            ),
            paired("rate_of_token_has_burst"),
            models.CheckConstraint(
                condition=Q(purged_at=None) | Q(status="deleted"), name="only_deleted_are_purged"
            ),
        )
        # For sorting and filtering the list. Each ends in the primary key, so that long lists are
        # fast and their pages stable.
        indexes = (
            models.Index(
                "account", F("created_at").desc(), F("id").desc(), name="tokens_by_created"
            ),
            models.Index("account", "name_key", "id", name="tokens_by_name"),
            models.Index(
                "account", "status", F("created_at").desc(), F("id").desc(), name="tokens_by_status"
            ),
            models.Index(
                "account",
                "extension",
                F("created_at").desc(),
                F("id").desc(),
                name="tokens_by_extension",
            ),
            models.Index("account", "updated_at", "id", name="tokens_by_updated"),
            models.Index("account", "status", "expires_at", "id", name="tokens_by_end"),
            # Covers the query for the filter's choice of creators.
            models.Index(
                *(
                    "account",
                    "created_by_id",
                    "created_by_name",
                    "created_by_account",
                    "created_at",
                ),
                name="tokens_by_creator",
            ),
            models.Index(
                "status_changed_at",
                condition=Q(status="deleted", purged_at=None),
                name="tokens_to_purge",
            ),
        )

    # --- Reading ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        if self.status != self.Status.ACTIVE:
            return State(self.status)
        left = self.expires_at - timezone.now() if self.expires_at else timedelta.max
        return (
            State.EXPIRED
            if left <= timedelta(0)
            else State.REVITALISED
            if self.old_key
            else State.EXPIRING
            if left <= EXPIRING
            else State.ACTIVE
        )

    @property
    def events(self) -> EventQuerySet:
        """The trail's entries about the token, newest first."""
        return (
            Event.objects.filter(account=self.account_id)
            .about("token", self.pk)
            .order_by("-number")
        )

    @property
    def last_used_at(self) -> datetime | None:
        used: datetime | None = self.usage.last_used_at
        return used

    @cached_property
    def grants(self) -> set[str]:
        """The ids of the granted modules; MD-0000 for All."""
        return {grant.module for grant in self.permissions.all()}

    @property
    def access(self) -> Access:
        return Access.of(self.grants)

    def widens(self, modules: Collection[str] | None, expires_at: datetime | None) -> bool:
        """Tell whether an edit would let the token do more, or for longer.

        `modules=None` leaves the grants unchanged.
        """
        # All is more than every single module, since it covers future ones.
        more = (
            modules is not None
            and Module.ALL not in self.grants
            and not set(modules) <= self.grants
        )
        longer = self.expires_at is not None and (
            expires_at is None or expires_at > self.expires_at
        )
        return more or longer

    # --- Verbs --------------------------------------------------------------------------------
    # `by` is the actor: a person, a token, or None if unknown, as in the shell.

    @classmethod
    def issue(
        cls,
        *,
        account: Account,
        modules: Collection[str],
        by: "Doer | None",
        draft_id: uuid.UUID | None = None,
        **fields: Any,
    ) -> tuple["Token", Key]:
        """Create a token and its key in one transaction, and return both.

        The key is returned, so that callers can hand it out without unsealing it. Raise NameTaken,
        NotOffered, TooManyTokens, ValidationError, and AlreadyIssued for a wizard run that has
        already created its token.
        """
        actors = OwnedActorField.columns("created_by", by) | OwnedActorField.columns(
            "updated_by", by
        )
        token = cls(account=account, draft_id=draft_id, **actors, **fields)
        token.check_said()
        try:
            with transaction.atomic():
                # Creations of one account queue here, so that the cap and the name are checked
                # against what is there.
                account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
                cls.check_run(draft_id)
                claim_name(account, token.name)
                check_extension(account, token.extension)
                policy = Policy.of(account)
                policy.check_end(token.expires_at, token.created_at)
                token.show_once = token.show_once or policy.show_once
                token.save(force_insert=True)
                key = TokenKey.make(token, by=by)
                TokenUsage.objects.create(token=token)
                granted, _taken = token.grant(modules, by=by)
                record(by, Action.TOKEN_CREATED, token, token.described(granted))
                return token, key
        except IntegrityError:
            # The unique constraints decide if two processes pass the checks at the same time.
            cls.check_run(draft_id)
            check_name(account, token.name)
            raise

    @classmethod
    def check_run(cls, draft_id: uuid.UUID | None) -> None:
        """Raise AlreadyIssued if the wizard run has created its token."""
        if draft_id and (made := cls.objects.filter(draft_id=draft_id).first()):
            raise AlreadyIssued(made)

    def grant(
        self, modules: Collection[str], *, by: "Doer | Actor | None"
    ) -> tuple[set[str], set[str]]:
        """Make `modules` the token's grants; return the modules added and removed."""
        wanted = {Module.ALL.value} if Module.ALL in modules else set(map(str, modules))
        had = set(self.permissions.values_list("module", flat=True))
        self.permissions.filter(module__in=had - wanted).delete()
        granter = OwnedActorField.columns("granted_by", by)
        Grant.objects.bulk_create(
            Grant(token=self, module=module, **granter) for module in sorted(wanted - had)
        )
        self.__dict__.pop("grants", None)
        return wanted - had, had - wanted

    def edit(
        self,
        *,
        by: "Doer | None",
        version: int | None,
        modules: Collection[str] | None,
        **fields: Any,
    ) -> int:
        """Change fields and grants if nobody else has since `version`.

        Return the number of changes. `version=None` skips that check, `modules=None` leaves the
        grants unchanged. The row is changed, not this object. Raise Changed, Deleted, NameTaken and
        ValidationError.
        """
        with transaction.atomic():
            token = self.locked()
            if version is not None and token.version != version:
                raise Changed(_("Somebody else changed this token in the meantime."))
            if token.show_once:
                # What was destroyed cannot come back.
                fields.pop("show_once", None)
            changed = {
                name: [getattr(token, name), value]
                for name, value in fields.items()
                if getattr(token, name) != value
            }
            if "name" in changed:
                claim_name(token.account, fields["name"], but=token.pk)
            token.check_end(fields.get("expires_at", token.expires_at))
            added, removed = token.grant(modules, by=by) if modules is not None else (set(), set())
            count = len(changed) + len(added) + len(removed)
            if count:
                token.assign(
                    **fields, version=token.version + 1, updated_at=timezone.now(), updated_by=by
                )
                token.store()
                token.end_old_key_by(fields.get("expires_at"))
                if added or removed:
                    changed["modules"] = [
                        in_words(token.grants - added | removed),
                        in_words(token.grants),
                    ]
                record(by, Action.TOKEN_CHANGED, token, changed)
            return count

    def follow(self, modules: Collection[str], *, by: "Doer | Actor | None") -> bool:
        """Take the modules that its extension has now; tell whether that changed something."""
        with transaction.atomic():
            token = Token.objects.select_for_update(no_key=True).get(pk=self.pk)
            added, removed = (set(), set()) if token.is_deleted else token.grant(modules, by=by)
            if not added and not removed:
                return False
            token.assign(version=token.version + 1, updated_at=timezone.now(), updated_by=by)
            token.save()
            before = token.grants - added | removed
            changed = {"modules": [in_words(before), in_words(token.grants)]}
            record(by, Action.TOKEN_CHANGED, token, changed)
            return True

    def store(self) -> None:
        """Save an edited token. Raise NameTaken."""
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            check_name(self.account, self.name, but=self.pk)
            raise
        if self.show_once:
            self.keys.update(sealed=None)

    def add_grant(self, module: Module, *, by: "Doer | None") -> bool:
        """Grant one more module; All replaces single grants.

        Tell whether anything changed. Raise Deleted.
        """
        with transaction.atomic():
            grants = self.locked().grants
            return self.edit(by=by, version=None, modules={*grants, module}) > 0

    def remove_grants(self, *modules: Module, by: "Doer | None") -> bool:
        """Revoke grants, even the last one. From a token with All, only All can be revoked.

        Tell whether anything changed. Raise Deleted.
        """
        with transaction.atomic():
            grants = self.locked().grants
            return self.edit(by=by, version=None, modules=grants - set(modules)) > 0

    def enable(self, *, by: "Doer | None") -> bool:
        """Let the token's keys work again. Tell whether anything changed."""
        self.disable_idle()
        return super().enable(by=by)

    def disable_idle(self) -> bool:
        """Disable the token if it is idle by a policy. Tell whether anything changed."""
        still = self.queryset.filter(status=self.Status.ACTIVE)
        return self.is_idle and self.become(
            self.Status.INACTIVE, still, Action.TOKEN_IDLED, by=None
        )

    def described(self, grants: Collection[str]) -> dict[str, Any]:
        """Return what the trail keeps of a new token."""
        said = {"name": self.name, "extension": self.extension.label, "modules": in_words(grants)}
        optional = {
            "external_id": self.external_id,
            "description": self.description,
            "expires_at": self.expires_at,
            "show_once": self.show_once,
        }
        return {name: [None, value] for name, value in (said | optional).items() if value}

    def locked(self) -> "Token":
        """Return the current row, locked against other changes until the end of the transaction.

        Raise Deleted.
        """
        # Without the key, so that rows which reference it do not wait: two tokens that change each
        # other would deadlock.
        token = Token.objects.select_for_update(no_key=True).get(pk=self.pk)
        if token.is_deleted:
            raise Deleted(_("The token was deleted in the meantime."))
        return token

    def assign(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


# Actors on tokens.
Doer = User | Token


def in_words(grants: Collection[str]) -> list[str]:
    """Return the labels of granted modules, which the trail keeps instead of their ids."""
    return labels(module for module in Module if module in grants)
