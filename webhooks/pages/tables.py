"""The tables of the section Webhooks: webhooks, and the deliveries of one."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import get_template
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.html import ago, day_and_time, icon, two_lines
from portal.tables import Table, actions_column
from tokens.html import actor
from webhooks.models import Delivery, Webhook
from webhooks.standing import (
    DeliveryStanding,
    Mark,
    Standing,
    fires_on,
    product_words,
    standings,
)


def marked(mark: Mark, note: Any = None) -> SafeString:
    """Return a state as an icon and a word, so that it does not depend on colour."""
    words = two_lines(mark.word, mark.note if note is None else note)
    if not mark.icon:
        return words
    return format_html(
        '<span class="status status-{}">{}{}</span>',
        mark.icon,
        icon(f"status-{mark.icon}", 16),
        words,
    )


class WebhookTable(Table):
    """The webhooks of an account."""

    label = tables.Column(gettext_lazy("Label"), order_by=("label_key", "pk"))
    fires = tables.Column(gettext_lazy("Fires on"), order_by=("object_class", "pk"))
    endpoint = tables.Column(gettext_lazy("Endpoint"), order_by=("external_url", "pk"))
    last_delivery = tables.Column(gettext_lazy("Last delivery"))
    status = tables.Column(gettext_lazy("Status"), order_by=("active", "paused_at"))
    created = tables.Column(gettext_lazy("Created"), order_by=("created_at", "pk"))
    updated = tables.Column(gettext_lazy("Updated"))
    actions = actions_column()

    always: Sequence[str] = ("label",)
    default_columns: ClassVar[Sequence[str]] = (
        "label",
        "fires",
        "endpoint",
        "last_delivery",
        "status",
    )
    default_sort = "-last_delivery"
    kind = "hooks"

    class Meta(Table.Meta):
        sequence = (
            "label",
            "fires",
            "endpoint",
            "last_delivery",
            "status",
            "created",
            "updated",
            "actions",
        )

    def __init__(self, webhooks: Any, *, may_manage: bool) -> None:
        super().__init__(webhooks)
        self.may_manage = may_manage
        if may_manage:
            self.always = ("label", "actions")

    def configure(self, request: HttpRequest, choices: Any, *, paginate: bool = True) -> None:
        self.request = request
        self.menu, self.csrf_token = get_template("webhooks/menu.html"), get_token(request)
        super().configure(request, choices, paginate=paginate)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """The standings of the webhooks on this page, by id."""
        shown = [row.record for row in self.page.object_list]
        return standings(shown, may_manage=self.may_manage)

    def render_label(self, record: Webhook) -> SafeString:
        return format_html(
            '<span class="two"><a class="one" href="{}">{}</a><span class="sub">{}</span></span>',
            reverse("webhooks:detail", args=(record.pk,)),
            record.label,
            record.pk,
        )

    def render_fires(self, record: Webhook) -> SafeString:
        kind, when = fires_on(record)
        product = product_words(record)[0]
        return two_lines(kind, product if record.fires else f"{product}, {when}")

    def render_endpoint(self, record: Webhook) -> SafeString:
        path = format_html(
            '<span class="method-tag">{}</span> {}', record.http_method, shorten(record)
        )
        # A long name breaks after its dots.
        parts = re.split(r"(?<=\.)", record.endpoint_host)
        host = format_html_join("", "{}<wbr>", ((part,) for part in parts))
        return two_lines(host, path)

    def render_last_delivery(self, record: Webhook) -> SafeString:
        standing = self.standings[record.pk]
        done = standing.last.done_at if standing.last else None
        return marked(standing.last_delivery, ago(done) if done else None)

    def render_status(self, record: Webhook) -> SafeString:
        return marked(self.standings[record.pk].status)

    def render_created(self, record: Webhook) -> SafeString:
        return two_lines(day_and_time(record.created_at), actor(record.created_by, record))

    def render_updated(self, record: Webhook) -> SafeString:
        return two_lines(day_and_time(record.updated_at), actor(record.updated_by, record))

    def render_actions(self, record: Webhook) -> str:
        context = {
            "webhook": record,
            "standing": self.standings[record.pk],
            "with_edit": True,
            "request": self.request,
            "csrf_token": self.csrf_token,
        }
        return self.menu.render(context)

    def order_status(
        self,
        webhooks: QuerySet[Webhook],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Webhook], bool]:
        """Active ones first, then those that are paused, then the others."""
        if is_descending:
            return webhooks.order_by("active", F("paused_at").desc(nulls_last=True), "-pk"), True
        return webhooks.order_by("-active", F("paused_at").asc(nulls_first=True), "pk"), True

    # --- Orders with the empty values last, on both databases ---------------------------------

    def order_last_delivery(
        self,
        webhooks: QuerySet[Webhook],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Webhook], bool]:
        return ordered(webhooks, "last_delivery_at", is_descending), True

    def order_updated(
        self,
        webhooks: QuerySet[Webhook],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Webhook], bool]:
        return ordered(webhooks, "updated_at", is_descending), True


def ordered(rows: QuerySet[Any], name: str, is_descending: bool) -> QuerySet[Any]:  # noqa: FBT001
    if is_descending:
        return rows.order_by(F(name).desc(nulls_last=True), "-pk")
    return rows.order_by(F(name).asc(nulls_last=True), "pk")


def shorten(webhook: Webhook, most: int = 60) -> str:
    """Return the path of the endpoint, cut where it is long."""
    path = webhook.endpoint_path
    return path if len(path) <= most else f"{path[: most - 1]}…"


class DeliveryTable(Table):
    """The deliveries of a webhook, newest first."""

    event = tables.Column(gettext_lazy("Event"), orderable=False)
    when = tables.Column(gettext_lazy("When"), order_by=("created_at", "id"))
    result = tables.Column(gettext_lazy("Result"), orderable=False)
    next_try = tables.Column(gettext_lazy("Next try"), orderable=False)
    tries = tables.Column(gettext_lazy("Tries"), orderable=False)

    always: Sequence[str] = ("event", "when", "result", "next_try", "tries")
    default_columns = always
    default_sort = "-when"
    kind = "deliveries"
    detail_template = "webhooks/opened.html"
    # The context of the opened delivery's details.
    entry: dict[str, Any]

    class Meta(Table.Meta):
        sequence = ("event", "when", "result", "next_try", "tries")

    def configure(self, request: HttpRequest, choices: Any, *, paginate: bool = True) -> None:
        self.query, self.open_id = request.GET, request.GET.get("open", "")
        super().configure(request, choices, paginate=paginate)

    @cached_property
    def opened(self) -> Delivery | None:
        """The delivery of this page that is shown with its details, if any."""
        shown = (row.record for row in self.page.object_list)
        return next((each for each in shown if each.pk == self.open_id), None)

    def render_event(self, record: Delivery) -> SafeString:
        first, second = DeliveryStanding(record).what
        name = first or record.event.get_object_class_display()
        is_open = record.pk == self.open_id
        query = self.query.copy()
        query.pop("open", None)
        if not is_open:
            query["open"] = record.pk
        return format_html(
            '<span class="opens"><a class="disclose" id="open-{0}" href="?{1}#open-{0}" '
            'hx-get="?{1}" role="button" aria-expanded="{2}" aria-label="{3}">{4}</a>'
            '<span class="two"><a class="one" href="{5}">{6}</a><span class="sub">{7}</span></span>'
            "</span>",
            record.pk,
            query.urlencode(),
            "true" if is_open else "false",
            _("Details of %(name)s") % {"name": name},
            icon("chevron-right", 16),
            reverse("webhooks:delivery", args=(record.webhook_id, record.pk)),
            name,
            second,
        )

    def render_when(self, record: Delivery) -> SafeString:
        return two_lines(day_and_time(record.created_at), record.pk)

    def render_result(self, record: Delivery) -> SafeString:
        return marked(DeliveryStanding(record, record.milliseconds).mark)  # type: ignore[attr-defined]

    def render_next_try(self, record: Delivery) -> SafeString:
        standing = DeliveryStanding(record)
        return two_lines(standing.next_try, standing.next_note)

    def render_tries(self, record: Delivery) -> SafeString:
        return two_lines(*DeliveryStanding(record).tries)
