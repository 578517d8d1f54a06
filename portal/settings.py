"""Settings of the portal, read only from the environment; docs/settings.md lists them all.

`var/env` (created by `make run`) is read first, so that `manage.py` and the server see the same
values; real environment variables override it. An invalid value raises ImproperlyConfigured before
anything starts.
"""

import logging
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from portal import envfile
from portal.environment import (
    read_broker,
    read_database,
    read_email,
    read_flag,
    read_list,
    read_networks,
    read_number,
    read_origins,
    read_redis,
    read_ring,
    read_text,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# Seconds that the statements of a request may run, and that one may wait for a lock.
STATEMENT_SECONDS = 2

# The files of an installation: its SQLite database, its secrets, collected static files.
VAR = BASE_DIR / "var"

envfile.read()

# --- What kind of installation ----------------------------------------------------------------

DEMO = read_flag("DEMO", default=False)
DEBUG = read_flag("DEBUG", default=False)
HTTPS = read_flag("HTTPS", default=not DEMO)
# How many reverse proxies are in front of the portal: that many entries of X-Forwarded-For and
# X-Forwarded-Proto, or Forwarded, are trusted.
TRUSTED_PROXIES = read_number("TRUSTED_PROXIES", 0, 0, 9)

SECRET_KEY = read_text("SECRET_KEY")
SECRET_KEY_FALLBACKS = read_list("SECRET_KEY_FALLBACKS", "")
TOKEN_PEPPERS = read_ring("TOKEN_PEPPERS")
TOKEN_SEALING_KEYS = read_ring("TOKEN_SEALING_KEYS")
ACCEPT_LOST_KEYS = read_flag("ACCEPT_LOST_KEYS", default=False)
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if DEMO else None)
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", "")
API_ALLOWED_ORIGINS = read_origins("API_ALLOWED_ORIGINS")
if DEBUG and (HTTPS or not set(ALLOWED_HOSTS) <= {"127.0.0.1", "localhost", "[::1]"}):
    raise ImproperlyConfigured(
        "DEBUG shows internals of the portal to every visitor. It must be off with HTTPS, and "
        "with hosts other than 127.0.0.1, localhost and [::1]."
    )

BRAND = read_text("BRAND", "Integrations Portal")
# Where receivers of webhooks find the API.
PORTAL_URL = read_text(
    "PORTAL_URL",
    f"https://{ALLOWED_HOSTS[0]}"
    if HTTPS
    else f"http://{(ALLOWED_HOSTS or ['localhost'])[0]}:{read_text('PORT', '8000')}",
).rstrip("/")
# Networks besides the Internet that webhooks may call.
WEBHOOK_ALLOWED_NETWORKS = read_networks(
    "WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128" if DEMO else ""
)
# The broker of Celery, whose workers deliver webhooks too.
BROKER_URL = read_broker()
# Whether the server starts the program that delivers webhooks.
DELIVER = read_flag("DELIVER", default=True)
PRIVACY_URL = read_text("PRIVACY_URL", "")
TERMS_URL = read_text("TERMS_URL", "")
HELP_URL = read_text("HELP_URL", "")

# --- Limits -----------------------------------------------------------------------------------

TOKENS_PER_EXTENSION = read_number("TOKENS_PER_EXTENSION", 100, 1, 1_000_000)
# At least as many as an account has in the demo data.
WEBHOOKS_PER_ACCOUNT = read_number("WEBHOOKS_PER_ACCOUNT", 100, 10, 10_000)
DRAFTS_PER_PERSON = read_number("DRAFTS_PER_PERSON", 20, 1, 10_000)
# Per minute.
WRITES_PER_PERSON = read_number("WRITES_PER_PERSON", 120, 1, 1_000_000)
WRITES_PER_TOKEN = read_number("WRITES_PER_TOKEN", 120, 1, 1_000_000)
WRITES_PER_ACCOUNT = read_number("WRITES_PER_ACCOUNT", 600, 1, 1_000_000)
WRONG_KEYS_PER_ADDRESS = read_number("WRONG_KEYS_PER_ADDRESS", 100, 1, 100_000)
SESSION_IDLE_MINUTES = read_number("SESSION_IDLE_MINUTES", 30, 1, 1440)
SESSION_HOURS = read_number("SESSION_HOURS", 12, 1, 720)
SESSIONS_PER_PERSON = read_number("SESSIONS_PER_PERSON", 10, 1, 1000)
SIGN_IN_TRIES = read_number("SIGN_IN_TRIES", 5, 1, 100)
SIGN_IN_TRIES_PER_ADDRESS = read_number(
    "SIGN_IN_TRIES_PER_ADDRESS", 1000 if DEMO else 30, 1, 100_000
)
SIGN_IN_TRIES_PER_NAME = read_number("SIGN_IN_TRIES_PER_NAME", 20, 1, 100_000)
SIGN_IN_TRIES_IN_ALL = read_number("SIGN_IN_TRIES_IN_ALL", 1000, 1, 1_000_000)
RESETS_PER_ADDRESS = read_number("RESETS_PER_ADDRESS", 1000 if DEMO else 10, 1, 100_000)
SIGN_IN_WAIT_MINUTES = read_number("SIGN_IN_WAIT_MINUTES", 15, 1, 1440)
SIGN_IN_WAIT_MINUTES_PER_NAME = read_number("SIGN_IN_WAIT_MINUTES_PER_NAME", 60, 1, 1440)
# How many passwords each process hashes at once; as many more may wait. Its few threads serve
# everything else too.
PASSWORD_CHECKS = read_number("PASSWORD_CHECKS", 1, 1, 64)

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# --- Django -----------------------------------------------------------------------------------

INSTALLED_APPS = (
    # Before `portal`, whose own command `demo` only says that this app is not installed.
    *(("demo",) if DEMO else ()),
    "modules",
    "general",
    "webhooks",
    "extensions",
    "tokens",
    "activity",
    "accounts",
    "portal",
    "accounts.admin_app.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "django_htmx",
    "django_tables2",
)

MIDDLEWARE = (
    "portal.middleware.request_ids",
    # Outside everything that can respond, so that every response gets the headers.
    "portal.middleware.SecurityHeadersMiddleware",
    "portal.middleware.health",
    "portal.middleware.CompressionMiddleware",
    "portal.cors.allow_origins",
    "portal.middleware.scheme_of_the_client",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.known_methods",
    "portal.middleware.no_nul",
    "portal.middleware.time_limit",
    # API calls are handled here; the rest is for browsers.
    "portal.middleware.public_api",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.middleware.admin_input",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SessionLimitsMiddleware",
    "portal.middleware.SignInRequiredMiddleware",
    "accounts.middleware.MembershipMiddleware",
    "portal.middleware.KeptFormsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.RefusedTriesMiddleware",
    "accounts.middleware.WritesMiddleware",
)

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": read_database(VAR / "portal.sqlite3", busy_seconds=STATEMENT_SECONDS)}
# Where rate limits are counted, if not in the database.
CACHE_URL = read_redis("CACHE_URL")

TEMPLATES = (
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": (BASE_DIR / "templates",),
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": (
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.navigation.frame",
            ),
            # After Django's own, whose csrf_token it extends.
            "builtins": ["portal.templatetags.form_owner"],
        },
    },
)

# --- People: sign-in, sessions, passwords -------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ("accounts.backends.EmailBackend",)
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "tokens:list"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
PASSWORD_RESET_TIMEOUT = 60 * 60
PASSWORD_HASHERS = (
    "accounts.hashing.Argon2",
    "accounts.hashing.PBKDF2",
)
AUTH_PASSWORD_VALIDATORS = (
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "accounts.passwords.MaximumLength"},
    {"NAME": "accounts.passwords.NotCommon"},
    {"NAME": "accounts.passwords.NotPersonal"},
    {"NAME": "accounts.passwords.NotPatterned"},
)

# The cookie outlives the idle limit on purpose, so that SessionLimitsMiddleware can tell that a
# session ended and say so.
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
DEVICE_COOKIE_NAME = "__Host-device" if HTTPS else "device"

# --- Browser security -----------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
# A key sent unencrypted must be noticed, not silently redirected: the gate responds with 403.
SECURE_REDIRECT_EXEMPT = [r"^public/"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = read_flag("HSTS_INCLUDE_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = read_flag("HSTS_PRELOAD", default=False)

# --- Language, time, mail, static files, log ------------------------------------------------------

LANGUAGE_CODE = "en"
# Makes Django's admin write dates as the portal's pages do.
FORMAT_MODULE_PATH = "portal.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

vars().update(read_email("consolemail://"))
# In seconds. A mail server that hangs must not hold up the mails behind it for long.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = read_text("EMAIL_FROM", "Integrations Portal <portal@localhost>")

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = (BASE_DIR / "static",)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "portal.assets.HashedFiles"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

DEFAULT_EXCEPTION_REPORTER = "portal.debug.Reporter"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "mask": {"()": "portal.logs.MaskKeys"},
        "passwords": {"()": "portal.logs.AtMost", "most": 60},
        "requests": {"()": "portal.logs.AtMost", "most": 60},
        "overload": {"()": "portal.logs.AtMost", "most": 60},
        "worker": {"()": "portal.logs.AtMost", "most": 10},
        # At the handler: Django has a logger for each way in which a request is suspicious.
        "suspicious": {
            "()": "portal.logs.AtMost",
            "most": 60,
            "below": "django.security",
            "top": logging.ERROR,
        },
        "refusals": {"()": "portal.logs.OnceEach", "most": 60},
    },
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["suspicious", "mask"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Django's own handler would write to the console a second time.
        "django": {"level": "INFO", "handlers": [], "propagate": True},
        # 60 lines per minute are enough to see what is going on, even during a flood.
        "django.request": {"filters": ["requests"]},
        "portal.overload": {"filters": ["overload"]},
        "accounts.backends": {"filters": ["passwords"]},
        "tokens.refusals": {"filters": ["refusals"]},
        # While the database is away it says so several times a second.
        "webhooks.worker": {"filters": ["worker"]},
    },
}
