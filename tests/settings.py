"""The portal's settings with secrets for the test run; a developer's `var/env` is ignored."""

import os
import secrets

os.environ["ENV_FILE"] = os.devnull
os.environ.setdefault("DEMO", "on")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("TOKEN_PEPPERS", f"1:{secrets.token_hex(32)}")
os.environ.setdefault("TOKEN_SEALING_KEYS", f"1:{secrets.token_hex(32)}")

from portal.settings import *  # noqa: F403

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
# Argon2 is slow on purpose, which tests of sign-in do not need.
PASSWORD_HASHERS = (
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
)
# Collected files and their manifest belong to a served portal, such as that of the browser tests.
# WhiteNoise needs a folder.
STATIC_ROOT = BASE_DIR / "static"  # noqa: F405
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, so that tests with several threads have one connection each, as in production.
    VAR.mkdir(mode=0o700, exist_ok=True)  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}  # noqa: F405
# Tests of these limits set their own; all others may write as much as they need.
WRITES_PER_PERSON = WRITES_PER_TOKEN = WRITES_PER_ACCOUNT = 1_000_000
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
