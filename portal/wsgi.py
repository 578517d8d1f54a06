"""The WSGI application: what portal/asgi.py runs in its threads."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django_application = get_wsgi_application()
# The only parameter of a media type that Django is to see.
BOUNDARY = re.compile(r";\s*boundary=(\"?)([0-9a-z'()+_,./:=? -]{1,70})\1\s*(?:;|$)", re.IGNORECASE)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django, for which every request is in UTF-8.

    Django reads the parameters of Content-Type while it still builds the request, outside every
    error handler. A charset decodes the query there, and whatever it cannot read raises.
    """
    environ["CONTENT_TYPE"] = without_parameters(environ.get("CONTENT_TYPE", ""))
    return django_application(environ, start_response)


def without_parameters(content_type: str) -> str:
    """Return a media type with no parameter except its boundary."""
    boundary = BOUNDARY.search(content_type)
    media_type = content_type.partition(";")[0].strip()
    return f'{media_type}; boundary="{boundary[2]}"' if boundary else media_type
