"""Compare old names by today's rule.

Tokens of earlier versions are found and told apart by a key that an earlier rule folded. Two names
that only today's rule takes for the same keep their keys: both tokens live, and neither may be
renamed by an update.
"""

from django.db import IntegrityError, migrations, transaction

from portal.text import fold


def fold_again(apps, schema_editor):
    tokens = apps.get_model("tokens", "Token").objects.using(schema_editor.connection.alias)
    columns = ("pk", "name", "name_key", "external_id", "external_id_key")
    changed = [
        (pk, fold(name), fold(external_id))
        for pk, name, name_key, external_id, external_id_key in tokens.values_list(*columns).iterator()
        if (fold(name), fold(external_id)) != (name_key, external_id_key)
    ]
    for pk, name_key, external_id_key in changed:
        tokens.filter(pk=pk).update(external_id_key=external_id_key)
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                tokens.filter(pk=pk).update(name_key=name_key)
        except IntegrityError:
            continue


class Migration(migrations.Migration):
    dependencies = [("tokens", "0005_kept_actors")]
    operations = [migrations.RunPython(fold_again, migrations.RunPython.noop)]
