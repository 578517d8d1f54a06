"""Who did what to a case is kept in columns, as everywhere, not in JSON."""

from django.db import migrations, models

from portal.fields import ActorField

EVENTS = ("created", "updated", "pending", "inquiring", "resolved", "closed")
PARTS = ("id", "name", "account")


def fill(apps, schema_editor):
    cases = apps.get_model("modules", "Case").objects
    for pk, actors in cases.values_list("pk", "actors").iterator(chunk_size=500):
        cases.filter(pk=pk).update(**columns(actors))
    # PostgreSQL alters no table with checks of foreign keys still to be made.
    schema_editor.connection.check_constraints()


def columns(actors):
    """The columns for `{"created": {"id": "SU-…", "name": "ERP Sync", "account": "PA-…"}, …}`."""
    return {f"{event}_by_{part}": actors.get(event, {}).get(part, "") for event in EVENTS for part in PARTS}


def column(part):
    return models.CharField(blank=True, default="", editable=False, max_length=ActorField.lengths[part])


class Migration(migrations.Migration):
    dependencies = [("modules", "0006_extensions_are_rows_of_tokens")]

    operations = [
        *(migrations.AddField("case", f"{event}_by_{part}", column(part)) for event in EVENTS for part in PARTS),
        migrations.RunPython(fill),
        migrations.RemoveField("case", "actors"),
    ]
