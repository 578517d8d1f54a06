"""The last use of tokens."""

from django.db import models
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
