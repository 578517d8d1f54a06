"""Checks of what the portal needs to serve: its database, all migrations, its static files.

`manage.py serve` refuses to start if one fails and says what to do; `/readyz` tells load balancers.
"""

import time
from functools import lru_cache

from django.core import checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor

from portal import assets


def problems() -> list[str]:
    """Return a message for each thing that is missing; an empty list if the portal can serve."""
    try:
        return [*database_problems(), *migration_problems(), *static_problems()]
    except DatabaseError as problem:
        return [f"The database cannot be used: {problem}"]


def database_problems() -> list[str]:
    """Return the errors of the database checks, including those of the apps.

    They are those of `manage.py check --database default`.
    """
    found = checks.run_checks(tags=[checks.Tags.database], databases=[DEFAULT_DB_ALIAS])
    return [
        " ".join(filter(None, (check.msg, check.hint))) for check in found if check.is_serious()
    ]


def migration_problems() -> list[str]:
    executor = MigrationExecutor(connection)
    count = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not count:
        return []
    return [f"{count} migrations are not applied. Run: manage.py migrate"]


def static_problems() -> list[str]:
    files = assets.stale()
    if not files:
        return []
    return [
        f"{len(files)} static files are not collected or out of date, including {files[0]}. Run: "
        f"manage.py collectstatic"
    ]


# Seconds for which a result of /readyz is cached: anybody may ask, and it costs as much as a
# hundred calls of the API.
FRESH = 2


def failing() -> list[str]:
    """Return the names of the parts that are not ready; the result may be FRESH seconds old."""
    return failing_during(int(time.monotonic() / FRESH))


@lru_cache(maxsize=1)
def failing_during(period: int) -> list[str]:
    parts: dict[str, list[str]] = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        parts["migrations"] = migration_problems()
        # Its tables may be missing while migrations are not applied.
        parts["rings"] = [] if parts["migrations"] else database_problems()
    except Error as problem:
        parts["database"] = [str(problem)]
    parts["static files"] = static_problems()
    return [name for name, problems in parts.items() if problems]
