"""Static files: their hashed names, and whether the collected copies match the sources."""

import filecmp
import os
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Files whose URL changes with their content, so that browsers can cache them forever."""

    def stored_name(self, name: str) -> str:
        """Return the name with its hash, or the plain name if the file has not been collected.

        Error pages must still render in that case.
        """
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name


def stale() -> list[str]:
    """Return the names of static files whose collected copy is missing or out of date."""
    # With DEBUG, the sources themselves are served.
    if settings.DEBUG or not isinstance(staticfiles_storage, HashedFiles):
        return []
    hashed, _digest = staticfiles_storage.load_manifest()
    root = Path(settings.STATIC_ROOT)
    return [
        name
        for name, source in sources().items()
        if not is_collected(source, root, name, hashed.get(name, ""))
    ]


def sources() -> dict[str, str]:
    """Map the name of each static file to its path.

    As with `collectstatic`, the first file found with a name counts.
    """
    found: dict[str, str] = {}
    config: Any = apps.get_app_config("staticfiles")
    for finder in get_finders():
        for path, storage in finder.list(config.ignore_patterns):
            name = os.path.join(getattr(storage, "prefix", None) or "", path)
            found.setdefault(name, storage.path(path))
    return found


def is_collected(source: str, root: Path, name: str, hashed_name: str) -> bool:
    try:
        return (
            bool(hashed_name)
            and (root / hashed_name).is_file()
            and filecmp.cmp(source, root / name, shallow=False)
        )
    except OSError:
        return False
