"""The URLs of the demo."""

from django.urls import path

from demo import receiver

app_name = "demo"

urlpatterns = [
    path("receiver/", receiver.receive, name="receiver"),
    path("receiver/fail/", receiver.fail, name="failing_receiver"),
    path("receiver/slow/", receiver.be_slow, name="slow_receiver"),
    path("receiver/gone/", receiver.be_gone, name="gone_receiver"),
]
