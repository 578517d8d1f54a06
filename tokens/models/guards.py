"""IP rules: the addresses that the tokens of an account, or one of them, may call from."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Membership
from activity.actions import Action
from activity.recording import record
from portal.addresses import Span, find_span, place
from portal.fields import (
    AddressField,
    FoldedField,
    LineField,
    MomentField,
    OwnedActorField,
    PublicIdField,
)
from portal.http import AGENT
from portal.text import fold, isolate

if TYPE_CHECKING:
    from tokens.models.token import Doer, Token

# The most rules of an account, those of its tokens included.
MOST = 1_000
# A refused address is remembered for this long, and noted at most once in `NOTED`.
KEPT = timedelta(days=30)
NOTED = timedelta(minutes=1)
# The most refused addresses that are remembered for a token, and how many of those that are new
# within an hour are recorded in the trail: somebody may have the key, and many addresses.
REFUSED, RECORDED = 20, 10


class IPRuleQuerySet(models.QuerySet["IPRule"]):
    def visible_to(self, membership: Membership) -> "IPRuleQuerySet":
        """Return the rules of the account that a person acts for, and of its tokens."""
        return self.filter(account=membership.account_id)

    def for_account(self, account_id: str) -> "IPRuleQuerySet":
        """Return the rules that hold for all tokens of an account."""
        return self.filter(scope=account_id)

    def holding_for(self) -> "IPRuleQuerySet":
        """Return the rules that hold for a token of an outer query: the account's and its own."""
        scopes = Q(scope=models.OuterRef("account")) | Q(scope=models.OuterRef("pk"))
        return self.filter(scopes)

    def covering(self, address: str) -> "IPRuleQuerySet":
        return self.filter(first__lte=address, last__gte=address)

    def overlapping(self, span: Span) -> "IPRuleQuerySet":
        return self.filter(first__lte=str(span.last), last__gte=str(span.first))

    def search(self, text: str) -> "IPRuleQuerySet":
        """Return rules with the text in their name, or with some of the addresses that it means."""
        named = Q(name_key__contains=fold(text))
        if span := find_span(text):
            named |= Q(first__lte=str(span.last), last__gte=str(span.first))
        return self.filter(named)

    def spans(self) -> list[Span]:
        return [rule.span for rule in self]


class IPRule(models.Model):
    """A range of addresses that calls are answered from.

    With the first rule of an account, calls of its tokens from all other addresses are refused. The
    rules of a token apply in addition: an address must pass both. Rules of the same scope never
    overlap, so that the gate looks at one of them only.
    """

    id = PublicIdField(gettext_lazy("ID"), groups=(3, 3, 3), prefix="IPR")
    account = models.ForeignKey(Account, models.CASCADE, db_index=False, editable=False)
    token = models.ForeignKey(
        "tokens.Token",
        models.CASCADE,
        null=True,
        db_index=False,
        editable=False,
        related_name="ip_rules",
    )
    # Whose calls it is for: the id of the token or, without one, of the account.
    scope = models.CharField(max_length=24, editable=False)
    name = LineField(gettext_lazy("Name"), max_length=64)
    name_key = FoldedField(source="name")
    first = AddressField(gettext_lazy("First address"))
    last = AddressField(gettext_lazy("Last address"))
    created_at = MomentField(gettext_lazy("Added"), default=timezone.now, editable=False)
    created_by = OwnedActorField(gettext_lazy("Added by"))

    objects = IPRuleQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("IP rule")
        verbose_name_plural = gettext_lazy("IP rules")
        constraints = (
            models.UniqueConstraint(fields=("account", "name_key"), name="one_ip_rule_per_name"),
            # Its index is the one that the gate uses.
            models.UniqueConstraint(fields=("scope", "first"), name="one_ip_rule_per_address"),
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="ip_rule_in_order"),
        )
        indexes = (models.Index("account", "created_at", "id", name="ip_rules_by_created"),)

    def __str__(self) -> str:
        return self.name

    @cached_property
    def span(self) -> Span:
        return Span.between(self.first, self.last)

    @classmethod
    def rules_of(cls, account: Account, token: "Token | None") -> IPRuleQuerySet:
        """Return the rules of a token or, without one, of an account."""
        return cls.objects.filter(scope=token.pk if token else account.pk)

    # --- Verbs --------------------------------------------------------------------------------

    @classmethod
    def add(
        cls,
        account: Account,
        token: "Token | None",
        wanted: Sequence[tuple[str, Span]],
        *,
        by: "Doer | None",
    ) -> list["IPRule"]:
        """Add rules, given by name and addresses; all of them or none. Raise ValidationError."""
        with transaction.atomic():
            cls.lock(account)
            rules = [
                cls(account=account, token=token, name=name).put(span, by=by)
                for name, span in wanted
            ]
            for rule in rules:
                rule.tell(by, Action.RULE_ADDED, None, str(rule.span))
        return rules

    def change(self, name: str, span: Span, *, by: "Doer | None") -> bool:
        """Change name and addresses. Tell whether anything changed. Raise ValidationError."""
        with transaction.atomic():
            self.lock(self.account)
            before = type(self).objects.filter(pk=self.pk).first()
            if before is None:
                raise ValidationError(_("This rule was deleted in the meantime."))
            if (before.name, before.span) == (name, span):
                return False
            self.name = name
            self.put(span)
            self.tell(by, Action.RULE_CHANGED, str(before.span), str(span), was=before.name)
        return True

    def remove(self, *, by: "Doer | None") -> bool:
        """Delete the rule. Tell whether it was still there."""
        with transaction.atomic():
            self.lock(self.account)
            count, _rows = type(self).objects.filter(pk=self.pk).delete()
            if count:
                self.tell(by, Action.RULE_DELETED, str(self.span), None)
        return bool(count)

    @classmethod
    def replace(cls, account: Account, wanted: Mapping[Span, str], *, by: "Doer | None") -> None:
        """Make these the rules of an account: names by addresses. Raise ValidationError.

        Rules that have the same addresses are kept, and renamed if necessary. They are all
        checked at once, since there may be many.
        """
        with transaction.atomic():
            cls.lock(account)
            present = {rule.span: rule for rule in cls.rules_of(account, None)}
            gone = [rule for span, rule in present.items() if span not in wanted]
            renamed = [
                rule for span, rule in present.items() if wanted.get(span, rule.name) != rule.name
            ]
            before = [rule.name for rule in renamed]
            for rule in renamed:
                rule.name = wanted[rule.span]
            added = [
                cls(
                    account=account,
                    scope=account.pk,
                    name=name,
                    **OwnedActorField.columns("created_by", by),
                    first=str(span.first),
                    last=str(span.last),
                )
                for span, name in wanted.items()
                if span not in present
            ]
            cls.check_all(
                account, [*(rule for rule in present.values() if rule not in gone), *added]
            )
            cls.objects.filter(pk__in=[rule.pk for rule in gone]).delete()
            # Names may be swapped, so none of them is taken while they change.
            cls.objects.filter(pk__in=[rule.pk for rule in renamed]).update(name_key=F("pk"))
            for rule in (*renamed, *added):
                rule.save()
            for rule in gone:
                rule.tell(by, Action.RULE_DELETED, str(rule.span), None)
            for rule, was in zip(renamed, before, strict=True):
                rule.tell(by, Action.RULE_CHANGED, str(rule.span), str(rule.span), was=was)
            for rule in added:
                rule.tell(by, Action.RULE_ADDED, None, str(rule.span))

    @classmethod
    def check_all(cls, account: Account, rules: "Sequence[IPRule]") -> None:
        """Raise ValidationError unless these may be the rules of an account."""
        of_tokens = cls.objects.filter(account=account).exclude(scope=account.pk)
        taken = {*of_tokens.values_list("name_key", flat=True)}
        if len(taken) + len(rules) > MOST:
            raise too_many_rules()
        for rule in rules:
            rule.clean_fields(exclude={"first", "last", "name_key", "id", "account", "token"})
            if fold(rule.name) in taken:
                raise name_taken(rule.name)
            taken.add(fold(rule.name))
            check_size(rule.span)
        ordered = sorted(rules, key=lambda rule: place(rule.span.first))
        for one, other in pairwise(ordered):
            if place(one.span.last) >= place(other.span.first):
                raise overlap(one, other.span)

    @classmethod
    def lock(cls, account: Account) -> None:
        """Let changes of an account's rules happen one after the other."""
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)

    def put(self, span: Span, **made: Any) -> "IPRule":
        """Save the rule with these addresses. Raise ValidationError."""
        self.scope = self.token_id or self.account_id
        self.clean_fields(exclude={"first", "last", "name_key", "id", "account", "token"})
        self.check_name()
        self.check_span(span)
        if "by" in made:
            self.check_count()
            self.created_by = made["by"]
        self.first, self.last = str(span.first), str(span.last)
        self.__dict__.pop("span", None)
        self.save()
        return self

    def tell(
        self,
        by: "Doer | None",
        action: Action,
        before: str | None,
        after: str | None,
        *,
        was: str | None = None,
    ) -> None:
        """Record what happened to the rule; for one of a token, in the trail of the token."""
        changes: dict[str, list[Any]] = {"addresses": [before, after]}
        if was is not None and was == self.name:
            changes = {"rule": [was, was], **changes} if self.token else changes
        else:
            names = [was or (self.name if before else None), self.name if after else None]
            changes = {"rule": names, **changes}
        record(by, action, self.token or self, changes)

    # --- What may be saved --------------------------------------------------------------------

    @property
    def others(self) -> IPRuleQuerySet:
        return IPRule.objects.filter(account=self.account_id).exclude(pk=self.pk)

    def check_name(self) -> None:
        """Raise ValidationError if another rule of the account has the name, ignoring case."""
        if self.others.filter(name_key=fold(self.name)).exists():
            raise name_taken(self.name)

    def check_span(self, span: Span) -> None:
        """Raise ValidationError for all addresses, or some that another rule has."""
        check_size(span)
        scope = self.token_id or self.account_id
        for rule in self.others.filter(scope=scope).overlapping(span)[:1]:
            raise overlap(rule, span)

    def check_count(self) -> None:
        if self.others.count() >= MOST:
            raise too_many_rules()


def name_taken(name: str) -> ValidationError:
    words = _("An IP rule with the name “%(name)s” already exists. Choose another name.")
    return ValidationError({"name": words % {"name": isolate(name)}})


def check_size(span: Span) -> None:
    if span.is_everything:
        raise ValidationError({"first": _("This is the whole Internet. Delete the rules instead.")})


def overlap(rule: IPRule, span: Span) -> ValidationError:
    words = (
        _("%(name)s covers it already.")
        if rule.span.includes(span)
        else _("%(name)s (%(addresses)s) overlaps it. Edit that rule instead.")
    )
    return ValidationError({"first": words % {"name": isolate(rule.name), "addresses": rule.span}})


def too_many_rules() -> ValidationError:
    words = _("An account may have at most %(n)s IP rules, those of its tokens included.")
    return ValidationError(words % {"n": f"{MOST:,}"})


class RefusedAddress(models.Model):
    """An address that a token was called from with the right key, and refused by IP rules."""

    token = models.ForeignKey(
        "tokens.Token", models.CASCADE, related_name="refused_addresses", db_index=False
    )
    address = AddressField()
    agent = models.CharField(max_length=AGENT, blank=True)
    first_at = MomentField()
    last_at = MomentField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("token", "address"), name="one_row_per_refused_address"
            ),
        )

    def __str__(self) -> str:
        return f"{self.token_id} {self.address}"

    @classmethod
    def note(cls, token: "Token", address: str, agent: str) -> None:
        """Note a refused call, at most once a minute for each address.

        The first one from an address is recorded in the trail.
        """
        now = timezone.now()
        rows = cls.objects.filter(token=token)
        row = rows.filter(address=address)
        last = row.values_list("last_at", flat=True).first()
        if last is not None:
            if not now - NOTED < last <= now:
                row.update(last_at=now, agent=agent)
            return
        RefusedAddress.objects.bulk_create(
            [RefusedAddress(token=token, address=address, agent=agent, first_at=now, last_at=now)],
            ignore_conflicts=True,
        )
        kept = rows.filter(last_at__gt=now - KEPT).order_by("-last_at", "-pk")[:REFUSED]
        rows.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
        if rows.filter(first_at__gt=now - timedelta(hours=1)).count() <= RECORDED:
            record(token, Action.ADDRESS_REFUSED, token)
