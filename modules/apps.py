from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ModulesConfig(AppConfig):
    name = "modules"
    verbose_name = _("Sample modules")

    def ready(self) -> None:
        post_migrate.connect(mirror_catalog, sender=self)


def mirror_catalog(using: str, **kwargs: Any) -> None:
    """Keep the catalog's modules and extensions as rows too, so that the API filters and orders them like everything else."""
    from modules.models import ExtensionEntry, ModuleEntry
    from tokens.catalog import Extension, Module

    modules = [ModuleEntry(id=module.value, name=str(module.label)) for module in Module]
    extensions = [
        ExtensionEntry(id=extension.value, name=extension.slug, description=str(extension.description), overview=str(extension.purpose))
        for extension in Extension
    ]
    mirrors: tuple[tuple[Any, list[Any]], ...] = ((ModuleEntry, modules), (ExtensionEntry, extensions))
    for model, entries in mirrors:
        rows = model.objects.using(using)
        rows.exclude(pk__in=[entry.pk for entry in entries]).delete()
        fields = [field.name for field in model._meta.fields if not field.primary_key]
        rows.bulk_create(entries, update_conflicts=True, unique_fields=["id"], update_fields=fields)
