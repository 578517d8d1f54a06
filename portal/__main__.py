"""`python -m portal` (`make run`): bring a local portal up to date and serve it, in one process."""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from portal import assets, envfile, readiness


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    # setup() reads the settings, so the secrets have to exist before it runs.
    fresh = None if envfile.has_secrets() else envfile.draft()
    django.setup()
    if fresh:
        keep(fresh)
    prepare()
    call_command("serve")


def keep(fresh: str) -> None:
    """Save new secrets. Raise CommandError if the database was created with other ones."""
    if "django_migrations" in connection.introspection.table_names():
        raise CommandError(
            f"{envfile.ENV_FILE} is missing, but the database exists, and its keys cannot be "
            "checked or viewed without the secrets in that file. Restore the file from your copy. "
            "To start over, give the portal another database."
        )
    envfile.write(fresh)


def prepare() -> None:
    """Bring the database and static files up to date, and load the demo data if DEMO is on.

    Steps that are already done cost little.
    """
    if readiness.migration_problems():
        call_command("migrate", interactive=False, verbosity=0)
    if problems := readiness.database_problems():
        raise CommandError("\n".join(problems))
    if assets.stale():
        call_command("collectstatic", interactive=False, verbosity=0)
    if settings.DEMO:
        call_command("demo")


if __name__ == "__main__":
    try:
        main()
    except (CommandError, DatabaseError, ImproperlyConfigured) as problem:
        sys.exit(f"The portal cannot start: {problem}")
