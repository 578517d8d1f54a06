"""Accounts, people and memberships in the admin."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership, User
from portal.admin import BoundedInline, Kept


class MembershipInline(BoundedInline):
    model = Membership
    autocomplete_fields = ("user", "account")
    list_select_related = ("user", "account")


@admin.register(Account)
class AccountAdmin(Kept, admin.ModelAdmin):
    list_display = ("name", "id", "side", "is_active", "created_at")
    list_filter = ("side", "is_active")
    search_fields = ("name", "id")
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Account | None = None
    ) -> tuple[str, ...]:
        # The id shows the side (VA-, PA-), so the side cannot change once the id is drawn.
        return (*self.readonly_fields, "side") if obj else self.readonly_fields


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes = {"email": forms.EmailField}


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = UserCreationForm
    list_display = ("name", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("name", "email", "id")
    ordering = ("name", "id")
    # The number of permissions is fixed by the models, while there may be any number of groups.
    filter_horizontal = ("user_permissions",)
    autocomplete_fields = ("groups",)
    readonly_fields = ("id", "last_login", "created_at")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("id", "email", "password", "name", "time_zone")}),
        (
            _("Rights"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "name", "usable_password", "password1", "password2"),
            },
        ),
    )

    def get_deleted_objects(
        self, objs: Sequence[User] | QuerySet[User], request: HttpRequest
    ) -> tuple[Any, Any, set[str], list[Any]]:
        """List who cannot be deleted, for the page of one person and the action on several."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        people = User.objects.filter(pk__in=[person.pk for person in objs])
        kept = [
            gettext("the person who is signed in here: %(name)s") % {"name": me}
            for me in people.filter(pk=request.user.pk)
        ]
        # The admin's log would be deleted with the person.
        logged = people.filter(Exists(LogEntry.objects.filter(user=OuterRef("pk"))))
        kept += [
            gettext("the log of what %(name)s did in the administration") % {"name": person}
            for person in logged
        ]
        return found, counts, lacking, [*protected, *kept]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "account", "role")
    list_filter = ("role",)
    search_fields = ("user__name", "user__email", "account__name")
    autocomplete_fields = ("user", "account")
    list_select_related = ("user", "account")
