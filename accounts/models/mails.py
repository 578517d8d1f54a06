"""The queue of mails; accounts.mails fills and empties it."""

from django.db import models

from accounts.models.people import User
from portal.fields import MomentField


class QueuedMail(models.Model):
    """A mail to one address that is sent once its time has come, and deleted then."""

    # The person it is for, so that all their daily mails can become one.
    user = models.ForeignKey(User, models.CASCADE, related_name="queued_mails")
    address = models.EmailField()
    is_daily = models.BooleanField(default=False)
    # The parts of an accounts.mails.Mail.
    content = models.JSONField()
    due_at = MomentField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.address}: {self.content['subject']}"
