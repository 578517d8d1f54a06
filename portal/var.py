"""`var/`: what an installation keeps for itself. Its secrets and its database are for their owner alone."""

import stat
from pathlib import Path

from django.conf import settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def tighten() -> list[str]:
    """Take the rights of others away from the folder and its files; return the paths that stay open.

    The collected static files are public, and the folder hides them.
    """
    folder = Path(settings.VAR)
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return [str(path) for path in (folder, *files) if not close(path)]


def close(path: Path) -> bool:
    """Return whether others may not use the path any more."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
