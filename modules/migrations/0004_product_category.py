import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("modules", "0003_categories_and_uids")]

    operations = [
        migrations.RemoveField(model_name="product", name="category_name"),
        migrations.AlterField(
            model_name="product",
            name="category",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="modules.category", verbose_name="category"),
        ),
    ]
