"""What happens to people, for whoever wants to know.

Beside these there are Django's own, such as `user_logged_in`.

Every receiver gets `request`, and `user`: the person it happened to, or None for an unknown name.
"""

from django.dispatch import Signal

# A wrong password, at sign-in or when a signed-in person was asked for it again.
wrong_password = Signal()
# A signed-in person gave the password once more.
password_confirmed = Signal()
