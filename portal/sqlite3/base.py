"""Django's SQLite backend, but a refused BEGIN leaves no open cursor behind."""

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Close the cursor of BEGIN, also after an error.

    The traceback of an error keeps its cursor in a reference cycle. Whichever thread collects that
    garbage resets the cursor, and for that waits until the connection of the cursor is free. If it
    collects inside a transaction while the other connection waits for the end of just that
    transaction, both wait until the other one's time is up.
    """

    def _start_transaction_under_autocommit(self) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"BEGIN {self.transaction_mode}")  # type: ignore[attr-defined]
