"""The pages of the modules in the portal, below `/integrations/`. The API itself is in `modules/urls.py`."""

from django.urls import path

from modules import views

app_name = "modules"

urlpatterns = [
    path("api/", views.api, name="api"),
]
