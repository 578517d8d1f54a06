from django.db import migrations

from activity.triggers import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("activity", "0001_initial")]

    operations = [AppendOnly()]
