"""The side of a company is called so: `role` is what a person has in an account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_sessions_of_people")]
    operations = [
        migrations.RenameField("account", "role", "side"),
        migrations.AlterField(
            "account",
            "side",
            models.CharField(
                choices=[("vendor", "Vendor"), ("distributor", "Distributor")],
                max_length=16,
                verbose_name="side",
            ),
        ),
    ]
