"""The last use of tokens, who uses which of their keys, and how often tokens call."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.fields import MomentField


class TokenUsage(models.Model):
    """The last use of a token.

    A separate, narrow table, since frequent updates would bloat the indexes of Token.
    """

    token = models.OneToOneField(
        "tokens.Token", models.CASCADE, primary_key=True, related_name="usage"
    )
    last_used_at = MomentField(gettext_lazy("Last used"), null=True)

    def __str__(self) -> str:
        return str(self.token_id)


class KeyUse(models.Model):
    """The calls that one program makes from one address with a key; see tokens.uses.

    The table is small: a key has at most `tokens.uses.MOST` rows. One without address and program
    counts the calls of all others.
    """

    key = models.ForeignKey("tokens.TokenKey", models.CASCADE, related_name="uses", db_index=False)
    address = models.CharField(max_length=39, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    # The ids of the modules that were called.
    modules = models.JSONField(default=list)
    calls = models.PositiveBigIntegerField(default=0)
    # How many of them were made before the key was replaced.
    earlier_calls = models.PositiveBigIntegerField(default=0)
    # Calls that were refused in a rehearsal, and since the key was retired.
    rehearsed = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    first_at = MomentField(default=timezone.now)
    last_at = MomentField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("key", "address", "agent"), name="one_row_per_program"),
        )

    def __str__(self) -> str:
        return f"{self.key_id} {self.address} {self.agent}"

    @property
    def calls_since(self) -> int:
        """The number of calls since the key was replaced."""
        return self.calls - self.earlier_calls


class CallsOfDay(models.Model):
    """The calls of a token on a day of UTC; see tokens.days."""

    token = models.ForeignKey("tokens.Token", models.CASCADE, related_name="days", db_index=False)
    # That of the token, so that an account's day is read from one index.
    account = models.ForeignKey(
        "accounts.Account", models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    answered = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "day"), name="one_row_per_token_and_day"),
        )
        indexes = (
            models.Index(fields=("account", "day"), name="calls_of_account"),
            models.Index(fields=("day",), name="calls_by_day"),
        )

    def __str__(self) -> str:
        return f"{self.token_id} {self.day}"
