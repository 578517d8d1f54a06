from typing import Any

from django.db import migrations, models


def copy_objects(apps: Any, schema_editor: Any) -> None:
    """Note of each delivery which object it is about."""
    events = apps.get_model("webhooks", "WebhookEvent").objects
    object_id = events.filter(pk=models.OuterRef("event")).values("object_id")
    apps.get_model("webhooks", "Delivery").objects.update(object_id=models.Subquery(object_id))


class Migration(migrations.Migration):

    dependencies = [
        ('webhooks', '0014_draft_type'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='delivery',
            name='deliveries_by_age',
        ),
        migrations.AddField(
            model_name='delivery',
            name='object_id',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunPython(copy_objects, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('webhook'), models.F('object_id'), models.F('event'), condition=models.Q(('state', 'pending')), name='deliveries_in_order'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('state'), models.F('created_at'), name='deliveries_by_age'),
        ),
    ]
