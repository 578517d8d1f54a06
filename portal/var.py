"""Permissions of `var/`: its secrets and its database are for their owner only."""

import stat
from pathlib import Path

from django.conf import settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def tighten() -> list[str]:
    """Remove other users' permissions on the folder and its files; return the paths that stay open.

    Subfolders, such as the collected static files, need no change: the folder itself hides them.
    """
    folder = Path(settings.VAR)
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return [str(path) for path in (folder, *files) if not close(path)]


def close(path: Path) -> bool:
    """Remove other users' permissions on a path; return False if they could not be removed."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
