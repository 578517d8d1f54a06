"""The icons that administrators uploaded."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from tokens.models import OwnIcon

# Also for whoever opens the drawing as a page: it runs nothing and loads nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@login_not_required
@require_safe
def own_icon(_request: HttpRequest, digest: str) -> HttpResponse:
    """Return a drawing. Its address is the digest of its text, so caches may keep it for ever."""
    drawing = get_object_or_404(OwnIcon, pk=digest)
    response = HttpResponse(drawing.text, content_type="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = POLICY
    return response
