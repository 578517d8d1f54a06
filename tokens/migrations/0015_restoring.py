"""Deleted tokens can be restored for seven days. Those deleted before have no copy of a key left."""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now

import portal.fields

STATUSES = [("active", "Active"), ("inactive", "Inactive"), ("deleted", "Deleted")]


def purge_deleted(apps, schema_editor):
    deleted = apps.get_model("tokens", "Token").objects.filter(status="deleted")
    deleted.update(purged_at=Coalesce("status_changed_at", Now()))
    # PostgreSQL alters no table with checks of foreign keys still to be made.
    schema_editor.connection.check_constraints()


class Migration(migrations.Migration):
    dependencies = [("tokens", "0014_policies")]

    operations = [
        migrations.AddField(
            "token", "purged_at", portal.fields.MomentField(editable=False, null=True)
        ),
        migrations.AddField(
            "token",
            "status_before",
            models.CharField(
                blank=True, choices=STATUSES, default="", editable=False, max_length=10
            ),
            preserve_default=False,
        ),
        migrations.RunPython(purge_deleted, migrations.RunPython.noop),
        migrations.RemoveConstraint("token", "unique_name_of_live_tokens"),
        migrations.AddConstraint(
            "token",
            models.UniqueConstraint(
                fields=("account", "name_key"),
                condition=Q(purged_at=None),
                name="unique_name_until_purged",
            ),
        ),
        migrations.AddConstraint(
            "token",
            models.CheckConstraint(
                condition=Q(purged_at=None) | Q(status="deleted"), name="only_deleted_are_purged"
            ),
        ),
        migrations.AddIndex(
            "token",
            models.Index(
                "status_changed_at",
                condition=Q(status="deleted", purged_at=None),
                name="tokens_to_purge",
            ),
        ),
    ]
