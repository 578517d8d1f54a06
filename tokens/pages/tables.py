"""The tables of the Tokens section: tokens, and the modules of one token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import get_template
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import text
from portal.html import ago, day_and_time, icon, two_lines
from portal.tables import Table, actions_column
from tokens.catalog import Module
from tokens.html import actor, extension_icon
from tokens.models import Extension, Grant, Token
from tokens.standing import Standing


def status_mark(value: str, label: Any, note: Any = "") -> SafeString:
    """Return a status as an icon and a word, so that it does not depend on colour."""
    return format_html(
        '<span class="status status-{}">{}{}</span>',
        value,
        icon(f"status-{value}", 16),
        two_lines(label, note),
    )


class TokenTable(Table):
    label = tables.Column(gettext_lazy("Label"), order_by=("name_key", "pk"))
    extension = tables.Column(
        gettext_lazy("Extension"), order_by=("extension_id", "-created_at", "-pk")
    )
    external_id = tables.Column(gettext_lazy("External ID"), order_by=("external_id_key", "pk"))
    modules = tables.Column(gettext_lazy("Modules"))
    created = tables.Column(gettext_lazy("Created"), order_by=("created_at", "pk"))
    updated = tables.Column(gettext_lazy("Updated"), order_by=("updated_at", "pk"))
    last_used = tables.Column(gettext_lazy("Last used"))
    expires = tables.Column(gettext_lazy("Expires"))
    status = tables.Column(gettext_lazy("Status"))
    restorable = tables.Column(
        gettext_lazy("Can be restored"), order_by=("status_changed_at", "pk")
    )
    actions = actions_column()

    always: Sequence[str] = ("label",)
    default_columns: ClassVar[Sequence[str]] = (
        "label",
        "extension",
        "created",
        "last_used",
        "status",
    )
    default_sort = "-created"

    class Meta(Table.Meta):
        sequence = (
            "label",
            "extension",
            "external_id",
            "modules",
            "created",
            "updated",
            "last_used",
            "expires",
            "status",
            "restorable",
            "actions",
        )

    def __init__(self, tokens: QuerySet[Token] | list[Token], *, may_manage: bool) -> None:
        super().__init__(tokens)
        # Members who cannot manage tokens have no row menu.
        self.may_manage = may_manage
        if may_manage:
            self.always = ("label", "actions")

    def configure(self, request: HttpRequest, choices: Any, *, paginate: bool = True) -> None:
        self.request = request
        # Loaded once for all rows, and rendered without the context processors of a page, which
        # would run for every row.
        self.menu, self.csrf_token = get_template("partials/token_menu.html"), get_token(request)
        self.restore = get_template("partials/restore.html")
        super().configure(request, choices, paginate=paginate)

    def prepare(self, data: QuerySet[Token]) -> QuerySet[Token]:
        return data.prefetch_related("permissions") if self.columns["modules"].visible else data

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """The standings of the tokens on this page, by id."""
        shown = [row.record for row in self.page.object_list]
        return {token.pk: Standing(token, self.may_manage) for token in shown}

    def render_label(self, record: Token) -> SafeString:
        return format_html(
            '<span class="two"><a class="one" href="{}">{}</a><span class="sub">{}</span></span>',
            reverse("tokens:detail", args=(record.pk,)),
            record.name,
            record.pk,
        )

    def render_extension(self, record: Token) -> SafeString:
        extension = record.extension
        return format_html(
            '<span class="with-tile">{}{}</span>',
            tile(extension),
            two_lines(extension.label, extension.pk),
        )

    def render_external_id(self, record: Token) -> str:
        return record.external_id or "—"

    def render_modules(self, record: Token) -> SafeString:
        access = record.access
        return two_lines(
            access.summary, "" if access.all else text.join(access.reach) if access.reach else ""
        )

    def render_created(self, record: Token) -> SafeString:
        return two_lines(day_and_time(record.created_at), actor(record.created_by, record))

    def render_updated(self, record: Token) -> SafeString:
        return two_lines(day_and_time(record.updated_at), actor(record.updated_by, record))

    def render_last_used(self, record: Token) -> SafeString:
        return two_lines(ago(record.last_used_at))

    def render_expires(self, record: Token) -> SafeString:
        expires_at = record.expires_at
        return two_lines(day_and_time(expires_at) if expires_at else _("Never"))

    def render_status(self, record: Token) -> SafeString:
        standing = self.standings[record.pk]
        return status_mark(standing.mark, standing.label, standing.note)

    def render_restorable(self, record: Token) -> SafeString:
        return two_lines(*self.standings[record.pk].restorable)

    def render_actions(self, record: Token) -> str:
        standing = self.standings[record.pk]
        context = {
            "token": record,
            "standing": standing,
            "with_edit": True,
            "request": self.request,
            "csrf_token": self.csrf_token,
        }
        if standing.offers_edit:
            return self.menu.render(context)
        return self.restore.render(context) if standing.offers_restore else ""

    # --- Orders that a column name cannot express -------------------------------------------------
    # Databases sort nulls differently; here they are always last.

    def order_modules(
        self,
        tokens: QuerySet[Token],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Token], bool]:
        grants = Grant.objects.filter(token=OuterRef("pk")).order_by()
        weight = Case(When(module=Module.ALL, then=Value(len(Module))), default=Value(1))
        reach = grants.values("token").annotate(total=Sum(weight)).values("total")
        order = Subquery(reach)
        by_reach = order.desc(nulls_last=True) if is_descending else order.asc(nulls_last=True)
        return tokens.order_by(by_reach, directed("pk", is_descending)), True

    def order_last_used(
        self,
        tokens: QuerySet[Token],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Token], bool]:
        return tokens.order_by(
            directed("usage__last_used_at", is_descending), directed("pk", is_descending)
        ), True

    def order_expires(
        self,
        tokens: QuerySet[Token],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Token], bool]:
        return tokens.order_by(
            directed("expires_at", is_descending), directed("pk", is_descending)
        ), True

    def order_status(
        self,
        tokens: QuerySet[Token],
        is_descending: bool,  # noqa: FBT001
    ) -> tuple[QuerySet[Token], bool]:
        return tokens.order_by(
            "-status" if is_descending else "status",
            directed("expires_at", is_descending),
            directed("pk", is_descending),
        ), True


class DeletedTable(TokenTable):
    """The list of deleted tokens alone: until when each can be restored, the latest first."""

    default_columns: ClassVar[Sequence[str]] = ("label", "extension", "status", "restorable")
    default_sort = "-restorable"

    class Meta(TokenTable.Meta):
        pass


def directed(name: str, descending: bool) -> Any:  # noqa: FBT001
    return F(name).desc(nulls_last=True) if descending else F(name).asc(nulls_last=True)


def tile(extension: Extension) -> SafeString:
    """Return the coloured square of an extension."""
    return format_html(
        '<span class="tile {}">{}</span>', extension.tile, extension_icon(extension, 18)
    )


class ModuleRow:
    """A row of the Permissions tab: a module, its grant if any, and what that means now."""

    def __init__(self, module: Module, grants: dict[str, Grant], standing: Standing) -> None:
        self.module = module
        self.grant = grants.get(module) or grants.get(Module.ALL)
        self.mark = standing.module_marks[self.enabled]

    @property
    def enabled(self) -> bool:
        return self.grant is not None

    @property
    def granted_at(self) -> datetime | None:
        return self.grant.granted_at if self.grant else None

    @property
    def label(self) -> str | Promise:
        return self.module.label


class PermissionTable(Table):
    module = tables.Column(gettext_lazy("Module"), orderable=False)
    status = tables.Column(gettext_lazy("Status"), orderable=False)
    granted = tables.Column(gettext_lazy("Granted"), orderable=False)

    always = ("module",)
    default_columns = ("module", "status", "granted")

    def render_module(self, record: ModuleRow) -> SafeString:
        return two_lines(record.label, record.module.covers)

    def render_status(self, record: ModuleRow) -> SafeString:
        return status_mark(*record.mark)

    def render_granted(self, record: ModuleRow) -> SafeString | str:
        grant = record.grant
        return (
            two_lines(day_and_time(grant.granted_at), actor(grant.granted_by, grant.token))
            if grant
            else "–"
        )
