from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('modules', '0005_accounts_of_actors'),
    ]

    operations = [
        migrations.DeleteModel(
            name='ExtensionEntry',
        ),
    ]
