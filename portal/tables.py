"""Tables for lists: chosen columns, order, and pagination that stays fast for long lists."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import django_tables2 as tables
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django_tables2.columns import BoundColumn

from portal.http import next_url, whole


class CappedPage(Page):
    """A page that does not need to know the total number of pages."""

    paginator: "CappedPaginator"

    def has_next(self) -> bool:
        return self.number < self.paginator.num_pages or (
            self.paginator.capped and len(self.object_list) == self.paginator.per_page
        )

    # Django's version asks the paginator whether the number is valid, which it does not know beyond
    # the cap.
    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1

    def end_index(self) -> int:
        return self.start_index() + max(len(self.object_list) - 1, 0)


class CappedPaginator(Paginator):
    """A paginator that counts at most `cap` rows: counting a million costs more than the page.

    An invalid page number gives page 1, and one beyond the end the last page.
    """

    cap = 10_000

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            # Without the order and what is annotated: both cost as much as the page.
            return self.object_list.order_by().values("pk")[: self.cap + 1].count()
        return len(self.object_list)

    @property
    def capped(self) -> bool:
        return self.count > self.cap

    @property
    def total(self) -> str:
        """`42`, or `10,000+` when there are more."""
        return f"{self.cap:,}+" if self.capped else f"{self.count:,}"

    def get_page(self, number: Any) -> CappedPage:
        """Return the requested page, or the nearest one that exists.

        Beyond the cap there may be more pages than were counted, so look for rows there.
        """
        wanted = min(whole(str(number), 1), 10**9)
        if wanted > self.num_pages and self.capped:
            rows = self.rows_of(wanted)
            if rows:
                return CappedPage(rows, wanted, self)
        wanted = min(max(wanted, 1), self.num_pages)
        return CappedPage(self.rows_of(wanted), wanted, self)

    def rows_of(self, number: int) -> list[Any]:
        """Return the rows of a page.

        Their keys are selected first, from the index alone; otherwise skipped rows are joined too.
        """
        window = slice((number - 1) * self.per_page, number * self.per_page)
        if isinstance(self.object_list, QuerySet):
            keys = self.object_list.select_related(None).prefetch_related(None).values("pk")[window]
            return list(self.object_list.filter(pk__in=keys))
        return list(self.object_list[window])


class Row(NamedTuple):
    """A row of a table: a record, and the cells that the table makes of it."""

    table: "Table"
    record: Any

    def items(self) -> list[tuple[BoundColumn, Any]]:
        """Return the shown columns, each with its cell.

        The rows of django-tables2 find out for every cell how to make it, which takes as long as
        making it.
        """
        return [(column, column.cell_of(self.record)) for column in self.table.shown]


class Table(tables.Table):
    """A table that shows what the query string says (`columns`, `sort`, `page`, `per_page`).

    What the query string lacks comes from the person's remembered choices, then from the class.
    Invalid values are ignored, so no URL can break a list. Every column needs a `render_…` method,
    which makes the cell of a record. Every orderable column must set `order_by=(…, "pk")` or have
    an `order_…` method that ends with the key, or equal rows would move between pages.
    """

    page_sizes: ClassVar[Sequence[int]] = (10, 20, 50, 100)
    always: Sequence[str] = ()
    default_columns: ClassVar[Sequence[str]] = ()
    default_sort: ClassVar[str] = ""
    # The column that names the row, if not the first; a name for the style sheet.
    row_header: ClassVar[str] = ""
    kind: ClassVar[str] = ""
    # The row whose details are shown, and the template for them.
    opened: Any = None
    detail_template: ClassVar[str] = ""

    class Meta:
        order_by_field = "sort"

    page: CappedPage

    def configure(
        self, request: HttpRequest, choices: Mapping[str, Any], *, paginate: bool = True
    ) -> None:
        """Apply the query string, else `choices` with the same names, else the defaults."""
        self.choose_columns(
            request.GET["columns"].split(",")
            if "columns" in request.GET
            else choices.get("columns")
        )
        self.choose_order(request.GET.get("sort"), choices.get("sort"), self.default_sort)
        wishes = (request.GET.get("per_page"), str(choices.get("per_page")))
        per_page = next(
            (size for wish in wishes for size in self.page_sizes if wish == str(size)),
            self.page_sizes[0],
        )
        if not paginate:
            per_page = max(len(self.data), 1)
        self.page = CappedPaginator(self.prepare(self.data.data), per_page).get_page(
            request.GET.get("page", 1)
        )
        self.page.object_list = [Row(self, record) for record in self.page.object_list]

    def prepare(self, data: Any) -> Any:
        """Add to the data what the chosen columns need; called once they are chosen."""
        return data

    def choose_columns(self, chosen: Any) -> None:
        listed = chosen if isinstance(chosen, list) else []
        known = [name for name in listed if isinstance(name, str) and name in self.columns]
        shown = {*self.always, *(known or self.default_columns)}
        for column in self.columns.all():
            if column.name in shown:
                self.columns.show(column.name)
            else:
                self.columns.hide(column.name)
        self.shown: list[BoundColumn] = [*self.columns]
        for column in self.shown:
            column.title = str(column.header)
            column.cell_of = getattr(self, f"render_{column.name}")
            column.heads_row = column.name == (self.row_header or self.shown[0].name)

    def choose_order(self, *wishes: Any) -> None:
        """Apply the first wish that names an orderable column, and set the links of the headers."""
        for wish in wishes:
            name = wish.removeprefix("-") if isinstance(wish, str) else ""
            if name in self.columns and self.columns[name].orderable:
                self.order_by = wish
                break
        for column in self.columns.all():
            alias = column.order_by_alias
            column.sorted = (
                ""
                if not column.is_ordered
                else "descending"
                if alias.is_descending
                else "ascending"
            )
            column.next_sort = str(alias.opposite) if column.is_ordered else column.name

    def sorts(self) -> list[dict[str, Any]]:
        """Return the orders that the header cells offer, for the select shown instead on phones."""
        directions = (("", _("%(column)s, ascending")), ("-", _("%(column)s, descending")))
        return [
            {
                "value": f"{sign}{column.name}",
                "label": text % {"column": column.header},
                "chosen": column.sorted == ("descending" if sign else "ascending"),
            }
            for column in self.columns.all()
            if column.orderable
            for sign, text in directions
        ]

    def template_context(self) -> dict[str, Any]:
        """Return the context that the templates around a table need: pager and column chooser."""
        return {
            "table": self,
            "page": self.page,
            "total_text": self.page.paginator.total,
            "page_sizes": self.page_sizes,
            "sorts": self.sorts(),
            "per_page": self.page.paginator.per_page,
            "columns": [
                {
                    "name": column.name,
                    "label": column.header,
                    "shown": column.visible,
                    "locked": column.name in self.always,
                }
                for column in self.columns.all()
                if column.name != "actions"
            ],
        }


def actions_column() -> tables.Column:
    """Return the last column, with the row menu; its header is for screen readers only."""
    return tables.Column(verbose_name=_("Actions"), orderable=False)


def save_layout(request: Any, topic: str, table: type[Table], default: str) -> HttpResponse:
    """Save the choices made in a table's header, pager or column chooser; redirect to the list.

    The URL of the list then contains them.
    """
    target = urlsplit(next_url(request, default))
    query = parse_qs(target.query, keep_blank_values=True)
    query.pop("page", None)
    names = [name for name in table.base_columns if name != "actions"]
    sort, per_page = request.POST.get("sort", ""), whole(request.POST.get("per_page"), 0)
    chosen: dict[str, Any] = {}
    if "reset" in request.POST:
        chosen = {"columns": None, "sort": None, "per_page": None}
    elif "columns_sent" in request.POST:
        chosen["columns"] = [
            name for name in names if name in {*request.POST.getlist("columns"), *table.always}
        ]
    elif sort.removeprefix("-") in names:
        chosen["sort"] = sort
    elif per_page in table.page_sizes:
        chosen["per_page"] = per_page
    for name, value in chosen.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [",".join(value) if isinstance(value, list) else str(value)]
    if chosen:
        request.user.remember(topic, **chosen)
    return redirect(f"{target.path}?{urlencode(query, doseq=True)}" if query else target.path)
