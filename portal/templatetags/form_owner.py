"""`{% csrf_token %}` with a second hidden field that says for whom the page was made."""

from typing import Any

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import typed

register = template.Library()


class FormOwnerNode(CsrfTokenNode):
    """The two hidden fields of a form that posts.

    Forms do not work without the CSRF token, so none can lack the other field.
    """

    def render(self, context: Context) -> SafeString:
        csrf = super().render(context)
        return format_html(
            '{}<input type="hidden" name="{}" value="{}">', csrf, typed.OWNER, page_owner(context)
        )


@register.tag
def csrf_token(parser: Parser, token: Token) -> FormOwnerNode:
    return FormOwnerNode()


@register.simple_tag(takes_context=True)
def page_owner(context: Any) -> str:
    """Return for whom the page is made, signed; it is the same in all forms of a page."""
    # A fragment rendered without a request context has the request as a variable.
    request = getattr(context, "request", None) or context.get("request")
    if request is None:
        return ""
    if not hasattr(request, "signed_owner"):
        request.signed_owner = typed.sign_owner(request)
    signed: str = request.signed_owner
    return signed
