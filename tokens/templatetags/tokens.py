"""Template tags of the Tokens section, implemented in tokens/html.py."""

from django import template

from tokens import html

register = template.Library()

register.filter(html.actor)
register.simple_tag(html.extension_icon)
