"""The pages of General, below `/integrations/`."""

from django.urls import path

from general import calls, reference, selftest, views

app_name = "general"

urlpatterns = [
    path("", views.start, name="start"),
    path("self-test/", selftest.selftest, name="selftest"),
    path("self-test/header/", selftest.header, name="header"),
    path("calls/", calls.calls, name="calls"),
    path("api/", reference.reference, name="reference"),
]
