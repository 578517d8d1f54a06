"""Drop the tables of django-axes, which kept what people typed: after a mistyped old password, the new one."""

from django.db import migrations

TABLES = ("axes_accessattemptexpiration", "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog")


def drop_tables(apps, schema_editor):
    connection = schema_editor.connection
    present = [table for table in TABLES if table in connection.introspection.table_names()]
    with connection.cursor() as cursor:
        if present and connection.vendor == "sqlite":
            # Else the rows would stay readable in the file, in pages that are merely free.
            cursor.execute("PRAGMA secure_delete = ON")
        for table in present:
            cursor.execute(f"DROP TABLE {table}")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'axes'")
        if present and connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    apps.get_model("auth", "Permission").objects.filter(content_type__app_label="axes").delete()


class Migration(migrations.Migration):

    # SQLite empties its log only outside of a transaction; each step can be repeated.
    atomic = False

    dependencies = [
        ("accounts", "0002_counters_of_tries"),
    ]

    operations = [
        migrations.RunPython(drop_tables, migrations.RunPython.noop),
    ]
