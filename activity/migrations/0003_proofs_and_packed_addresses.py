from django.db import migrations, models

import portal.fields
from activity.triggers import REMOVED, AppendOnly
from portal.addresses import packed

BATCH = 1000


def allow_changes(apps, schema_editor):
    for statement in REMOVED[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def pack(apps, schema_editor):
    Event = apps.get_model("activity", "Event")
    events = Event.objects.exclude(address="").order_by().only("address")
    batch = []
    for event in events.iterator(chunk_size=BATCH):
        try:
            event.packed_address = packed(event.address)
        except ValueError:
            continue
        batch.append(event)
        if len(batch) == BATCH:
            Event.objects.bulk_update(batch, ["packed_address"])
            batch = []
    Event.objects.bulk_update(batch, ["packed_address"])


class Migration(migrations.Migration):
    dependencies = [("activity", "0002_append_only")]

    operations = [
        migrations.RunPython(allow_changes, migrations.RunPython.noop),
        migrations.AddField(
            model_name="event",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="confirmed"),
        ),
        migrations.AddField(
            model_name="event",
            name="confirmed_by",
            field=models.CharField(
                blank=True, default="", max_length=20, verbose_name="confirmed by"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="packed_address",
            field=portal.fields.PackedField(
                default="", editable=False, max_length=32, source="address"
            ),
        ),
        migrations.RunPython(pack, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                models.F("account"),
                models.F("packed_address"),
                models.OrderBy(models.F("number"), descending=True),
                name="activity_by_address",
            ),
        ),
        AppendOnly(),
    ]
