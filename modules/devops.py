"""The resource `/public/v1/devops/services`."""

from django.db.models import OuterRef, Value
from django.db.models.functions import Concat

from api.resource import Resource
from api.shapes import Constant, Rows, events, reference
from modules.models import Environment, Product, Service
from tokens.catalog import Module

ENVIRONMENTS = Rows(
    Environment.objects.filter(service=OuterRef("pk")).annotate(
        readme=Concat("git_url", Value("/README.md")),
        changelog=Concat("git_url", Value("/CHANGELOG.md")),
    ),
    {
        "id": "id",
        "type": "type",
        "runtime": "runtime",
        "external_id": "external_id",
        "status": "status",
        "git": {"url": "git_url", "tag": "git_tag", "commit": "git_commit"},
        "readme_url": "readme",
        "changelog_url": "changelog",
    },
    # Connect has them by type, not as a list.
    by="type",
)

SERVICES = Resource(
    "devops/services",
    Module.DEVOPS,
    lambda caller: Service.objects.visible_to(caller),
    about="Extensions that the company develops, with the environments they run in.",
    fields={
        "id": "id",
        "type": "type",
        "name": "name",
        "description": "description",
        "package_id": "package_id",
        "products": Rows(
            Product.objects.filter(services=OuterRef("pk")), {"id": "id", "name": "name"}
        ),
        "extension_id": "extension_id",
        "owner": {**reference("owner"), "role": "owner__side"},
        "environments": ENVIRONMENTS,
        "catalog_status": Constant("private"),
        "category": "category",
        "website": "website",
        "events": events(created="created_at", updated="updated_at"),
    },
    also={"product.id": "products.id", "product.name": "products.name"},
)
