from django.db import migrations

from activity.models import seal
from tokens.catalog import Module

ACTIONS = {
    "created": "tokens.created",
    "edited": "tokens.changed",
    "enabled": "tokens.enabled",
    "disabled": "tokens.disabled",
    "deleted": "tokens.deleted",
    "key_viewed": "keys.viewed",
    "key_copied": "keys.copied",
    "key_unreadable": "keys.unreadable",
}
BATCH = 1000


def move_events(apps, schema_editor):
    """Move the events of tokens into the trails of their accounts, in the order of time, each sealing the one before."""
    Event, Chain = apps.get_model("activity", "Event"), apps.get_model("activity", "Chain")
    old = apps.get_model("tokens", "TokenEvent").objects.order_by("at", "pk").values(
        "token_id", "token__name", "token__account_id", "action", "at", "actor_id", "actor_name", "address", "changes"
    )
    ends, batch = {}, []
    for row in old.iterator(chunk_size=BATCH):
        account = row["token__account_id"]
        chain = ends.get(account) or ends.setdefault(account, Chain.objects.get_or_create(account=account)[0])
        entry = {
            "account": account,
            "number": chain.number + 1,
            "at": row["at"],
            "actor_id": row["actor_id"],
            "actor_name": row["actor_name"],
            "action": ACTIONS.get(row["action"], row["action"]),
            "subject_kind": "token",
            "subject_id": row["token_id"],
            "subject_name": row["token__name"],
            "changes": changes(row["changes"]),
            "address": row["address"] or "",
            "agent": "",
            "request_id": "",
        }
        event = Event(**entry, hash=seal(entry, chain.hash))
        event.names = " ".join((event.subject_name, event.subject_id, event.actor_name, event.actor_id))
        chain.number, chain.hash = event.number, event.hash
        batch.append(event)
        if len(batch) == BATCH:
            Event.objects.bulk_create(batch)
            batch = []
    Event.objects.bulk_create(batch)
    for chain in ends.values():
        chain.save()


def changes(kept):
    """Return what changed as the trail keeps it. Of the modules only those are known that came and went."""
    kept = kept if isinstance(kept, dict) else {}
    modules = [names(kept.get(name)) for name in ("removed", "added")]
    fields = {name: pair for name, pair in kept.items() if name not in ("added", "removed")}
    return fields | ({"modules": modules} if any(modules) else {})


def names(modules):
    labels = {module.value: str(module.label) for module in Module}
    return [labels.get(module, str(module)) for module in modules or []]


class Migration(migrations.Migration):
    dependencies = [("tokens", "0009_extensions"), ("activity", "0002_append_only")]

    operations = [
        migrations.RunPython(move_events, migrations.RunPython.noop),
        migrations.DeleteModel(name="TokenEvent"),
    ]
