"""The pages of Activity, below `/integrations/`."""

from django.urls import path

from activity import views

app_name = "activity"

urlpatterns = [
    path("activity/", views.index, name="list"),
    path("activity/layout/", views.save_layout, name="save_layout"),
    path("activity/check/", views.check, name="check"),
    path("activity/export/", views.export, name="export"),
]
