"""The resource `/public/v1/reporting/reports`."""

from django.db.models import Case, CharField, IntegerField, Value, When
from django.db.models.functions import Concat

from api.resource import Resource
from api.shapes import Constant, events, reference
from modules.models import Report
from tokens.catalog import Module

# Progress is not measured: a report is either ready or not.
PROGRESS = Case(
    When(status=Report.Status.SUCCEEDED, then=Value(10)),
    default=Value(0),
    output_field=IntegerField(),
)
ENTRYPOINT = Concat(
    Value("reports."), "template__local_id", Value(".entrypoint.generate"), output_field=CharField()
)

REPORTS = Resource(
    "reporting/reports",
    Module.REPORTS,
    lambda caller: Report.objects.visible_to(caller).annotate(
        progress=PROGRESS, entrypoint=ENTRYPOINT
    ),
    about="Reports that the company has requested.",
    fields={
        "id": "id",
        "name": "name",
        "description": "description",
        "revision": Constant(1),
        "status": "status",
        "owner": reference("owner"),
        "template": {
            "id": "template_id",
            "name": "template__name",
            "description": "template__description",
            "type": "template__type",
            "specs_version": Constant("2"),
            "revision": Constant(1),
            "repository": {
                "id": Constant("RPR-000-000-001"),
                "name": Constant("Standard reports"),
                "git": {
                    "url": Constant("https://code.example/reports.git"),
                    "tag": Constant("1.0"),
                },
            },
            "entrypoint": "entrypoint",
            "local_id": "template__local_id",
        },
        "renderer": "renderer",
        "report_extension": "renderer",
        "report_size": "size",
        "timeout": "timeout",
        "failure_output": "failure_output",
        "schedule": {"id": "schedule_id", "name": "schedule_name"},
        "progress": {"value": "progress", "max": Constant(10)},
        "events": events(
            created="created_at",
            updated="updated_at",
            started="started_at",
            terminated="terminated_at",
        ),
    },
)
