"""The app Accounts, with its receivers for sign-ins and for deletions of people."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import background, typed

# How often a server process looks for mails that are due, in seconds.
MAILS_EVERY = 5


def forget_what_others_typed(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Drop what somebody else typed in the same browser when a person signs in."""
    typed.forget_others(request, str(user.pk))


def keep_who_acted(instance: Any, **kwargs: Any) -> None:
    """Raise ProtectedError for people in the admin's log, which would be deleted with them."""
    done = apps.get_model("admin", "LogEntry").objects.filter(user=instance)[:10]
    if done:
        raise ProtectedError(
            gettext(
                "People who changed something in the administration are switched off, not deleted."
            ),
            set(done),
        )


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # The models are loaded only now.
        from accounts import mails, sessions

        user_logged_in.connect(sessions.keep_where)
        background.every(MAILS_EVERY, mails.send_due)
        user_logged_in.connect(forget_what_others_typed)
        pre_delete.connect(keep_who_acted, sender="accounts.User")
