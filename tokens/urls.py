from django.urls import path

from tokens import views, wizard

app_name = "tokens"

urlpatterns = [
    path("", views.general, name="general"),
    path("tokens/", views.index, name="list"),
    path("tokens/view/", views.view, name="view"),
    path("tokens/new/", wizard.new, name="new"),
    path("tokens/new/<uuid:draft_id>/<slug:name>/", wizard.step, name="draft"),
    path("tokens/<token_id:token_id>/", views.detail, name="detail"),
    path("tokens/<token_id:token_id>/permissions/", views.permissions, name="permissions"),
    path("tokens/<token_id:token_id>/permissions/view/", views.permissions_view, name="permissions_view"),
    path("tokens/<token_id:token_id>/summary/", views.summary, name="summary"),
    path("tokens/<token_id:token_id>/edit/", views.edit, name="edit"),
    path("tokens/<token_id:token_id>/reveal/", views.reveal, name="reveal"),
    path("tokens/<token_id:token_id>/copy/", views.copy_key, name="copy"),
    path("tokens/<token_id:token_id>/enable/", views.enable, name="enable"),
    path("tokens/<token_id:token_id>/disable/", views.disable, name="disable"),
    path("tokens/<token_id:token_id>/delete/", views.delete, name="delete"),
]
