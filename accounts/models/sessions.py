"""The sessions of people; accounts.sessions is Django's store on top of them."""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class Session(AbstractBaseSession):
    """The session of a browser that is or was signed in, or that has a kept form.

    See accounts.sessions.
    """

    user = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="sessions", verbose_name=_("user")
    )
    signed_in_at = models.FloatField(null=True)  # seconds since the epoch, as in the session's data

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        return store
