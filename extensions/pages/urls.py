"""The URLs of the section Extensions."""

from django.urls import path

from extensions.pages import detail, lists

app_name = "extensions"

urlpatterns = [
    path("extensions/", lists.index, name="list"),
    path("extensions/installed/", lists.installed, name="installed"),
    path("extensions/<extension_id:extension_id>/", detail.detail, name="detail"),
]
