"""What the portal needs before it can answer: a database it may use, all migrations, its static files.

`manage.py serve` refuses to start without, and says what to do.
"""

from django.core import checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from portal import assets


def problems() -> list[str]:
    """Return a sentence for each thing that is missing; none if the portal can be served."""
    try:
        return [*database_problems(), *migration_problems(), *static_problems()]
    except DatabaseError as problem:
        return [f"The database cannot be used: {problem}"]


def database_problems() -> list[str]:
    """Return what the checks of the database say, those of the apps included (`manage.py check --database default`)."""
    found = checks.run_checks(tags=[checks.Tags.database], databases=[DEFAULT_DB_ALIAS])
    return [" ".join(filter(None, (check.msg, check.hint))) for check in found if check.is_serious()]


def migration_problems() -> list[str]:
    executor = MigrationExecutor(connection)
    count = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not count:
        return []
    return [f"{count} migrations are open. Run: manage.py migrate"]


def static_problems() -> list[str]:
    files = assets.stale()
    if not files:
        return []
    return [f"{len(files)} static files are not collected or out of date, {files[0]} among them. Run: manage.py collectstatic"]
