"""`/public/v1/extensions` and `/modules`: what tokens can be made for, and what they may reach."""

from django.conf import settings
from django.db.models import BooleanField, Case, CharField, IntegerField, Value, When
from django.db.models.functions import Coalesce

from api.resource import Resource
from api.shapes import Column, Constant, reference
from modules.models import ModuleEntry
from tokens.catalog import Module
from tokens.models import Category, Extension

WEBSITES = {"type": "array", "items": {"type": "string", "examples": ["https://zapier.com"]}}
CATEGORIES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "examples": ["automation"]},
            "name": {"type": "string", "examples": ["Automation"]},
        },
    },
}


def shelves(categories: list[Category]) -> list[dict[str, str]]:
    """Return the categories of an extension as records."""
    return [{"id": each.value, "name": str(each.label)} for each in categories]


EXTENSIONS = Resource(
    "extensions",
    Module.INTEGRATIONS,
    lambda caller: Extension.objects.visible_to(caller.account_id).annotate(
        # Connect calls distributors providers.
        portal=Case(
            When(side=Extension.Side.VENDOR, then=Value("vendor")),
            When(side=Extension.Side.DISTRIBUTOR, then=Value("provider")),
            default=Value("any"),
            output_field=CharField(max_length=8),
        ),
        featured=Value(value=False, output_field=BooleanField()),
        priority=Value(0, IntegerField()),
        # What Connect calls one that every account of its side may use.
        offered=Case(
            When(status=Extension.Status.PUBLISHED, then=Value("unrestricted")),
            default=Value("draft"),
            output_field=CharField(max_length=16),
        ),
        system=Value(value=True, output_field=BooleanField()),
        most=Coalesce("cap", Value(settings.TOKENS_PER_EXTENSION), output_field=IntegerField()),
    ),
    about="Extensions that a token can be created for, and those of the account's tokens.",
    fields={
        "id": "id",
        "name": "name",
        "revision": Constant(1),
        "subtitle": "subtitle",
        "description": "description",
        "overview": "overview",
        "websites": Column("website", lambda website: [website] if website else [], WEBSITES),
        "categories": Column("categories", shelves, CATEGORIES),
        "owner": reference("owner"),
        "portal": "portal",
        "featured": "featured",
        "priority": "priority",
        "status": "offered",
        "constraints": {"account": {"tokens": "most"}},
        "system": "system",
    },
)

MODULES = Resource(
    "modules",
    Module.INTEGRATIONS,
    lambda caller: ModuleEntry.objects.all(),
    about="Modules that a token can be granted.",
    fields={"id": "id", "name": "name"},
    search=("id", "name"),
)
