from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal import typed


def forget_what_others_typed(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A person who signs in meets nothing that somebody else typed in the same browser."""
    typed.forget_others(request, str(user.pk))


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        user_logged_in.connect(forget_what_others_typed)
