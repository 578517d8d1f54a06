"""Who did what is kept as id and name, without foreign keys.

Each pair of keys (`created_by` to a person, `created_by_token` to a token) becomes columns of text. Tokens and grants get the
names of today, since those of then are not known; events have kept theirs.
"""

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery

from portal.fields import ActorField

FIELDS = (("token", "created_by"), ("token", "updated_by"), ("token", "status_changed_by"), ("permission", "granted_by"))
PARTS = ("id", "name", "account")


def fill(apps, schema_editor):
    people, tokens = (apps.get_model(name).objects for name in ("accounts.User", "tokens.Token"))
    for model, name in FIELDS:
        rows = apps.get_model("tokens", model).objects
        person, token = f"{name}_person_id", f"{name}_token_id"
        of_person, of_token = people.filter(pk=OuterRef(person)), tokens.filter(pk=OuterRef(token))
        rows.exclude(**{person: None}).update(**{f"{name}_id": F(person), f"{name}_name": Subquery(of_person.values("name"))})
        rows.exclude(**{token: None}).update(
            **{
                f"{name}_id": F(token),
                f"{name}_name": Subquery(of_token.values("name")),
                f"{name}_account": Subquery(of_token.values("account_id")),
            }
        )
    # PostgreSQL alters no table with checks of foreign keys still to be made.
    schema_editor.connection.check_constraints()


def column(part):
    return models.CharField(blank=True, default="", editable=False, max_length=ActorField.lengths[part])


class Migration(migrations.Migration):
    dependencies = [("tokens", "0007_keys_that_retire")]

    operations = [
        migrations.RemoveIndex("token", "tokens_by_creating_token"),
        *(migrations.RemoveConstraint(model, f"one_actor_in_{name}") for model, name in (*FIELDS, ("tokenevent", "by"))),
        # Its column has the name that the id gets.
        *(migrations.RenameField(model, name, f"{name}_person") for model, name in FIELDS),
        *(migrations.AddField(model, f"{name}_{part}", column(part)) for model, name in FIELDS for part in PARTS),
        migrations.RunPython(fill),
        *(migrations.RemoveField(model, f"{name}_{which}") for model, name in FIELDS for which in ("person", "token")),
        migrations.AddIndex(
            "token",
            models.Index(
                *("account", "created_by_id", "created_by_name", "created_by_account", "created_at"), name="tokens_by_creator"
            ),
        ),
        *(migrations.RemoveField("tokenevent", name) for name in ("by", "by_token")),
        *(migrations.AlterField("tokenevent", f"actor_{part}", column(part)) for part in ("id", "name")),
    ]
