"""Makes the environment file of a local installation: `python -m portal.envfile`.

The file (`var/env`) holds the secrets that a portal needs to start. It is made once, readable by its
owner alone, and never overwritten: losing the key rings would make every stored key unreadable.
"""

import os
import secrets
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parent.parent / "var" / "env"

TEMPLATE = """\
# Secrets of this installation, made once. Keep a copy: without the rings no stored key can be checked or viewed.
DEMO=on
SECRET_KEY={secret_key}
TOKEN_PEPPERS=1:{pepper}
TOKEN_SEALING_KEYS=1:{sealing_key}
"""


def make(path: Path = ENV_FILE) -> bool:
    """Write fresh secrets to `path` unless it exists; say whether it was written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = TEMPLATE.format(
        secret_key=secrets.token_urlsafe(50),
        pepper=secrets.token_hex(32),
        sealing_key=secrets.token_hex(32),
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return True


if __name__ == "__main__":
    if make():
        print(f"Made {ENV_FILE} with fresh secrets.")  # noqa: T201 (a command line tool speaks by printing)
