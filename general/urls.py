"""The pages of General, below `/integrations/`."""

from django.urls import path

from general import reference, views

app_name = "general"

urlpatterns = [
    path("", views.start, name="start"),
    path("api/", reference.reference, name="reference"),
]
