"""What the drafts of all wizards share."""

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.people import User
from portal.fields import MomentField

# How long an unfinished draft is kept.
DRAFT_LASTS = timedelta(days=1)


class Draft(models.Model):
    """An unfinished run of a wizard.

    Its UUID is in the URL, so runs in several tabs do not interfere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, related_name="+", editable=False)
    created_at = MomentField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def forget_old(cls, owner: User) -> None:
        """Delete the person's old drafts, and the oldest others to make room for a new one."""
        mine = cls._default_manager.filter(owner=owner)
        cls.old().filter(owner=owner).delete()
        newest = mine.order_by("-created_at", "pk").values_list("pk", flat=True)[
            : settings.DRAFTS_PER_PERSON - 1
        ]
        mine.exclude(pk__in=list(newest)).delete()

    @classmethod
    def old(cls) -> models.QuerySet[Self]:
        """Return drafts older than a day.

        Drafts dated more than a day ahead are included: they would never grow old.
        """
        now = timezone.now()
        lasting = (now - DRAFT_LASTS, now + DRAFT_LASTS)
        return cls._default_manager.exclude(created_at__range=lasting)
