"""The URLs of the section Extensions."""

from django.urls import path

from extensions.pages import detail, icons, lists

app_name = "extensions"

urlpatterns = [
    path("extensions/", lists.index, name="list"),
    path("extensions/installed/", lists.installed, name="installed"),
    path("extensions/icons/<slug:digest>.svg", icons.own_icon, name="icon"),
    path("extensions/<extension_id:extension_id>/", detail.detail, name="detail"),
]
