import re

from django.db import migrations


def fill(apps, schema_editor):
    """Give each product the category of its name, and write UIDs with hyphens, as SQLite did not keep them."""
    Category, Product, Customer = (apps.get_model("modules", name) for name in ("Category", "Product", "Customer"))
    names = sorted(set(Product.objects.values_list("category_name", flat=True)))
    for number, name in enumerate(names, start=1):
        category = Category.objects.create(id=f"CAT-{number:05}", name=name)
        Product.objects.filter(category_name=name).update(category=category)
    for customer in Customer.objects.filter(external_uid__regex="^[0-9a-f]{32}$"):
        customer.external_uid = re.sub("(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", customer.external_uid)
        customer.save(update_fields=["external_uid"])


class Migration(migrations.Migration):
    dependencies = [("modules", "0002_collections")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
