"""The URLs of the section IP Rules."""

from django.urls import path

from tokens.pages.rules import views

app_name = "rules"

urlpatterns = [
    path("ip-rules/", views.index, name="list"),
    path("ip-rules/layout/", views.save_layout, name="save_layout"),
    path("ip-rules/add/", views.add, name="add"),
    path("ip-rules/<rule_id:rule_id>/edit/", views.edit, name="edit"),
    path("ip-rules/<rule_id:rule_id>/delete/", views.delete, name="delete"),
]
