"""The app Modules, and the rows that mirror the catalog of modules."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ModulesConfig(AppConfig):
    name = "modules"
    verbose_name = _("Sample modules")

    def ready(self) -> None:
        # These need the loaded models; `changes` connects itself to them.
        from modules import changes  # noqa: F401
        from modules.models import Product
        from webhooks import conditions, products

        products.register(Product.names_for)
        conditions.register(records_of)
        post_migrate.connect(mirror_catalog, sender=self)


def records_of(object_class: str) -> Any:
    """Return what conditions of webhooks about a class can ask."""
    # Resources are read when they are first needed, not at each start.
    from modules.conditions import RECORDS

    return RECORDS.get(object_class)  # type: ignore[call-overload]


def mirror_catalog(using: str, **kwargs: Any) -> None:
    """Mirror the modules of the catalog in rows."""
    from modules.models import ModuleEntry
    from tokens.catalog import Module

    stored = ModuleEntry.objects.using(using)
    stored.exclude(pk__in=Module.values).delete()
    entries = [ModuleEntry(id=module.value, name=str(module.label)) for module in Module]
    stored.bulk_create(entries, update_conflicts=True, unique_fields=["id"], update_fields=["name"])
