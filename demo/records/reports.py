"""Reports and their templates."""

from datetime import datetime, timedelta

from django.utils import timezone

from demo.companies import People
from demo.records.base import add, day, sample_id, seeded
from modules.models import Report, ReportTemplate

TEMPLATES = (
    (
        "TPL-100-000-001",
        "Listings",
        "Products on sale in each marketplace.",
        ReportTemplate.Type.SYSTEM,
        "listings",
    ),
    (
        "TPL-100-000-002",
        "Fulfillment Requests",
        "Requests in a period with their results.",
        ReportTemplate.Type.SYSTEM,
        "fulfillment_requests",
    ),
    (
        "TPL-100-000-003",
        "Subscriptions",
        "Subscriptions with customers and quantities.",
        ReportTemplate.Type.SYSTEM,
        "subscriptions",
    ),
    (
        "TPL-100-000-004",
        "Usage Files",
        "Usage files in a period with their amounts.",
        ReportTemplate.Type.SYSTEM,
        "usage_files",
    ),
    (
        "TPL-200-000-001",
        "Review of the Quarter",
        "Figures for partner reviews.",
        ReportTemplate.Type.CUSTOM,
        "quarter_review",
    ),
)
FAILURES = (
    "The report took longer than an hour and was stopped.",
    "There are no records in the period.",
)


def reports(people: People) -> None:
    """Add five reports of each company, one of each status.

    The times of unfinished reports count back from the first run, so that they look current.
    """
    add(
        ReportTemplate(id=id, name=name, description=text, type=kind, local_id=local)
        for id, name, text, kind, local in TEMPLATES
    )
    now = timezone.now().replace(microsecond=0)
    add(report(account, number, now) for account in people for number in range(5))


def report(account: str, number: int, now: datetime) -> Report:
    draw = seeded(f"report {account} {number}")
    statuses = Report.Status
    status = (
        statuses.SUCCEEDED,
        statuses.FAILED,
        statuses.RUNNING,
        statuses.DEPLOYING,
        statuses.PENDING,
    )[number]
    template, name, description, kind, _ = TEMPLATES[(number + int(account[-1])) % len(TEMPLATES)]
    monthly = kind == ReportTemplate.Type.SYSTEM
    ended = status in {statuses.SUCCEEDED, statuses.FAILED}
    timeout = status == statuses.FAILED and draw.random() < 0.5
    created = (
        day(2024, draw.randint(1, 9), draw.randint(1, 28), 5, 30)
        if ended
        else now - timedelta(minutes=12 - 2 * number)
    )
    started = created + timedelta(minutes=3) if ended or status == statuses.RUNNING else None
    terminated = (
        created + timedelta(minutes=63 if timeout else draw.randint(4, 30)) if ended else None
    )
    return Report(
        id=sample_id(draw, "REP", 3, 3, 3),
        name=f"Monthly {name}" if monthly else name,
        description=description,
        owner_id=account,
        template_id=template,
        schedule_id=sample_id(draw, "SCH", 3, 3, 3),
        schedule_name="First day of the month" if monthly else "First day of the quarter",
        status=status,
        renderer=draw.choice(("xlsx", "xlsx", "csv", "json")),
        size=draw.randint(8_000, 900_000) if status == statuses.SUCCEEDED else None,
        timeout=timeout,
        failure_output=FAILURES[0 if timeout else 1] if status == statuses.FAILED else "",
        created_at=created,
        updated_at=terminated or started or created,
        started_at=started,
        terminated_at=terminated,
    )
