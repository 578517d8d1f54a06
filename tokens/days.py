"""How many calls each token makes a day, answered and refused: counted in memory, written apart.

The gate only adds to a number, so a call costs no query. Each server process writes its numbers
once a minute; one that is killed loses the last minute. A day is one of UTC, since the people of an
account may live in several zones, and a number that was added up cannot be divided again.
"""

from collections import Counter
from datetime import date, timedelta
from threading import Lock

from django.db import Error, connection, transaction
from django.utils import timezone

from tokens.models import CallsOfDay, Token

# How many days are kept.
KEPT = timedelta(days=30)
# Numbers that a process remembers. Ids that no token has can exceed it, and refused calls are then
# not counted; those that passed always are.
MOST = 20_000

# The account is that of the token, which may have gone since it was looked up.
ADD = """
INSERT INTO tokens_callsofday (token_id, account_id, day, answered, refused)
SELECT id, account_id, %s, %s, %s FROM tokens_token WHERE id = %s
ON CONFLICT (token_id, day) DO UPDATE SET
answered = tokens_callsofday.answered + excluded.answered,
refused = tokens_callsofday.refused + excluded.refused
"""

Counts = Counter[tuple[str, date, bool]]

lock = Lock()
counts: Counts = Counter()


def today() -> date:
    return timezone.now().date()


def count(token_id: str, *, answered: bool) -> None:
    """Count a call of a token, or one that was refused though it named the token."""
    key = token_id, today(), answered
    with lock:
        if answered or key in counts or len(counts) < MOST:
            counts[key] += 1


def write() -> None:
    """Add what was counted to the rows of the days, and forget days that are too old."""
    global counts
    with lock:
        taken, counts = counts, Counter()
    if not taken:
        return
    try:
        # Anybody can send ids that no token has: they must not keep other writers waiting.
        known = Token.objects.only("pk").in_bulk({token_id for token_id, _day, _answered in taken})
        named = sorted({(token_id, day) for token_id, day, _answered in taken if token_id in known})
        rows = [
            (day, taken[token_id, day, True], taken[token_id, day, False], token_id)
            for token_id, day in named
        ]
        if not rows:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(ADD, rows)
            CallsOfDay.objects.filter(day__lt=today() - KEPT).delete()
    except Error:
        with lock:
            counts.update(taken)
        raise
