"""The WSGI application that portal/asgi.py runs in its threads."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django_application = get_wsgi_application()
# The only parameter of a media type that is passed on to Django.
BOUNDARY = re.compile(r";\s*boundary=(\"?)([0-9a-z'()+_,./:=? -]{1,70})\1\s*(?:;|$)", re.IGNORECASE)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Run Django with every request in UTF-8.

    Django reads the parameters of Content-Type while it builds the request, outside any error
    handler. A charset applies to the query string there, and an invalid one raises.
    """
    environ["CONTENT_TYPE"] = without_parameters(environ.get("CONTENT_TYPE", ""))
    return django_application(environ, start_response)


def without_parameters(content_type: str) -> str:
    """Return a content type with no parameter except its boundary."""
    boundary = BOUNDARY.search(content_type)
    media_type = content_type.partition(";")[0].strip()
    return f'{media_type}; boundary="{boundary[2]}"' if boundary else media_type
