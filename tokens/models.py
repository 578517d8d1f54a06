"""Tokens: what they are, what they may reach, who uses them, and every way in which they change."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Membership, User
from portal.fields import FoldedField, LineField, MomentField, ProseField, PublicIdField
from portal.text import fold, isolate
from tokens import keys, vault
from tokens.catalog import Access, Extension, Module

# A token counts as expiring in its last thirty days.
EXPIRING = timedelta(days=30)
# Drafts of the wizard that nobody finished.
DRAFT_LASTS = timedelta(days=1)
# How many keys are tried with a secret whose fingerprint is not known.
SAMPLE = 5


class TokenError(Exception):
    """Something that a person may not do to a token, with a sentence that says why."""


class NameTaken(TokenError):
    """Another live token of the account has the name."""


class TooManyTokens(TokenError):
    """The account has as many tokens of the extension as it may have."""


class Changed(TokenError):
    """Somebody else changed the token since the person began to edit it."""


class Deleted(TokenError):
    """The token was deleted; nothing can be done to it any more."""


class State(models.TextChoices):
    """What people and the API see: the stored status, and what the expiration date makes of it."""

    ACTIVE = "active", gettext_lazy("Active")
    EXPIRING = "expiring", gettext_lazy("Expiring")
    EXPIRED = "expired", gettext_lazy("Expired")
    INACTIVE = "inactive", gettext_lazy("Inactive")
    DELETED = "deleted", gettext_lazy("Deleted")


def actor_columns(name: str, by: "Actor | None") -> dict[str, Any]:
    """The twin columns that keep an actor: a person in `created_by`, a token in `created_by_token`, the other one empty.

    They protect whom they name from deletion: who did something can be switched off, but stays to be named.
    """
    is_token = isinstance(by, Token)
    return {name: None if is_token else by, f"{name}_token": by if is_token else None}


def one_actor(name: str) -> models.CheckConstraint:
    """At most one of the twin columns is set."""
    return models.CheckConstraint(condition=Q(**{name: None}) | Q(**{f"{name}_token": None}), name=f"one_actor_in_{name}")


class TokenFields(models.Model):
    """What a person says about a token, in the wizard (TokenDraft) and afterwards (Token)."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False, editable=False, verbose_name=gettext_lazy("account"))
    name = LineField(gettext_lazy("Name"), max_length=128)
    external_id = LineField(
        gettext_lazy("External ID"), max_length=128, blank=True, help_text=gettext_lazy("The identifier of this integration in your own system.")
    )
    description = ProseField(gettext_lazy("Description"), max_length=255, blank=True)
    extension = models.CharField(gettext_lazy("Extension"), max_length=16, choices=Extension)
    expires_at = MomentField(gettext_lazy("Expires"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Extension:
        """The extension with all that the catalog knows of it."""
        return Extension.stored(self.extension)

    def check_said(self) -> None:
        """Normalise what a person said, and raise ValidationError for what may not be stored."""
        said = {"name", "external_id", "description", "extension", "expires_at"}
        self.clean_fields(exclude={field.name for field in self._meta.fields} - said)


class TokenQuerySet(models.QuerySet["Token"]):
    def of_account(self, account_id: str) -> "TokenQuerySet":
        """The tokens of an account. Every page and every call begins here, so another account's token is a 404."""
        return self.filter(account=account_id)

    def visible_to(self, membership: Membership) -> "TokenQuerySet":
        """The tokens of the account a person acts for."""
        return self.of_account(membership.account_id)

    def live(self) -> "TokenQuerySet":
        """All but the deleted ones."""
        return self.exclude(status=Token.Status.DELETED)

    def in_states(self, states: Collection[str]) -> "TokenQuerySet":
        """Tokens in any of the states, as `Token.state` tells it."""
        now = timezone.now()
        active = Q(status=Token.Status.ACTIVE)
        soon = now + EXPIRING
        meaning = {
            State.ACTIVE: active & (Q(expires_at=None) | Q(expires_at__gt=soon)),
            State.EXPIRING: active & Q(expires_at__gt=now, expires_at__lte=soon),
            State.EXPIRED: active & Q(expires_at__lte=now),
            State.INACTIVE: Q(status=Token.Status.INACTIVE),
            State.DELETED: Q(status=Token.Status.DELETED),
        }
        wanted = Q(pk__in=())
        for state in states:
            wanted |= meaning[State(state)]
        return self.filter(wanted)

    def search(self, text: str) -> "TokenQuerySet":
        """Tokens whose name, id or external id contains the text, without regard to case."""
        return self.filter(Q(name_key__contains=fold(text)) | Q(id__contains=text.strip().upper()) | Q(external_id_key__contains=fold(text)))

    def reaching(self, module: str) -> "TokenQuerySet":
        """Tokens that may reach the module, by a grant of its own or by All."""
        return self.filter(models.Exists(Permission.objects.filter(token=models.OuterRef("pk"), module__in=(module, Module.ALL))))

    def with_people(self) -> "TokenQuerySet":
        """With what a list shows beside the token's own columns: who made and changed it, its use, its account and keys.

        PostgreSQL plans eight tables of a query together; with one more, a page of a long list would take a second.
        """
        people = ("created_by", "created_by_token", "updated_by", "updated_by_token")
        keys = models.Prefetch("keys", TokenKey.objects.defer("digest"))
        return self.select_related(*people, "usage", "account").prefetch_related(keys)


class Token(TokenFields):
    """A key to the API and everything about it but the key itself. It belongs to an account, not to a person."""

    class Status(models.TextChoices):
        """The stored part of the state. Deleted is final; the row stays as a tombstone."""

        ACTIVE = "active", gettext_lazy("Active")
        INACTIVE = "inactive", gettext_lazy("Inactive")
        DELETED = "deleted", gettext_lazy("Deleted")

    id = PublicIdField(gettext_lazy("ID"), groups=(3, 3, 3), prefix="SU")
    name_key = FoldedField(source="name")
    external_id_key = FoldedField(source="external_id")
    status = models.CharField(gettext_lazy("Status"), max_length=10, choices=Status, default=Status.ACTIVE, editable=False)
    status_changed_at = MomentField(null=True, editable=False)
    status_changed_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    # Tokens act too. The twins have no index of their own: nothing looks for them, and tokens are kept as tombstones.
    status_changed_by_token = models.ForeignKey("self", models.RESTRICT, null=True, editable=False, related_name="+", db_index=False)
    created_at = MomentField(gettext_lazy("Created"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=gettext_lazy("Created by"))
    created_by_token = models.ForeignKey("self", models.RESTRICT, null=True, editable=False, related_name="+", db_index=False)
    updated_at = MomentField(gettext_lazy("Updated"), default=timezone.now, editable=False)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=gettext_lazy("Updated by"))
    updated_by_token = models.ForeignKey("self", models.RESTRICT, null=True, editable=False, related_name="+", db_index=False)
    # Counts edits, so that the second of two people who edit at once is told.
    version = models.PositiveIntegerField(default=1, editable=False)
    # The wizard run that made the token. Unique: eight simultaneous presses of Create make one token.
    draft_id = models.UUIDField(null=True, unique=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("token")
        verbose_name_plural = gettext_lazy("tokens")
        permissions = (("disable_token", gettext_lazy("Can disable tokens of any account")),)
        constraints = (
            models.UniqueConstraint(fields=("account", "name_key"), condition=~Q(status="deleted"), name="unique_name_of_live_tokens"),
            models.CheckConstraint(condition=Q(status__in=("active", "inactive", "deleted")), name="known_status"),
            models.CheckConstraint(condition=Q(extension__in=Extension.values), name="known_extension"),
            one_actor("created_by"),
            one_actor("updated_by"),
            one_actor("status_changed_by"),
        )
        # The orders and filters of the list, each ending in the key, so that long lists stay quick and pages stay put.
        indexes = (
            models.Index("account", F("created_at").desc(), F("id").desc(), name="tokens_by_created"),
            models.Index("account", "name_key", "id", name="tokens_by_name"),
            models.Index("account", "status", F("created_at").desc(), F("id").desc(), name="tokens_by_status"),
            models.Index("account", "extension", F("created_at").desc(), F("id").desc(), name="tokens_by_extension"),
            models.Index("account", "updated_at", "id", name="tokens_by_updated"),
            # Few tokens are made by tokens; the filter's choice of creators finds them here without reading all the others.
            models.Index("account", "created_by_token", condition=Q(created_by_token__isnull=False), name="tokens_by_creating_token"),
        )

    # --- Reading ------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """`ERP Sync (SU-160-984-311)`: a token where a person could stand too."""
        return f"{isolate(self.name)} ({self.pk})"

    @property
    def state(self) -> State:
        if self.status != self.Status.ACTIVE:
            return State(self.status)
        if self.expires_at is None:
            return State.ACTIVE
        left = self.expires_at - timezone.now()
        return State.EXPIRED if left <= timedelta(0) else State.EXPIRING if left <= EXPIRING else State.ACTIVE

    @property
    def is_deleted(self) -> bool:
        return self.status == self.Status.DELETED

    @property
    def creator(self) -> "Actor | None":
        return self.created_by or self.created_by_token

    @property
    def updater(self) -> "Actor | None":
        return self.updated_by or self.updated_by_token

    @property
    def status_changer(self) -> "Actor | None":
        return self.status_changed_by or self.status_changed_by_token

    @property
    def last_used_at(self) -> datetime | None:
        used: datetime | None = self.usage.last_used_at
        return used

    @cached_property
    def grants(self) -> set[str]:
        """The ids of the modules granted, MD-0000 for All."""
        return {permission.module for permission in self.permissions.all()}

    @property
    def access(self) -> Access:
        return Access.of(self.grants)

    def widens(self, modules: Collection[str] | None, expires_at: datetime | None) -> bool:
        """Whether an edit would let the token do more, or for longer. `modules=None` leaves the grants alone."""
        # All is more than every module by name: it covers those to come.
        more = modules is not None and Module.ALL not in self.grants and not set(modules) <= self.grants
        longer = self.expires_at is not None and (expires_at is None or expires_at > self.expires_at)
        return more or longer

    @property
    def usable_keys(self) -> list["TokenKey"]:
        """The keys that calls can be checked against, the newest first."""
        usable = [key for key in self.keys.all() if key.can_be_checked]
        return sorted(usable, key=lambda key: key.version, reverse=True)

    # --- Verbs --------------------------------------------------------------------------------
    # `by` is who acts: a person, a token, or nobody known, as in the shell.

    @classmethod
    def issue(cls, *, account: Account, modules: Collection[str], by: "Actor | None", draft_id: uuid.UUID | None = None, **fields: Any) -> "Token":
        """Make a token with its key, all or nothing. For a wizard run that made one already, that one.

        Raises NameTaken, TooManyTokens and ValidationError.
        """
        actors = actor_columns("created_by", by) | actor_columns("updated_by", by)
        token = cls(account=account, draft_id=draft_id, **actors, **fields)
        token.check_said()
        try:
            with transaction.atomic():
                # Creations of one account queue here, so that the cap and the name are checked against what is there.
                Account.objects.select_for_update(no_key=True).get(pk=account.pk)
                if draft_id and (made := cls.objects.filter(draft_id=draft_id).first()):
                    return made
                check_name(account, token.name)
                check_cap(account, token.extension)
                token.save(force_insert=True)
                TokenKey.put(token, keys.mint(token.pk))
                TokenUsage.objects.create(token=token)
                token.grant(modules, by=by)
                token.record(TokenEvent.Action.CREATED, by=by)
                return token
        except IntegrityError:
            # The unique columns are the last word, should two processes have passed the checks at the same moment.
            if draft_id and (made := cls.objects.filter(draft_id=draft_id).first()):
                return made
            check_name(account, token.name)
            raise

    def grant(self, modules: Collection[str], *, by: "Actor | None") -> tuple[set[str], set[str]]:
        """Make `modules` the token's grants; gives what was added and what was removed."""
        wanted = {Module.ALL.value} if Module.ALL in modules else set(map(str, modules))
        had = set(self.permissions.values_list("module", flat=True))
        self.permissions.filter(module__in=had - wanted).delete()
        giver = actor_columns("granted_by", by)
        Permission.objects.bulk_create(Permission(token=self, module=module, **giver) for module in sorted(wanted - had))
        self.__dict__.pop("grants", None)
        return wanted - had, had - wanted

    def edit(self, *, by: "Actor | None", version: int | None, modules: Collection[str] | None, **fields: Any) -> int:
        """Change fields and grants if nobody else did since `version`; gives the number of changes.

        `version=None` changes the token as it is now, `modules=None` leaves the grants alone. The row is changed, not this
        object. Raises Changed, Deleted, NameTaken.
        """
        with transaction.atomic():
            token = self.locked()
            if version is not None and token.version != version:
                raise Changed(_("Somebody else changed this token in the meantime."))
            changed = {name: [str(getattr(token, name) or ""), str(value or "")] for name, value in fields.items() if getattr(token, name) != value}
            if "name" in changed:
                check_name(token.account, fields["name"], but=token)
            added, removed = token.grant(modules, by=by) if modules is not None else (set(), set())
            count = len(changed) + len(added) + len(removed)
            if count:
                token.assign(**fields, version=token.version + 1, updated_at=timezone.now(), **actor_columns("updated_by", by))
                try:
                    with transaction.atomic():
                        token.save()
                except IntegrityError:
                    check_name(token.account, token.name, but=token)
                    raise
                token.record(TokenEvent.Action.EDITED, by=by, changes={**changed, "added": sorted(added), "removed": sorted(removed)})
            return count

    def add_grant(self, module: Module, *, by: "Actor | None") -> bool:
        """Let the token reach one more module; All takes the place of single grants. Says whether anything changed. Raises Deleted."""
        with transaction.atomic():
            grants = self.locked().grants
            return self.edit(by=by, version=None, modules={*grants, module}) > 0

    def remove_grants(self, *modules: Module, by: "Actor | None") -> bool:
        """Take grants back, be it the last; from All nothing can be taken but All. Says whether anything changed. Raises Deleted."""
        with transaction.atomic():
            grants = self.locked().grants
            return self.edit(by=by, version=None, modules=grants - set(modules)) > 0

    def disable(self, *, by: "Actor | None") -> bool:
        """Refuse every call from the next one on. Says whether anything changed."""
        return self.become(self.Status.INACTIVE, only_from=self.Status.ACTIVE, action=TokenEvent.Action.DISABLED, by=by)

    def enable(self, *, by: "Actor | None") -> bool:
        """Let the key work again. Says whether anything changed."""
        return self.become(self.Status.ACTIVE, only_from=self.Status.INACTIVE, action=TokenEvent.Action.ENABLED, by=by)

    def remove(self, *, by: "Actor | None") -> bool:
        """Delete for good: the row stays as a tombstone, the sealed copy of the key does not. Says whether anything changed."""
        with transaction.atomic():
            changed = self.become(self.Status.DELETED, only_from=None, action=TokenEvent.Action.DELETED, by=by)
            if changed:
                self.keys.update(sealed=None)
            return changed

    def become(self, status: Status, *, only_from: Status | None, action: "TokenEvent.Action", by: "Actor | None") -> bool:
        """One conditional UPDATE, so that a repeated or late request changes nothing and a deleted token stays deleted."""
        values = {"status": status, "status_changed_at": timezone.now(), **actor_columns("status_changed_by", by)}
        with transaction.atomic():
            rows = Token.objects.live().filter(pk=self.pk)
            rows = rows.filter(status=only_from) if only_from else rows
            changed = rows.update(**values) == 1
            if changed:
                self.assign(**values)
                self.record(action, by=by)
        return changed

    def reveal(self, *, by: User, address: str | None, copied: bool) -> str:
        """Return the newest usable key as the value of the Authorization header; record who got it, when and from where.

        Raises vault.SealBroken, and records that instead.
        """
        action = TokenEvent.Action.KEY_COPIED if copied else TokenEvent.Action.KEY_VIEWED
        try:
            if not self.usable_keys:
                raise vault.SealBroken
            key = self.usable_keys[0].open()
        except vault.SealBroken:
            self.record(TokenEvent.Action.KEY_UNREADABLE, by=by, address=address)
            raise
        self.record(action, by=by, address=address)
        return key

    def record(
        self, action: "TokenEvent.Action", *, by: "Actor | None", address: str | None = None, changes: dict[str, Any] | None = None
    ) -> "TokenEvent":
        named = {"actor_id": by.pk, "actor_name": by.name} if by else {}
        return TokenEvent.objects.create(token=self, action=action, **actor_columns("by", by), **named, address=address, changes=changes or {})

    def locked(self) -> "Token":
        """The row as it is now; every other change of it waits for the end of the transaction. Raises Deleted."""
        # Not against rows that merely point at it: two tokens that change each other would wait for ever.
        token = Token.objects.select_for_update(no_key=True).get(pk=self.pk)
        if token.is_deleted:
            raise Deleted(_("The token was deleted in the meantime."))
        return token

    def assign(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


# Who does something to a token.
Actor = User | Token


def name_taken(name: str) -> str:
    return _("There is a token with the name “%(name)s” already. Choose another name.") % {"name": isolate(name)}


def check_name(account: Account, name: str, *, but: Token | None = None) -> None:
    """Raise NameTaken if a live token of the account has the name, without regard to case."""
    others = Token.objects.live().filter(account=account, name_key=fold(name))
    if but:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise NameTaken(name_taken(name))


def check_cap(account: Account, extension: str) -> None:
    """Raise TooManyTokens if the account may have no more tokens of the extension."""
    cap = settings.TOKENS_PER_EXTENSION
    if Token.objects.live().filter(account=account, extension=extension).count() >= cap:
        raise TooManyTokens(
            _("The account has %(cap)s tokens for %(extension)s, and may not have more. Delete one that is no longer needed.")
            % {"cap": f"{cap:,}", "extension": Extension.stored(extension).label}
        )


def known_modules() -> list[tuple[str, Any]]:
    return [*Module.choices]


class Permission(models.Model):
    """A grant: the token may reach the module. MD-0000 (All) is a grant of its own, so it covers modules added later."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="permissions", db_index=False)
    # A function, so that a new module of the catalog needs no migration.
    module = models.CharField(gettext_lazy("module"), max_length=8, choices=known_modules)
    granted_at = MomentField(default=timezone.now, editable=False)
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    granted_by_token = models.ForeignKey(Token, models.RESTRICT, null=True, editable=False, related_name="+", db_index=False)

    class Meta:
        verbose_name = gettext_lazy("permission")
        verbose_name_plural = gettext_lazy("permissions")
        constraints = (models.UniqueConstraint(fields=("token", "module"), name="one_grant_per_module"), one_actor("granted_by"))

    def __str__(self) -> str:
        return str(self.get_module_display())

    @property
    def granter(self) -> Actor | None:
        return self.granted_by or self.granted_by_token


class TokenKey(models.Model):
    """A key of a token, in the two forms it is stored in. A token that is being rotated may have two."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="keys", db_index=False)
    version = models.PositiveSmallIntegerField(default=1)
    digest = models.BinaryField(max_length=32)
    pepper = models.PositiveSmallIntegerField()
    sealed = models.BinaryField(null=True)
    created_at = MomentField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("token", "version"), name="one_key_per_version"),)

    def __str__(self) -> str:
        return f"{self.token_id} ({self.version})"

    @classmethod
    def put(cls, token: Token, key: keys.Key, version: int = 1) -> "TokenKey":
        """Store a key: a digest to check it by, a sealed copy to view it. Raise RingSecret.Foreign."""
        RingSecret.note()
        digest = keys.digest(key)
        sealed = vault.seal(key.secret, token.account_id, token.pk, version)
        return cls.objects.create(token=token, version=version, digest=digest.value, pepper=digest.pepper, sealed=sealed)

    @property
    def can_be_checked(self) -> bool:
        return keys.can_check(self.pepper)

    @property
    def can_be_opened(self) -> bool:
        """Whether there is a copy, and a sealing key for it in the ring."""
        return self.sealed is not None and vault.can_open(bytes(self.sealed))

    def open(self) -> str:
        """The key as the value of the Authorization header. Raises vault.SealBroken."""
        if self.sealed is None:
            raise vault.SealBroken
        return keys.Key(self.token_id, vault.unseal(bytes(self.sealed), self.token.account_id, self.token_id, self.version)).header

    def works_with(self, ring: str) -> bool | None:
        """Whether the secrets of a ring open (or check) the key; None if a key that cannot be opened cannot tell."""
        try:
            key = keys.parse(self.open())
        except vault.SealBroken:
            return False if ring == RingSecret.Ring.SEALING_KEYS else None
        return key is not None and (ring == RingSecret.Ring.SEALING_KEYS or keys.matches(key, bytes(self.digest), self.pepper))


class RingSecret(models.Model):
    """Which secret stood under a number of a ring when keys were stored under it: its fingerprint, never the secret.

    So a portal notices that its rings are not those of its database. Keys of versions that noted nothing are tried instead.
    """

    class Ring(models.TextChoices):
        """The settings that hold the rings."""

        PEPPERS = "TOKEN_PEPPERS"
        SEALING_KEYS = "TOKEN_SEALING_KEYS"

    class Foreign(Exception):
        """The secret under the current number is another one than keys were stored under."""

    ring = models.CharField(max_length=32, choices=Ring)
    number = models.PositiveSmallIntegerField()
    fingerprint = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("ring", "number"), name="one_secret_per_number"),)

    def __str__(self) -> str:
        return f"{self.ring} {self.number}"

    @classmethod
    def note(cls) -> None:
        """Note the secrets that a key is about to be stored under. Raise Foreign."""
        noted = {(row.ring, row.number): row for row in cls.objects.all()}
        for ring in cls.Ring:
            number, secret = max(getattr(settings, ring).items())
            fingerprint = keys.fingerprint(secret)
            row = noted.get((ring, number)) or cls.objects.get_or_create(ring=ring, number=number)[0]
            if row.fingerprint is None or bytes(row.fingerprint) != fingerprint:
                if not row.is_configured() and row.stored_keys().exists():
                    raise cls.Foreign(f"The secret number {number} of {ring} is another one than keys were stored under.")
                row.fingerprint = fingerprint
                row.save(update_fields=("fingerprint",))

    @property
    def configured(self) -> bytes | None:
        """The secret under the number in the settings."""
        secret: bytes | None = getattr(settings, self.ring).get(self.number)
        return secret

    def is_configured(self) -> bool:
        """Whether the settings hold the secret that the keys were stored under. Without any proof to the contrary they do."""
        if self.configured is None:
            return False
        if self.fingerprint is not None:
            return keys.fingerprint(self.configured) == bytes(self.fingerprint)
        sample = self.stored_keys().exclude(sealed=None).select_related("token").order_by("-pk")[:SAMPLE]
        tried = [result for key in sample if (result := key.works_with(self.ring)) is not None]
        return any(tried) or not tried

    def stored_keys(self) -> "models.QuerySet[TokenKey]":
        """Return the keys stored under the number; those of deleted tokens will never be asked for again."""
        live = TokenKey.objects.exclude(token__status=Token.Status.DELETED)
        if self.ring == self.Ring.PEPPERS:
            return live.filter(pepper=self.number)
        return live.annotate(sealed_by=Substr("sealed", 1, 1, output_field=models.BinaryField())).filter(sealed_by=bytes([self.number]))


class TokenUsage(models.Model):
    """When a token was last used. A narrow table of its own: frequent updates would bloat the indexes of Token."""

    token = models.OneToOneField(Token, models.CASCADE, primary_key=True, related_name="usage")
    last_used_at = MomentField(gettext_lazy("Last used"), null=True)

    def __str__(self) -> str:
        return str(self.token_id)


class TokenEvent(models.Model):
    """What happened to a token: who and when, and for looks at the key also from where. Never holds a secret."""

    class Action(models.TextChoices):
        CREATED = "created", gettext_lazy("Created")
        EDITED = "edited", gettext_lazy("Edited")
        ENABLED = "enabled", gettext_lazy("Enabled")
        DISABLED = "disabled", gettext_lazy("Disabled")
        DELETED = "deleted", gettext_lazy("Deleted")
        KEY_VIEWED = "key_viewed", gettext_lazy("Key viewed")
        KEY_COPIED = "key_copied", gettext_lazy("Key copied")
        # Asked for by somebody who may see it; nothing was shown.
        KEY_UNREADABLE = "key_unreadable", gettext_lazy("Key could not be opened")

    token = models.ForeignKey(Token, models.CASCADE, related_name="events", db_index=False)
    action = models.CharField(gettext_lazy("action"), max_length=16, choices=Action)
    at = MomentField(gettext_lazy("time"), default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=gettext_lazy("person"))
    by_token = models.ForeignKey(
        Token, models.RESTRICT, null=True, editable=False, related_name="+", db_index=False, verbose_name=gettext_lazy("acting token")
    )
    # Who it was as text too, with the name of then: a later name says nothing about what happened.
    actor_id = models.CharField(gettext_lazy("actor's ID"), max_length=16, default="", editable=False)
    actor_name = models.CharField(gettext_lazy("actor's name"), max_length=128, default="", editable=False)
    address = models.GenericIPAddressField(gettext_lazy("address"), null=True)
    changes = models.JSONField(gettext_lazy("changes"), default=dict)

    class Meta:
        verbose_name = gettext_lazy("event")
        verbose_name_plural = gettext_lazy("events")
        ordering = ("-at", "-pk")
        constraints = (one_actor("by"),)
        indexes = (models.Index("token", "at", "id", name="events_of_a_token"),)

    def __str__(self) -> str:
        return f"{self.token_id} {self.get_action_display()}"

    @property
    def actor(self) -> Actor | None:
        return self.by or self.by_token


class TokenDraft(TokenFields):
    """A run of the wizard. Its UUID is in the address, so two runs never meet. It holds no secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, related_name="+", editable=False)
    modules = models.JSONField(default=list)
    created_at = MomentField(default=timezone.now, editable=False)

    class Meta:
        indexes = (models.Index("owner", "created_at", name="drafts_of_a_person"),)

    @property
    def grants(self) -> list[str]:
        """What the token will be granted: the extension's fixed set, else the modules chosen so far."""
        if not self.extension:
            return []
        chosen = self.modules if isinstance(self.modules, list) else []
        return [*self.kind.fixed_modules] or [module for module in chosen if module in Module.values]

    @property
    def access(self) -> Access:
        return Access.of(self.grants)

    def finish(self) -> Token:
        """Make the token. Repeated or simultaneous calls give the same one.

        Checks again all that the forms checked, since time passes between the steps. Raises NameTaken, TooManyTokens and
        ValidationError.
        """
        if made := Token.objects.filter(draft_id=self.pk).first():
            return made
        self.check_said()
        if self.expires_at and self.expires_at <= timezone.now():
            raise ValidationError({"expires_at": _("The token would have expired already. Choose a day in the future.")})
        if not self.grants:
            raise ValidationError({"modules": _("Choose at least one module.")})
        return Token.issue(
            account=self.account,
            modules=self.grants,
            by=self.owner,
            draft_id=self.pk,
            name=self.name,
            external_id=self.external_id,
            description=self.description,
            extension=self.extension,
            expires_at=self.expires_at,
        )

    @classmethod
    def forget_old(cls, owner: User) -> None:
        """Drop the person's unfinished runs of yesterday and before, and of today's the oldest that are too many with a new one."""
        mine = cls.objects.filter(owner=owner)
        cls.old().filter(owner=owner).delete()
        newest = mine.order_by("-created_at", "pk").values_list("pk", flat=True)[: settings.DRAFTS_PER_PERSON - 1]
        mine.exclude(pk__in=list(newest)).delete()

    @classmethod
    def old(cls) -> models.QuerySet["TokenDraft"]:
        """Unfinished runs of yesterday and before; one made ahead of the clock would never grow old."""
        now = timezone.now()
        return cls.objects.exclude(created_at__range=(now - DRAFT_LASTS, now + DRAFT_LASTS))
