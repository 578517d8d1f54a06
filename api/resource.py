"""Resources of the API: declared once, with URLs, answers and description derived from that.

    CASES = Resource("helpdesk/cases", Module.HELPDESK, cases, fields={…}, ordering=(…), …)

    @CASES.creates("subject", "description", required=("subject",))
    def create(caller, values): …

The API keeps the conventions that the clients of CloudBlue Connect rely on: lists are bare arrays
with a `Content-Range` header, `limit` (default 100, maximum 1000) and `offset` page through them,
the whole query string is RQL, dates and times are written `2024-01-31T10:20:30+00:00`, and empty
values are left out.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import partial
from typing import Any, NamedTuple

from django.db.models import (
    BooleanField,
    CharField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    Q,
    QuerySet,
    Subquery,
)
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

# The fields that constants are compared as. In Python True is an int, so bool comes before int.
CONSTANTS: "tuple[tuple[type, Field[Any, Any]], ...]" = (
    (str, CharField(blank=True)),
    (bool, BooleanField()),
    (int, IntegerField()),
    (float, FloatField()),
)

ID = "[A-Za-z0-9-]{1,64}"

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Write(NamedTuple):
    """A write of a resource: its function, the body names it reads, and the required ones."""

    run: Callable[..., Any]
    fields: "Mapping[str, Field[Any, Any]]"
    required: tuple[str, ...]
    about: str
    # Names in the answer besides those of a record, with their JSON Schemas.
    answers: Mapping[str, Any]
    # Of an action: the method, and the status of the answer, which has no body if it is 204.
    method: str = "POST"
    status: int = 200


class Resource:
    """A resource of the API: the rows an account sees, how each is shown, and the writes.

    - `path` is its address below `/public/v1/`. Records that belong to another record have
      a `parent`, whose id is `<parent>` in the path.
    - `module` is the module that a token needs; None admits every valid token. Each module of
      `others` will do as well: `queryset` says which of the records the token sees.
    - `queryset(caller)`, or `queryset(caller, parent)`, returns the rows that the caller may
      see. It must depend on nothing else, not even the clock, because its SQL is kept.
    - Records can be filtered and ordered by whatever they show and by nothing else: a hidden
      column would be disclosed. Several values in a record give no order, so lists in it are left
      out there. `also` adds aliases, as `{alias: name of the field}`.
    - `search` names the fields that are searched.
    - `foreign` has values that only Connect's records have: a filter for one of them is not
      an error and finds nothing.
    - `nulls` names fields that are null in Connect for records such as these: a filter for
      null finds all of them.
    - `noted(caller)` is called for each answer that has records, where reading is recorded.
    - `known_as` is a column by which a record can be called instead of by its id.
    - `detail=False` is for records without an address of their own.

    Raises ValueError if `search` names something that the records do not show.
    """

    def __init__(
        self,
        path: str,
        module: Module | None,
        queryset: "Callable[..., QuerySet[Any]]",
        *,
        fields: Shape,
        search: tuple[str, ...] = (),
        also: Mapping[str, str] | None = None,
        foreign: Mapping[str, tuple[str, ...]] | None = None,
        nulls: tuple[str, ...] = (),
        others: tuple[Module, ...] = (),
        known_as: str = "",
        parent: "Resource | None" = None,
        detail: bool = True,
        noted: Callable[[Caller], object] | None = None,
        about: str,
    ) -> None:
        self.path, self.module, self.queryset, self.fields = path, module, queryset, fields
        self.detail, self.noted, self.about = detail, noted, about
        self.others, self.known_as = others, known_as
        self.foreign, self.nulls, self.parent, self.search = foreign or {}, nulls, parent, search
        self.sample = self.visible(anybody(Account.Side.VENDOR), PARENT)
        self.model: type[Model] = self.sample.model
        self.columns = dict(leaves(fields))
        shown = dict(self.shown())
        named = {**shown, **{name: shown[field] for name, field in (also or {}).items()}}
        self.filter_names = tuple(named)
        self.ordering = tuple(name for name, at in named.items() if at.among is None)
        if unknown := {*search} - {*named}:
            raise ValueError(f"{path}: its records do not show {sorted(unknown)}.")
        self.filters = rql.build(self.model, named, self.ordering, search)
        self.writes: dict[str, Write] = {}
        # What a POST does whose body has a certain name, instead of creating a record.
        self.instead: dict[str, Write] = {}
        self.actions: dict[str, Write] = {}

    def __repr__(self) -> str:
        return f"<Resource {self.path}>"

    def visible(self, caller: Caller, parent: str | None) -> "QuerySet[Any]":
        """Return the rows that the caller may see, below the parent if the resource has one."""
        return self.queryset(caller, parent) if self.parent else self.queryset(caller)

    def called(self, name: str) -> Q:
        """Return the condition that a record has the id, or the name that stands in for it."""
        return Q(pk=name) | Q(**{self.known_as: name}) if self.known_as else Q(pk=name)

    # --- What is declared ---------------------------------------------------------------------

    def shown(self) -> Iterator[tuple[str, rql.Filter]]:
        """Yield the names that a record shows, with filters; members of a list are `list.name`."""
        for name, value in leaves(self.fields):
            if isinstance(value, Rows):
                for inside, queryset in value.places(name):
                    for member, column in leaves(value.shape):
                        path = trace_in(queryset, column)
                        if not isinstance(path.field, JSONField):
                            yield (
                                f"{inside}.{member}",
                                rql.Filter(path.lookup, path.field, among=queryset, looked_up=True),
                            )
            elif isinstance(value, Constant):
                if field := next(
                    (field for kind, field in CONSTANTS if isinstance(value.value, kind)), None
                ):
                    # Ordering by a constant leaves all records equal, so they come by id.
                    yield name, rql.Filter("pk", field, constant=value.value)
            elif not isinstance(value, Computed):
                column = column_of(value)
                path = self.trace(column)
                if not isinstance(path.field, JSONField):
                    looked_up = isinstance(annotation(self.sample, column), Subquery)
                    field = self.with_foreign(name, path.field)
                    yield (
                        name,
                        rql.Filter(
                            path.lookup,
                            field,
                            looked_up=looked_up,
                            nothing_there=name in self.nulls,
                        ),
                    )

    def with_foreign(self, name: str, field: "Field[Any, Any]") -> "Field[Any, Any]":
        """Return a copy of the field that also accepts what `foreign` and `nulls` say about it."""
        field = copy(field)
        if name in self.foreign:
            field.choices = [
                *(field.choices or ()),
                *((value, value) for value in self.foreign[name]),
            ]
        if name in self.nulls:
            field.null = True
        return field

    def trace(self, column: str) -> Path:
        """Return what a column of the model or of the query stands for."""
        return trace_in(self.sample, column)

    def creates(
        self,
        *names: str,
        required: tuple[str, ...] = (),
        takes: "Mapping[str, Field[Any, Any]] | None" = None,
        answers: Mapping[str, Any] | None = None,
    ) -> Decorator:
        """Register `create(caller, values)`, or `create(caller, parent, values)` with a parent.

        `values` are the names that the body has, checked against their columns, or against the
        fields of `takes`, which has names that a record does not show like that. `create` returns
        the id of the new record, and the answer is 201 with that record. To answer with more, it
        returns the whole answer as a dict, and `answers` describes what that has besides.
        """
        return partial(
            self.register,
            self.writes,
            "POST",
            names,
            required,
            takes=takes,
            answers=answers,
        )

    def takes_instead(
        self, name: str, field: "Field[Any, Any]", answers: Mapping[str, Any]
    ) -> Decorator:
        """Register `run(caller, values)` for a POST whose body has the name, which it requires.

        It returns the whole answer, described by `answers` and sent with 200, or a response. What
        it wrote is kept in both cases.
        """
        return partial(
            self.register, self.instead, name, (), (name,), takes={name: field}, answers=answers
        )

    def updates(
        self,
        *names: str,
        required: tuple[str, ...] = (),
        takes: "Mapping[str, Field[Any, Any]] | None" = None,
    ) -> Decorator:
        """Register `update(caller, record, values)`. The answer is the record."""
        return partial(self.register, self.writes, "PUT", names, required, takes=takes)

    def deletes(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Register `delete(caller, record)`. The answer is 204."""
        return self.register(self.writes, "DELETE", (), (), run)

    def deletes_listed(self, *names: str) -> Decorator:
        """Register `delete(caller, parent, listed)` at the resource's own address.

        The body is an object or a list of objects. The answer is 204.
        """
        return partial(self.register, self.writes, "DELETE", names, ())

    def acts(
        self,
        name: str,
        *names: str,
        required: tuple[str, ...] = (),
        takes: "Mapping[str, Field[Any, Any]] | None" = None,
        answers: Mapping[str, Any] | None = None,
        method: str = "POST",
        status: int = 200,
    ) -> Decorator:
        """Register `action(caller, record, values)` at `/<id>/<name>`. The answer is the record.

        To answer with more, the action returns a dict that `answers` describes. With the status
        204, the answer is empty.
        """

        def register(run: Callable[..., Any]) -> Callable[..., Any]:
            self.register(self.actions, name, names, required, run, takes, answers)
            self.actions[name] = self.actions[name]._replace(method=method, status=status)
            return run

        return register

    def register(
        self,
        where: dict[str, Write],
        key: str,
        names: tuple[str, ...],
        required: tuple[str, ...],
        run: Callable[..., Any],
        takes: "Mapping[str, Field[Any, Any]] | None" = None,
        answers: Mapping[str, Any] | None = None,
    ) -> Callable[..., Any]:
        fields = {name: self.trace(column_of(self.columns[name])).field for name in names}
        fields |= takes or {}
        about = " ".join((run.__doc__ or "").split())
        where[key] = Write(run, fields, required, about, answers or {})
        return run

    def methods(self) -> tuple[str, ...]:
        """Return the methods that the resource's own address supports."""
        here = ("POST",) if self.detail else ("POST", "DELETE")
        return (*READ, *(method for method in here if method in self.writes))

    def record_methods(self) -> tuple[str, ...]:
        """Return the methods that the address of a record supports."""
        return (*READ, *(method for method in ("PUT", "DELETE") if method in self.writes))

    def urls(self) -> list[URLPattern]:
        """Return the URL patterns, with and without a trailing slash.

        A redirect between the two would turn POST into GET. The slash after `v1` may be doubled,
        which is what clients send when their endpoint ends in a slash.
        """
        start = "^v1//?" + self.path.replace("<parent>", f"(?P<parent>{ID})")
        guard = requires_module(self.module, *self.others) if self.module else requires_token
        answer_list = guard(partial(answers.answer_list, self))
        patterns = [re_path(f"{start}/?$", answer_list, name=self.path)]
        start += f"/(?P<pk>{ID})"
        if self.detail:
            answer_record = guard(partial(answers.answer_record, self))
            patterns.append(re_path(f"{start}/?$", answer_record, name=f"{self.path}/<id>"))
        for name in self.actions:
            answer_action = guard(partial(answers.answer_action, self, name))
            patterns.append(
                re_path(f"{start}/{name}/?$", answer_action, name=f"{self.path}/<id>/{name}")
            )
        return patterns


def column_of(value: Any) -> str:
    """Return the column that a field of a shape stands for."""
    return value.name if isinstance(value, Column) else str(value)
