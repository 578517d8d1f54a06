"""The URLs of the demo."""

from django.urls import path

from demo import receiver

app_name = "demo"

urlpatterns = [
    path("receiver/", receiver.receive, name="receiver"),
    path("receiver/<slug:behaviour>/", receiver.receive, name="receiver_as"),
]
