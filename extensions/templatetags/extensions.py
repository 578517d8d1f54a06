"""Template filters about extensions."""

from django import template

from extensions.catalog import reach
from extensions.markdown import render

register = template.Library()

register.filter("markdown", render)
register.filter(reach)
