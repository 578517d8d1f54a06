"""A resource of the API is declared once; its URLs, answers and description follow from that.

    CASES = Resource("helpdesk/cases", Module.HELPDESK, Case.objects.all().visible_to, fields={…}, filters=(…), …)

    @CASES.creates("subject", "description", required=("subject",))
    def create(caller, values): …

Conventions of the API that CloudBlue's clients rely on: bare arrays, `Content-Range` on every list, `limit` (100 unless
said, never more than 1000) and `offset`, the whole query string is RQL, moments as `2024-01-31T10:20:30+00:00`, empty
values left out.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import partial
from typing import Any, NamedTuple

from django.db.models import BooleanField, CharField, Field, FloatField, IntegerField, JSONField, Model, QuerySet, Subquery
from django.urls import URLPattern, re_path

from accounts.models import Account
from api import answers, rql
from api.answers import READ
from api.queries import PARENT, anybody
from api.shapes import Column, Computed, Constant, Path, Rows, Shape, leaves, trace_in
from portal.plans import annotation
from tokens.catalog import Module
from tokens.gate import Caller
from tokens.permissions import requires_module, requires_token

# By these every list can be ordered, if its records show them.
ORDERED = ("id", "name", "title", "subject", "status", "type", "state", "created", "events.created.at")

# What a value that is the same in every record is compared as. To Python, True is a number too.
CONSTANTS: "tuple[tuple[type, Field[Any, Any]], ...]" = (
    (str, CharField(blank=True)),
    (bool, BooleanField()),
    (int, IntegerField()),
    (float, FloatField()),
)

ID = "[A-Za-z0-9-]{1,64}"

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Write(NamedTuple):
    """A write of a resource: what it does, the names of the body it reads, and those it cannot do without."""

    run: Callable[..., Any]
    fields: "Mapping[str, Field[Any, Any]]"
    required: tuple[str, ...]
    about: str
    # Names that the answer has beside those of a record, as JSON Schemas.
    answers: Mapping[str, Any]
    # Names that the original takes and that are not there yet, with a sentence about each.
    not_yet: Mapping[str, Any]


class Resource:
    """A resource of the API: which rows an account sees, how each is shown, and what can be done with it."""

    def __init__(
        self,
        path: str,
        module: Module | None,
        rows: "Callable[..., QuerySet[Any]]",
        *,
        fields: Shape,
        ordering: tuple[str, ...] = (),
        search: tuple[str, ...] = (),
        also: Mapping[str, str] | None = None,
        foreign: Mapping[str, tuple[str, ...]] | None = None,
        nulls: tuple[str, ...] = (),
        parent: "Resource | None" = None,
        detail: bool = True,
        about: str,
    ) -> None:
        """Declare a resource.

        - `path` is its address below `/public/v1/`. Records that belong to another record have `parent`, whose id is `<parent>` in the path.
        - `module` is the grant it takes; None opens it to every valid token.
        - `rows` gives the rows that an account id (and the parent's id) may see. It must depend on nothing else, the
          clock included, because its SQL is kept.
        - What a record shows can be filtered by its name, and nothing else: a filter on anything hidden would tell it. `also`
          has more names for what is shown, as `{name: name of the field}`.
        - `ordering` has names beside those of ORDERED, by which every list can be ordered. `search` names fields.
        - `foreign` are values that only the original's records have: to ask for them is no mistake and finds nothing.
        - `nulls` are names for which the original has null in records such as these: to ask for null finds them all.
        - `detail=False` is for records without an address of their own.
        """
        self.path, self.module, self.rows, self.fields, self.detail, self.about = path, module, rows, fields, detail, about
        self.foreign, self.nulls, self.parent, self.search = foreign or {}, nulls, parent, search
        self.sample = self.visible(anybody(Account.Side.VENDOR), PARENT)
        self.model: type[Model] = self.sample.model
        self.columns = dict(leaves(fields))
        shown = dict(self.shown())
        named = {**shown, **{name: shown[field] for name, field in (also or {}).items()}}
        self.filter_names = tuple(named)
        self.ordering = tuple(name for name in named if name in {*ORDERED, *ordering} and self.is_column(named[name]))
        if unknown := {*ordering, *search} - {*self.ordering, *(name for name in named if name in search)}:
            raise ValueError(f"{path}: its records do not show {sorted(unknown)}.")
        self.filters = rql.build(self.model, named, self.ordering, search)
        self.writes: dict[str, Write] = {}
        self.actions: dict[str, Write] = {}

    def __repr__(self) -> str:
        return f"<Resource {self.path}>"

    def visible(self, caller: Caller, parent: str | None) -> "QuerySet[Any]":
        """The rows of an account, and of a parent if the resource has one."""
        return self.rows(caller, parent) if self.parent else self.rows(caller)

    # --- What is declared ---------------------------------------------------------------------

    def shown(self) -> Iterator[tuple[str, rql.Filter]]:
        """The names of what a record shows, with what they stand for; `list.name` for what the members of a list show."""
        for name, value in leaves(self.fields):
            if isinstance(value, Rows):
                for member, column in leaves(value.shape):
                    path = trace_in(value.rows, column)
                    if not isinstance(path.field, JSONField):
                        yield f"{name}.{member}", rql.Filter(path.lookup, path.field, among=value.rows, looked_up=True)
            elif isinstance(value, Constant):
                if field := next((field for kind, field in CONSTANTS if isinstance(value.value, kind)), None):
                    # Ordered by it, records are as they are when all are alike: by their ids.
                    yield name, rql.Filter("pk", field, constant=value.value)
            else:
                column = column_of(value)
                path = self.trace(column)
                if not isinstance(path.field, JSONField):
                    looked_up = isinstance(annotation(self.sample, column), Subquery)
                    field = self.with_foreign(name, path.field)
                    yield name, rql.Filter(path.lookup, field, looked_up=looked_up, nothing_there=name in self.nulls)

    def with_foreign(self, name: str, field: "Field[Any, Any]") -> "Field[Any, Any]":
        """The field of a name, which also knows the values that only the original's records have."""
        field = copy(field)
        if name in self.foreign:
            field.choices = [*(field.choices or ()), *((value, value) for value in self.foreign[name])]
        if name in self.nulls:
            field.null = True
        return field

    @staticmethod
    def is_column(at: rql.Filter) -> bool:
        """Whether a list can be ordered by it: of many values none is the one."""
        return at.among is None

    def trace(self, column: str) -> Path:
        """What stands behind a column of the model, or of the query."""
        return trace_in(self.sample, column)

    def creates(
        self,
        *names: str,
        required: tuple[str, ...] = (),
        answers: Mapping[str, Any] | None = None,
        not_yet: Mapping[str, Any] | None = None,
    ) -> Decorator:
        """Register `create(caller, values)`, which gives the new record's id; with a parent, `create(caller, parent, values)`.

        `values` are the names of the body that were sent, checked against their columns. The answer is 201 and the record; to answer
        with more, `create` gives the whole answer, and `answers` says what is in it besides. A body with a name of `not_yet` is
        refused with its sentence.
        """
        return partial(self.register, self.writes, "POST", names, required, answers=answers, not_yet=not_yet)

    def updates(self, *names: str, required: tuple[str, ...] = ()) -> Decorator:
        """Register `update(caller, record, values)`. The answer is the record."""
        return partial(self.register, self.writes, "PUT", names, required)

    def deletes(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Register `delete(caller, record)`. The answer is 204."""
        return self.register(self.writes, "DELETE", (), (), run)

    def deletes_listed(self, *names: str) -> Decorator:
        """Register `delete(caller, parent, listed)` at the resource's own address; the body is an object or a list. The answer is 204."""
        return partial(self.register, self.writes, "DELETE", names, ())

    def acts(self, name: str, *names: str, required: tuple[str, ...] = ()) -> Decorator:
        """Register `action(caller, record, values)` at `/<id>/<name>`. The answer is the record."""
        return partial(self.register, self.actions, name, names, required)

    def register(
        self,
        where: dict[str, Write],
        key: str,
        names: tuple[str, ...],
        required: tuple[str, ...],
        run: Callable[..., Any],
        answers: Mapping[str, Any] | None = None,
        not_yet: Mapping[str, Any] | None = None,
    ) -> Callable[..., Any]:
        fields = {name: self.trace(column_of(self.columns[name])).field for name in names}
        where[key] = Write(run, fields, required, " ".join((run.__doc__ or "").split()), answers or {}, not_yet or {})
        return run

    def methods(self) -> tuple[str, ...]:
        """What the resource's own address answers."""
        here = ("POST",) if self.detail else ("POST", "DELETE")
        return (*READ, *(method for method in here if method in self.writes))

    def record_methods(self) -> tuple[str, ...]:
        """What the address of a record answers."""
        return (*READ, *(method for method in ("PUT", "DELETE") if method in self.writes))

    def urls(self) -> list[URLPattern]:
        """The addresses, with and without a final slash, since a redirect would turn POST into GET.

        The slash after `v1` may be doubled: clients write it so when their endpoint ends in one.
        """
        start = "^v1//?" + self.path.replace("<parent>", f"(?P<parent>{ID})")
        guard = requires_module(self.module) if self.module else requires_token
        answer_list = guard(partial(answers.answer_list, self))
        patterns = [re_path(f"{start}/?$", answer_list, name=self.path)]
        start += f"/(?P<pk>{ID})"
        if self.detail:
            answer_record = guard(partial(answers.answer_record, self))
            patterns.append(re_path(f"{start}/?$", answer_record, name=f"{self.path}/<id>"))
        for name in self.actions:
            answer_action = guard(partial(answers.answer_action, self, name))
            patterns.append(re_path(f"{start}/{name}/?$", answer_action, name=f"{self.path}/<id>/{name}"))
        return patterns


def column_of(value: Any) -> str:
    """The column that a field of a shape stands for."""
    if isinstance(value, Computed):
        return value.column
    return value.name if isinstance(value, Column) else str(value)
