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

    extension = tables.Column(gettext_lazy("Extension"))
    tokens = tables.Column(gettext_lazy("Tokens"))
    makers = tables.Column(gettext_lazy("Created by"))
    last_call = tables.Column(gettext_lazy("Last call"))

    default_columns: ClassVar[Sequence[str]] = ("extension", "tokens", "makers", "last_call")
    kind = "installed"

    class Meta(Table.Meta):
        orderable = False

    def render_extension(self, record: Installed) -> SafeString:
        row = record.card.extension
        return format_html(
            '<span class="with-tile">{}<span class="two"><a class="one" href="{}">{}</a>'
            '<span class="sub">{}</span></span></span>',
            tile(row),
            reverse("extensions:detail", args=(row.pk,)),
            row.label,
            row.pk if row.is_published else _("%(id)s, no longer in the catalog") % {"id": row.pk},
        )

    def render_tokens(self, record: Installed) -> SafeString:
        card = record.card
        link = format_html(
            '<a href="{}?extension={}">{}</a>',
            reverse("tokens:list"),
            card.extension.pk,
            card.tokens_text,
        )
        return two_lines(link, card.reach)

    def render_makers(self, record: Installed) -> str:
        return join_some(record.makers, 3) if record.makers else "–"

    def render_last_call(self, record: Installed) -> SafeString | str:
        return ago(record.last_call)


class UsersTable(TokenTable):
    """The tokens of an account for one extension, the newest first."""

    default_columns: ClassVar[Sequence[str]] = ("label", "created", "last_used", "status")

    class Meta(TokenTable.Meta):
        orderable = False

    def choose_columns(self, chosen: Any) -> None:
        # Those of the class, whatever the address says.
        super().choose_columns(None)
