"""The pages of the admin stay small, however many rows there are."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission as Right
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Field
from django.forms import HiddenInput
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, User
from activity.actions import Action
from activity.models import Event
from portal.admin import SHOWN, BoundedInline
from tests.conftest import Response
from tests.factories import AccountFactory
from tokens.models import Extension, Grant, Token


def test_every_inline_is_bounded_and_has_a_list_of_all() -> None:
    inlines = [
        inline for model_admin in admin.site._registry.values() for inline in model_admin.inlines
    ]
    assert inlines
    assert all(issubclass(inline, BoundedInline) for inline in inlines)
    assert {inline.model for inline in inlines} <= {*admin.site._registry, *FEW}


# Tables whose size depends on the code, not on use.
FEW = {Right, ContentType, Extension, Grant}


def test_no_form_or_filter_offers_all_rows_of_a_table() -> None:
    for model, model_admin in admin.site._registry.items():
        holders = [model_admin, *(inline(model, admin.site) for inline in model_admin.inlines)]
        for holder in holders:
            fields = [*holder.opts.fields, *holder.opts.many_to_many]
            searched = {
                *holder.get_autocomplete_fields(HttpRequest()),
                *holder.raw_id_fields,
                *holder.readonly_fields,
                # Hidden fields offer nothing.
                *(name for name, widget in widgets_of(holder).items() if widget is HiddenInput),
            }
            open_fields = [
                field
                for field in fields
                if field.related_model and field.editable and field.related_model not in FEW
            ]
            written = holder.has_add_permission.__qualname__.split(".")[0] != "ReadOnly"
            assert not written or {field.name for field in open_fields} <= searched, holder
        for name in model_admin.list_filter:
            if not isinstance(name, str):
                continue  # A filter of our own offers what it says.
            field = model._meta.get_field(name)
            assert isinstance(field, Field)
            assert (
                field.choices
                or field.get_internal_type() in {"BooleanField", "DateTimeField"}
                or field.related_model in FEW
                or name in FIXED
            ), (model, name)


def widgets_of(holder: Any) -> dict[str, Any]:
    return getattr(getattr(holder.form, "Meta", None), "widgets", None) or {}


# Filters on text columns that have few values by nature.
FIXED = {"currency", "schema", "tier_level", "zone"}


def queries_of(staff: Client, path: str) -> tuple[Response, int]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = staff.get(path)
    assert response.status_code == 200
    return response, len(queries)


def test_a_token_with_20_000_events_shows_the_newest_and_the_way_to_all(
    staff: Client, token: Token
) -> None:
    few = queries_of(staff, f"/admin/tokens/token/{token.pk}/change/")[1]
    about = {
        "account": token.account_id,
        "subject_kind": "token",
        "subject_id": token.pk,
        "action": Action.KEY_VIEWED,
    }
    events = (Event(**about, number=number, at=timezone.now()) for number in range(1000, 21_000))
    Event.objects.bulk_create(events, batch_size=2000)
    response, count = queries_of(staff, f"/admin/tokens/token/{token.pk}/change/")
    assert count <= few + 5
    assert len(response.content) < 200_000
    assert response.text.count(">Key viewed<") == SHOWN
    assert f"/admin/activity/event/?subject_id__exact={token.pk}" in response.text
    listed = staff.get(f"/admin/activity/event/?subject_id__exact={token.pk}")
    assert listed.context["cl"].result_count == 20_001


def test_an_account_with_many_members_shows_the_newest_to_look_at_and_can_be_saved(
    staff: Client,
) -> None:
    account = AccountFactory(name="Big")
    people = User.objects.bulk_create(
        User(id=f"UR-900-{n // 1000:03}-{n % 1000:03}", email=f"p{n}@big.example", name=f"P {n}")
        for n in range(2000)
    )
    Membership.objects.bulk_create(Membership(user=user, account=account) for user in people)
    path = f"/admin/accounts/account/{account.pk}/change/"
    response, count = queries_of(staff, path)
    assert count < 40
    assert len(response.content) < 200_000
    assert f"These are the newest {SHOWN} of 2,000." in response.text
    forms = response.context["inline_admin_formsets"][0].formset.management_form.initial
    fields = {f"memberships-{name}": value for name, value in forms.items()}
    assert staff.post(path, {"name": "Bigger", "is_active": "on", **fields}).status_code == 302
    account.refresh_from_db()
    assert account.name == "Bigger"
    assert account.memberships.count() == 2000
