"""Template tags and filters of the portal; see portal/html.py, text.py and notices.py."""

from django import template

from portal import html, notices, text

register = template.Library()

register.simple_tag(html.icon)
register.filter(html.day_and_time)
register.filter(html.day)
register.filter(html.ago)
register.filter(html.day_and_ago)
register.filter(html.initials)
register.filter("notice", notices.read)
register.filter(text.ahead)
register.filter(text.isolate)
