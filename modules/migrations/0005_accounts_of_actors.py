"""A token in the events of a case gets its account, by which the other side of the case is told no more than that."""

from django.db import migrations


def add_accounts(apps, schema_editor):
    Case, Token = apps.get_model("modules", "Case"), apps.get_model("tokens", "Token")
    accounts = dict(Token.objects.values_list("pk", "account_id"))
    for case in Case.objects.only("actors").iterator(chunk_size=500):
        actors = {what: with_account(actor, accounts) for what, actor in case.actors.items()}
        if actors != case.actors:
            Case.objects.filter(pk=case.pk).update(actors=actors)


def with_account(actor, accounts):
    if not actor.get("id", "").startswith("SU-") or "account" in actor:
        return actor
    # Nobody can tell any more whose a token was that is not there.
    return {**actor, "account": accounts[actor["id"]]} if actor["id"] in accounts else {}


class Migration(migrations.Migration):
    dependencies = [
        ("modules", "0004_product_category"),
        ("tokens", "0001_initial"),
    ]

    operations = [migrations.RunPython(add_accounts, migrations.RunPython.noop)]
