"""Template tags of the Tokens section; what they do stands in tokens/html.py."""

from django import template

from tokens import html

register = template.Library()

register.filter(html.actor)
