"""Icons that administrators upload for extensions."""

import hashlib
from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.fields import MomentField


class OwnIcon(models.Model):
    """An SVG that `portal.svg` made harmless, under the SHA-256 digest of its text.

    A table of its own, so that lists of tokens, which read their extensions, do not read it. What
    its address answers never changes.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    text = models.TextField()
    added_at = MomentField(default=timezone.now)

    class Meta:
        verbose_name = gettext_lazy("icon")
        verbose_name_plural = gettext_lazy("icons")

    def __str__(self) -> str:
        return self.digest[:8]

    @classmethod
    def keep(cls, text: str) -> "OwnIcon":
        """Return the row of a drawing, and forget those that no extension has used for a day."""
        old = timezone.now() - timedelta(days=1)
        cls.objects.filter(extension=None, added_at__lt=old).delete()
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls.objects.update_or_create(
            digest=digest, defaults={"text": text, "added_at": timezone.now()}
        )[0]
