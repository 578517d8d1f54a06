"""Accounts (companies), users (people), memberships (a person's role in an account) and sessions.

Also the counters of accounts.limits.
"""

import unicodedata
import zoneinfo
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

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
        # In one transaction with its consequences, such as an entry of the trail.
        with transaction.atomic():
            super().save(*args, **kwargs)
            if has_new_password:
                # However it was set: somebody who had to choose a new password must not have to
                # wait for a lock to end as well.
                Counter.objects.forgive_name(self.email)

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


class Session(AbstractBaseSession):
    """The session of a browser that is or was signed in, or that has a kept form.

    See accounts.sessions.
    """

    user = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="sessions", verbose_name=_("user")
    )
    signed_in_at = models.FloatField(null=True)  # seconds since the epoch, as in the session's data

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        return store


def digest(text: str) -> str:
    """Return the digest that replaces a name or an IP address in the key of a counter.

    Names are not stored in clear because people type passwords into the wrong field.
    """
    return salted_hmac("accounts.counter", text, algorithm="sha256").hexdigest()[:32]


class CounterQuerySet(models.QuerySet["Counter"]):
    def take(self, key: str, tries: int, wait: timedelta) -> bool:
        """Count one more try, or return False if `tries` are counted already. Safe in parallel."""
        now = timezone.now()
        self.bulk_create([Counter(key=key, used=0, until=now + wait)], ignore_conflicts=True)
        # Its time is over, or is so far ahead that a clock must have been wrong. (One a little
        # ahead was set by another request, a moment after ours began.)
        passed = Q(until__lte=now) | Q(until__gt=now + 2 * wait)
        self.filter(passed, key=key).update(used=0, until=now + wait)
        # The wait starts with the last try.
        until = Case(When(used__gte=tries - 1, then=Value(now + wait)), default=F("until"))
        return self.filter(key=key, used__lt=tries).update(used=F("used") + 1, until=until) == 1

    def give_back(self, key: str) -> None:
        self.filter(key=key, used__gt=0).update(used=F("used") - 1)

    def forgive_name(self, email: str) -> None:
        """Lift the locks of an e-mail address, wherever the wrong passwords came from."""
        key = f"name:{digest(email)}"
        # Narrow before wide, the order in which a try takes them.
        self.filter(key__startswith=f"{key}:").delete()
        self.filter(key=key).delete()


class Counter(models.Model):
    """How many tries of a limit are used up, and until when they count.

    The key names the limit and whom it is for.
    """

    key = models.CharField(max_length=128, primary_key=True)
    used = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)

    objects = CounterQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key
