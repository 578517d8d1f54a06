"""What every page of the admin has in common."""

from functools import partialmethod
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms.models import _get_foreign_key
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from portal import typed

# How many rows an inline shows on the page of a record.
SHOWN = 50


class ReadOnly:
    """Mixin for rows that can be viewed in the admin but not changed."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Kept:
    """Mixin for records kept with everything that belongs to them: deactivated, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def typed_in(request: HttpRequest) -> QueryDict | None:
    """Return what was typed in the form of the page and could not be accepted, or None."""
    kept: typed.Kept | None = getattr(request, "kept", None)
    return kept.recall() if kept else None


class Recalling:
    """Mixin for a form with inlines that comes back with what was typed; see `portal.typed`."""

    def get_form(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)  # type: ignore[misc]
        data = typed_in(request)
        if data is None:
            return form
        return type(form.__name__, (form,), {"__init__": partialmethod(form.__init__, data)})

    def get_formset_kwargs(self: Any, request: HttpRequest, *args: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_formset_kwargs(request, *args)  # type: ignore[misc]
        data = typed_in(request)
        return given if data is None else {**given, "data": data}


class More(NamedTuple):
    """The address of the full list of an inline's rows, and how many there are."""

    url: str
    total: str


class BoundedInline(admin.TabularInline):
    """An inline that stays fast however many rows a record has.

    Up to SHOWN rows can be edited. Beyond that, the newest are shown read-only, with a link to the
    full list, so the model must be registered. Django's own inline loads and renders every row,
    which takes minutes for thousands.
    """

    extra = 0
    template = "admin/bounded_inline.html"
    newest: tuple[str, ...] = ("-pk",)
    list_select_related: tuple[str, ...] = ()

    record: Model | None = None
    long: bool | None = None

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        self.record = obj
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request).select_related(*self.list_select_related)
        if self.record is None:
            return queryset
        return queryset.filter(
            pk__in=self.of(self.record).order_by(*self.newest).values("pk")[:SHOWN]
        )

    @property
    def link(self) -> str:
        """The name of the foreign key to the record."""
        # An inline has one.
        name: str = _get_foreign_key(self.parent_model, self.model, fk_name=self.fk_name).name  # type: ignore[union-attr]
        return name

    def of(self, record: Model) -> QuerySet[Any]:
        queryset: QuerySet[Any] = self.model._default_manager.filter(**{self.link: record})
        return queryset

    @property
    def more(self) -> More | None:
        """The link to the full list, for the template; None if all rows are shown."""
        if self.record is None or not self.is_long(self.record):
            return None
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return More(
            f"{address}?{self.link}__id__exact={self.record.pk}",
            f"{self.of(self.record).count():,}",
        )

    def is_long(self, record: Model | None) -> bool:
        if record is None:
            return False
        # Called for every row. The inline lives as long as the request, so this can be cached.
        if self.long is None:
            self.long = self.of(record)[SHOWN : SHOWN + 1].exists()
        return self.long

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.is_long(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.is_long(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.is_long(obj) and super().has_delete_permission(request, obj)
