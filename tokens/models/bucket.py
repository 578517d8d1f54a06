"""How full the buckets of rate limits are, where no Redis keeps them."""

from django.db import models


class Bucket(models.Model):
    """A bucket of calls that fills again with time.

    One number holds its whole state, so that one statement takes from it (GCRA).
    """

    # Whom the limit is for: the id of a token, or `wrong:` and the digest of an address.
    key = models.CharField(max_length=64, primary_key=True)
    # When it will be full, in microseconds since the epoch by the clock of the database.
    full_at = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.key
