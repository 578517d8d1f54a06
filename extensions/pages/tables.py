"""The tables of the section Extensions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from extensions.catalog import Card
from portal.html import ago, two_lines
from portal.tables import Table
from portal.text import join_some
from tokens.pages.tables import TokenTable, tile


class Installed(NamedTuple):
    """An extension that tokens of the account are for."""

    card: Card
    makers: list[str]
    last_call: datetime | None


class InstalledTable(Table):
    """What an account uses, by whom, and when it called last."""

    extension = tables.Column(gettext_lazy("Extension"), accessor="card")
    tokens = tables.Column(gettext_lazy("Tokens"), accessor="card")
    makers = tables.Column(gettext_lazy("Created by"), empty_values=())
    last_call = tables.Column(gettext_lazy("Last call"), empty_values=())

    default_columns: ClassVar[Sequence[str]] = ("extension", "tokens", "makers", "last_call")
    kind = "installed"

    class Meta(Table.Meta):
        orderable = False

    def render_extension(self, value: Card) -> SafeString:
        row = value.extension
        return format_html(
            '<span class="with-tile">{}<span class="two"><a class="one" href="{}">{}</a>'
            '<span class="sub">{}</span></span></span>',
            tile(row),
            reverse("extensions:detail", args=(row.pk,)),
            row.label,
            row.pk if row.is_published else _("%(id)s, no longer in the catalog") % {"id": row.pk},
        )

    def render_tokens(self, value: Card) -> SafeString:
        link = format_html(
            '<a href="{}?extension={}">{}</a>',
            reverse("tokens:list"),
            value.extension.pk,
            value.tokens_text,
        )
        return two_lines(link, value.reach)

    def render_makers(self, value: list[str]) -> str:
        return join_some(value, 3) if value else "–"

    def render_last_call(self, value: datetime | None) -> SafeString | str:
        return ago(value)


class UsersTable(TokenTable):
    """The tokens of an account for one extension, the newest first."""

    default_columns: ClassVar[Sequence[str]] = ("label", "created", "last_used", "status")

    class Meta(TokenTable.Meta):
        orderable = False

    def choose_columns(self, chosen: Any) -> None:
        # Those of the class, whatever the address says.
        super().choose_columns(None)
