"""Policies of an account, which bind all of its tokens, and what they mean for one token."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from activity.actions import Action
from activity.models import Subject
from activity.recording import record
from portal import moments, text
from portal.fields import MomentField
from tokens.models.base import Status, TooManyTokens
from tokens.models.guards import IPRule

if TYPE_CHECKING:
    from tokens.models.key import TokenKey

MOST_DAYS = 3650
MOST_TOKENS = 10_000
MOST_CALLS = 100_000

# Policies that take something away from tokens, so they begin on a day that people can prepare for.
# A smaller number is stricter, and None is no policy.
NUMBERS = ("most_days", "idle_days", "most_tokens", "rate", "burst")
FLAGS = ("show_once", "rules_required", "two_step", "hide_secrets")
# Their details, which take nothing away.
DETAILS = ("proposed_days", "warn_days")


def number(most: int, label: Any) -> "models.PositiveIntegerField[Any, Any]":
    return models.PositiveIntegerField(
        label,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(most)],
    )


def usual_burst(rate: int) -> int:
    """Return the default burst of a rate: the calls of ten seconds."""
    return ceil(rate / 6)


def paired(name: str) -> models.CheckConstraint:
    """Return the constraint that rate and burst are either both set or both empty."""
    both = Q(rate=None, burst=None) | Q(rate__gte=1, burst__gte=1)
    return models.CheckConstraint(condition=both, name=name)


class PolicyFields(models.Model):
    """The policies that an account can have; None or False where it has none."""

    most_days = number(MOST_DAYS, gettext_lazy("Days until a key stops"))
    # What the wizard proposes; None for no end date.
    proposed_days = number(MOST_DAYS, gettext_lazy("Days that the wizard proposes"))
    idle_days = number(MOST_DAYS, gettext_lazy("Days without a call"))
    warn_days = models.PositiveIntegerField(
        gettext_lazy("Days of warning"), default=14, validators=[MaxValueValidator(MOST_DAYS)]
    )
    show_once = models.BooleanField(gettext_lazy("Show keys once"), default=False)
    rules_required = models.BooleanField(gettext_lazy("Require IP rules"), default=False)
    most_tokens = number(MOST_TOKENS, gettext_lazy("Live tokens"))
    # The rate of tokens that have none of their own: calls a minute, and how many at once.
    rate = number(MOST_CALLS, gettext_lazy("Calls a minute"))
    burst = number(MOST_CALLS, gettext_lazy("Calls at once"))
    two_step = models.BooleanField(
        gettext_lazy("Two-step sign-in for administrators"), default=False
    )
    # Whether the API leaves out the secrets of webhooks, which it shows as Connect does.
    hide_secrets = models.BooleanField(gettext_lazy("Hide secrets in the API"), default=False)

    class Meta:
        abstract = True

    @property
    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*NUMBERS, *FLAGS, *DETAILS)}

    @property
    def is_empty(self) -> bool:
        """Whether it holds no policy at all."""
        return not any(getattr(self, name) for name in (*NUMBERS, *FLAGS, "proposed_days"))

    def check_end(self, expires_at: datetime | None, made_at: datetime) -> None:
        """Raise ValidationError for an expiration after the day on which a key stops anyway.

        None is accepted: the policy ends the token then. So is any time of that day.
        """
        last = self.last_end(made_at)
        if last and expires_at and moments.local(expires_at).date() > moments.local(last).date():
            raise ValidationError(
                {
                    "expires_at": _(
                        "A policy of the account stops a key after %(days)s days. Choose a day "
                        "until %(last)s."
                    )
                    % {"days": f"{self.most_days:,}", "last": text.day(last)}
                }
            )

    def last_end(self, made_at: datetime) -> datetime | None:
        """Return when a key stops that was made at a moment; None if no policy stops it."""
        return moments.later(made_at, timedelta(days=self.most_days)) if self.most_days else None

    def idle_end(self, alive_at: datetime) -> datetime | None:
        """Return when a token is idle that showed its last sign of life at a moment."""
        return moments.later(alive_at, timedelta(days=self.idle_days)) if self.idle_days else None

    def check_count(self, live: int) -> None:
        """Raise TooManyTokens unless the account may have one more live token."""
        if self.most_tokens is not None and live >= self.most_tokens:
            raise TooManyTokens(
                _(
                    "The account has %(n)s tokens, and a policy allows no more than %(most)s. "
                    "Delete one that is no longer needed."
                )
                % {"n": f"{live:,}", "most": f"{self.most_tokens:,}"}
            )


def is_stricter(name: str, one: Any, other: Any) -> bool:
    """Tell whether a policy with the value `one` takes more away than with `other`."""
    if name in FLAGS:
        return bool(one) and not other
    return one is not None and (other is None or one < other)


def strictly(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether any policy of `one` is stricter than that of `other`."""
    return any(is_stricter(name, one[name], other[name]) for name in (*NUMBERS, *FLAGS))


def loosest(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the looser value of each policy, and the details of `one`."""
    looser = {
        name: other[name] if is_stricter(name, one[name], other[name]) else one[name]
        for name in (*NUMBERS, *FLAGS)
    }
    return {**looser, **{name: one[name] for name in DETAILS}}


class Policy(PolicyFields):
    """The policies of an account. Without a row, it has none.

    Stricter ones begin on a day in the future: until then they are in NextPolicy.
    """

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="policy", editable=False
    )

    class Meta:
        verbose_name = gettext_lazy("policies")
        verbose_name_plural = gettext_lazy("policies")
        constraints = (paired("rate_of_policy_has_burst"),)

    def __str__(self) -> str:
        return str(self.account)

    @property
    def following(self) -> "NextPolicy | None":
        """The policies that replace these, or already did; a row that is not saved has none."""
        return None if self._state.adding else getattr(self, "next", None)

    @classmethod
    def of(cls, account: Account) -> PolicyFields:
        """Return the policies of an account that are in force now."""
        stored = cls.stored(account)
        following = stored.following
        return following if following and following.starts_at <= timezone.now() else stored

    @classmethod
    def stored(cls, account: Account) -> "Policy":
        """Return the row of an account, or one without policies that is not saved."""
        # By the id, or the account would keep the unsaved row as its own.
        return getattr(account, "policy", None) or cls(account_id=account.pk)

    @classmethod
    def planned(cls, account: Account) -> "tuple[PolicyFields, datetime | None]":
        """Return the policies as they were last saved, and when they begin if that is ahead."""
        stored = cls.stored(account)
        following = stored.following
        if following is None:
            return stored, None
        return following, following.starts_at if following.starts_at > timezone.now() else None

    @classmethod
    def put(cls, account_id: str, values: Mapping[str, Any]) -> "Policy":
        """Make these the policies of an account, and drop those that have not begun yet."""
        row = cls(account_id=account_id, **values)
        present = cls.objects.filter(pk=account_id)
        if row.two_step or present.filter(two_step=True).exists():
            # Sign-in is in a lower layer and cannot read policies.
            Account.objects.filter(pk=account_id).update(requires_two_step=row.two_step)
        present.delete()
        row.save(force_insert=True)
        return row

    @classmethod
    def change(
        cls, account: Account, wanted: Mapping[str, Any], *, starts_at: datetime, by: Any
    ) -> bool:
        """Save the policies of an account. Tell whether anything changed.

        Looser policies apply at once, stricter ones from `starts_at`.
        """
        with transaction.atomic():
            account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
            before, begins = cls.planned(account)
            present = cls.of(account).values
            meanwhile = loosest(wanted, present)
            starts = starts_at if strictly(wanted, meanwhile) else None
            changes = {
                name: [value, wanted[name]]
                for name, value in before.values.items()
                if value != wanted[name]
            }
            if begins != starts:
                changes["starts_at"] = [begins, starts]
            if not changes:
                return False
            row = cls.put(account.pk, meanwhile)
            if starts:
                NextPolicy.objects.create(policy=row, starts_at=starts, **wanted)
            elif row.is_empty:
                row.delete()
            about = Subject("policy", account.pk, account.name)
            record(by, Action.POLICY_CHANGED, about, changes, account=account.pk)
        return True


class NextPolicy(PolicyFields):
    """The policies that take the place of the present ones when their day has come.

    Each is at least as strict as the present one, so that the gate may take the one that is set.
    """

    policy = models.OneToOneField(
        Policy, models.CASCADE, primary_key=True, related_name="next", editable=False
    )
    starts_at = MomentField(gettext_lazy("In force from"))

    class Meta:
        verbose_name = gettext_lazy("next policies")
        verbose_name_plural = gettext_lazy("next policies")
        constraints = (paired("rate_of_next_policy_has_burst"),)

    def __str__(self) -> str:
        return str(self.policy)


class IdleNotice(models.Model):
    """A note that the administrators were warned of a token that will soon be idle."""

    token = models.OneToOneField(
        "tokens.Token", models.CASCADE, primary_key=True, related_name="idle_notice"
    )
    idles_at = MomentField()

    def __str__(self) -> str:
        return str(self.token_id)

    @classmethod
    def claim(cls, token: "Governed") -> bool:
        """Note the warning; return False if it was noted before, perhaps by another process."""
        notice, is_new = cls.objects.get_or_create(
            token_id=token.pk, defaults={"idles_at": token.idles_at}
        )
        others = cls.objects.filter(pk=notice.pk).exclude(idles_at=token.idles_at)
        return is_new or others.update(idles_at=token.idles_at) == 1


class Governed(models.Model):
    """What the policies of its account mean for a token, and its own rate."""

    # None if the policies of the account decide.
    rate = number(MOST_CALLS, gettext_lazy("Calls a minute"))
    burst = number(MOST_CALLS, gettext_lazy("Calls at once"))

    if TYPE_CHECKING:
        account: models.ForeignKey[Account, Account]
        account_id: str
        keys: "models.Manager[TokenKey]"
        created_at: datetime
        expires_at: datetime | None
        status: str
        status_changed_at: datetime | None

        @property
        def live_keys(self) -> "list[TokenKey]": ...

        @property
        def last_used_at(self) -> datetime | None: ...

    class Meta:
        abstract = True

    @cached_property
    def policy(self) -> PolicyFields:
        return Policy.of(self.account)

    @property
    def made_at(self) -> datetime:
        """When its newest live key was made; a new key that was cancelled does not count."""
        made: datetime = max(
            (key.created_at for key in self.live_keys or self.keys.all()),
            default=self.created_at,
        )
        return made

    def check_end(self, expires_at: datetime | None) -> None:
        """Raise ValidationError if a policy stops the token before a new expiration."""
        if expires_at != self.expires_at:
            self.policy.check_end(expires_at, self.made_at)

    @property
    def aged_at(self) -> datetime | None:
        """When a policy stops its newest key; None if no policy does."""
        return self.policy.last_end(self.made_at) if self.policy.most_days else None

    def key_end(self, key: "TokenKey") -> datetime | None:
        """Return when a key stops at the latest, with the token or by a policy; None for never."""
        ends = (self.expires_at, self.policy.last_end(key.created_at))
        return min((end for end in ends if end), default=None)

    @property
    def policy_end(self) -> datetime | None:
        """When a policy stops its newest key, if that is before its own expiration."""
        last = self.aged_at
        return last if last and (self.expires_at is None or last < self.expires_at) else None

    @property
    def idles_at(self) -> datetime | None:
        """When a policy stops it unless it is used; None if no policy does.

        Making a key and enabling the token count as a sign of life.
        """
        following, starts_at = Policy.planned(self.account)
        if not (self.policy.idle_days or following.idle_days):
            return None
        made = [key.created_at for key in self.keys.all()]
        signs = (*made, self.created_at, self.status_changed_at, self.last_used_at)
        alive_at = max(moment for moment in signs if moment)
        ends = [self.policy.idle_end(alive_at)]
        if starts_at and (end := following.idle_end(alive_at)):
            ends.append(max(end, starts_at))
        return min((end for end in ends if end), default=None)

    @property
    def is_idle(self) -> bool:
        """Whether a policy stops it because nobody used it. Only an active token can be idle."""
        idles_at = self.idles_at if self.status == Status.ACTIVE else None
        return idles_at is not None and idles_at <= timezone.now()

    @property
    def lacks_rules(self) -> bool:
        """Whether a policy stops it because no IP rules hold for it, the account's or its own."""
        if not self.policy.rules_required:
            return False
        # Lists bring it along, see `with_standing`.
        known: bool | None = getattr(self, "has_rules", None)
        rules = IPRule.objects.filter(scope__in=(self.account_id, self.pk))
        return not (rules.exists() if known is None else known)

    @property
    def allowed_rate(self) -> tuple[int, int] | None:
        """How many calls it may make a minute, and how many of them at once; None for any."""
        own = self if self.rate else self.policy
        return (own.rate, own.burst) if own.rate and own.burst else None

    def widens_rate(self, rate: int | None, burst: int | None) -> bool:
        """Tell whether the token could call more often with this rate of its own."""
        allowed = self.allowed_rate
        if allowed is None:
            return False
        wanted = (rate, burst) if rate and burst else (self.policy.rate, self.policy.burst)
        return any(new is None or new > old for new, old in zip(wanted, allowed, strict=True))
