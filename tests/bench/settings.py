"""The portal's settings with the peers' apps added.

One server process serves them all, behind the same middleware.
"""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = (
    *INSTALLED_APPS,  # noqa: F405
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_api_key",
    "knox",
    "ninja",
    "tests.bench",
)
# The STATIC_ROOT of the tests is the folder itself.
STATICFILES_DIRS = ()  # type: ignore[assignment]
ROOT_URLCONF = "tests.bench.urls"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ("rest_framework.renderers.JSONRenderer",),
    "DEFAULT_PARSER_CLASSES": ("rest_framework.parsers.JSONParser",),
}

# All wrong keys come from one address.
WRONG_KEYS_PER_ADDRESS = 100_000
