from django.db import migrations


def rename_rights(apps, schema_editor, before="permission", after="grant"):
    """Let people keep their rights in the admin: Django renames only the content type, after this migration."""
    rights = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for right in rights.filter(content_type__app_label="tokens", content_type__model=before):
        action = right.codename.partition("_")[0]
        right.codename, right.name = f"{action}_{after}", f"Can {action} {after}"
        right.save(update_fields=("codename", "name"))


def rename_rights_back(apps, schema_editor):
    rename_rights(apps, schema_editor, "grant", "permission")


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('tokens', '0011_ip_rules'),
    ]

    operations = [
        migrations.RunPython(rename_rights, migrations.RunPython.noop),
        # The table keeps its name, so that the rename costs nothing.
        migrations.AlterModelTable(name='permission', table='tokens_permission'),
        migrations.RenameModel('Permission', 'Grant'),
        migrations.AlterModelOptions(name='grant', options={'verbose_name': 'grant', 'verbose_name_plural': 'grants'}),
        migrations.RunPython(migrations.RunPython.noop, rename_rights_back),
    ]
