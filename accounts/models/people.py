"""Accounts (companies), users (people) and memberships (a person's role in an account)."""

import unicodedata
import zoneinfo
from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models.counters import Counter
from portal.fields import LineField, MomentField, PublicIdField
from portal.moments import SKEW


class Account(models.Model):
    """A company. Tokens and records belong to it, never to a person."""

    class Side(models.TextChoices):
        """The side of a deal that a company is on. The official API calls it `role`."""

        VENDOR = "vendor", _("Vendor")
        DISTRIBUTOR = "distributor", _("Distributor")

    id = PublicIdField(_("ID"), groups=(3, 3))
    name = LineField(_("name"), max_length=128)
    side = models.CharField(_("side"), max_length=16, choices=Side)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_(
            "Off: nobody can act for the account and every call with its tokens gets the answer "
            "401."
        ),
    )
    requires_two_step = models.BooleanField(
        _("two-step sign-in"),
        default=False,
        help_text=_("On: administrators of the account have to set up two-step sign-in first."),
    )
    created_at = MomentField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)

    @property
    def prefix(self) -> str:
        """`VA` or `PA`: CloudBlue's command line tells vendors from distributors by it."""
        return "VA" if self.side == self.Side.VENDOR else "PA"

    @property
    def side_label(self) -> str:
        return self.get_side_display()


# A person gets no second mail with a link to a new password within this time.
RESET_EVERY = timedelta(minutes=5)


def check_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone of the IANA list."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(gettext("Choose a time zone from the list, such as Europe/Madrid."))


def fold_email(typed: str) -> str:
    """Return the canonical form of an e-mail address, for signing in and for counting tries."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).lower())
    # Copied addresses may contain blanks and invisible characters.
    return "".join(
        character for character in text if character.isprintable() and not character.isspace()
    )


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an administrator of the portal. Raise ValidationError for a weak password.

        The command createsuperuser allows weak passwords after a question, and does not even ask
        about one from the environment.
        """
        if password is not None:
            validate_password(password, User(email=email, **fields))
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=fold_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail address.

    Memberships say what they may do; `is_staff` lets them open the admin.
    """

    id = PublicIdField(_("ID"), groups=(3, 3, 3), prefix="UR")
    email = models.EmailField(
        _("e-mail"),
        unique=True,
        error_messages={"unique": _("A person with this e-mail address exists already.")},
    )
    name = LineField(_("name"), max_length=128)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=(check_zone,),
        help_text=_("All times in the portal are shown in it."),
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Off: the person cannot sign in and every session of theirs is over."),
    )
    is_staff = models.BooleanField(
        _("administrator"), default=False, help_text=_("May open the administration pages.")
    )
    created_at = MomentField(_("created"), default=timezone.now, editable=False)
    reset_sent_at = MomentField(null=True, editable=False)
    # Unknown for passwords that are older than this column.
    password_changed_at = MomentField(null=True, editable=False)
    # Remembered choices: {"tokens": {"columns": […], "sort": "-created", "per_page": 20},
    # "account": {"id": "PA-063-101"}}
    preferences = models.JSONField(default=dict, blank=True, editable=False)

    objects = UserManager()

    # Filled by EmailBackend for the person of a session.
    usable_memberships: "list[Membership]"

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.email = fold_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = fold_email(self.email)
        # Django keeps a new password here until it is saved.
        has_new_password = getattr(self, "_password", None) is not None
        if has_new_password:
            self.password_changed_at = timezone.now()
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "password_changed_at"}
        # In one transaction with its consequences, such as an entry of the trail.
        with transaction.atomic():
            super().save(*args, **kwargs)
            if has_new_password:
                # However it was set: somebody who had to choose a new password must not have to
                # wait for a lock to end as well.
                Counter.objects.forgive_name(self.email)
                # They are over anyway, since Django's hash of a session depends on the password.
                # The view that changes one's own password makes a new row for its session.
                self.sessions.all().delete()

    @property
    def has_two_step(self) -> bool:
        """Whether a password alone is not enough to sign in."""
        return hasattr(self, "authenticator")

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def acts_in(
        self, memberships: "list[Membership]", chosen: str | None = None
    ) -> "Membership | None":
        """Return the membership of account `chosen`, else of the last chosen, else the first."""
        for account in (chosen, self.choices("account").get("id")):
            for membership in memberships:
                if membership.account_id == account:
                    return membership
        return memberships[0] if memberships else None

    def choices(self, topic: str) -> dict[str, Any]:
        """Return the remembered choices of a list; empty if there are none or they are malformed.

        Callers must check that the values are still valid.
        """
        kept = self.preferences.get(topic) if isinstance(self.preferences, dict) else None
        return kept if isinstance(kept, dict) else {}

    def remember(self, topic: str, **choices: Any) -> None:
        """Remember choices of a list, as in `remember("tokens", per_page=20)`; None forgets one."""
        with transaction.atomic():
            # The current row: another tab may have saved something since this request began.
            row = User.objects.select_for_update().get(pk=self.pk)
            others = row.preferences if isinstance(row.preferences, dict) else {}
            kept = {**row.choices(topic), **choices}
            self.preferences = {
                **others,
                topic: {name: value for name, value in kept.items() if value is not None},
            }
            self.save(update_fields=("preferences",))

    def guess_zone(self, name: str) -> None:
        """Set the browser's time zone for somebody who has not chosen one yet."""
        if self.time_zone == "UTC" and name in zoneinfo.available_timezones():
            self.time_zone = name
            self.save(update_fields=("time_zone",))

    def may_be_sent_a_reset(self) -> bool:
        """Tell whether the last mail with a link was sent long enough ago; if so, record a new one.

        The waiting time is RESET_EVERY.
        """
        now = timezone.now()
        # A time in the future, from a wrong clock, does not block.
        free = Q(reset_sent_at=None) | ~Q(reset_sent_at__range=(now - RESET_EVERY, now + SKEW))
        return User.objects.filter(free, pk=self.pk).update(reset_sent_at=now) == 1


class LastAdministrator(Exception):
    """An account would be left without an administrator who can sign in."""


class MembershipQuerySet(models.QuerySet["Membership"]):
    def usable(self) -> "MembershipQuerySet":
        """Return memberships in which a person can act, with account and person selected."""
        return (
            self.filter(account__is_active=True, user__is_active=True)
            .select_related("account", "user")
            .order_by("account__name", "pk")
        )


class Membership(models.Model):
    """A person in an account. The role decides what they may do there."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        MEMBER = "member", _("Member")

    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="memberships", verbose_name=_("account")
    )
    role = models.CharField(
        _("role"),
        max_length=16,
        choices=Role,
        default=Role.MEMBER,
        help_text=_("Administrators manage tokens; members look, and never see keys."),
    )
    # When the person wants which mails about the account; see accounts.mails.
    mails = models.JSONField(default=dict, blank=True, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (
            models.UniqueConstraint(fields=("user", "account"), name="one_membership_per_account"),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.account})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMINISTRATOR

    def change_role(self, role: str) -> None:
        """Give the person another role. Raise LastAdministrator; safe in parallel."""
        with transaction.atomic():
            if role != self.Role.ADMINISTRATOR:
                self.check_others()
            self.role = role
            self.save(update_fields=("role",))

    def end(self) -> None:
        """Remove the person from the account. Raise LastAdministrator; safe in parallel."""
        with transaction.atomic():
            self.check_others()
            self.delete()

    def check_others(self) -> None:
        """Raise LastAdministrator unless somebody else administers the account.

        Locks the account, so that two administrators cannot remove each other at the same time.
        """
        Account.objects.select_for_update(no_key=True).get(pk=self.account_id)
        others = Membership.objects.usable().filter(
            account=self.account_id, role=self.Role.ADMINISTRATOR
        )
        if not others.exclude(pk=self.pk).exists():
            raise LastAdministrator
