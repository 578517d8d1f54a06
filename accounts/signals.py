"""Signals about people, in addition to Django's own, such as `user_logged_in`.

Receivers get `request`, and `user`: the person it happened to, or None for an unknown name.
"""

from django.dispatch import Signal

# A wrong password, at sign-in or when a signed-in person was asked for it again.
wrong_password = Signal()
# A signed-in person gave the password again.
password_confirmed = Signal()
