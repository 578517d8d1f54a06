"""The URLs of the section Webhooks."""

from django.urls import path

from webhooks.pages import (
    actions,
    activity,
    deliveries,
    detail,
    edit,
    lists,
    recover,
    secrets,
    summary,
    wizard,
)

app_name = "webhooks"

urlpatterns = [
    path("webhooks/", lists.index, name="list"),
    path("webhooks/layout/", lists.save_layout, name="save_layout"),
    path("webhooks/new/", wizard.new, name="new"),
    path("webhooks/address/", wizard.address, name="address"),
    path("webhooks/new/<uuid:draft_id>/<slug:name>/", wizard.step, name="draft"),
    path("webhooks/new/<uuid:draft_id>/<slug:name>/typed/", wizard.typed, name="typed"),
    path("webhooks/<webhook_id:webhook_id>/", detail.detail, name="detail"),
    path("webhooks/<webhook_id:webhook_id>/summary/", summary.summary, name="summary"),
    path("webhooks/<webhook_id:webhook_id>/edit/", edit.edit, name="edit"),
    path("webhooks/<webhook_id:webhook_id>/edit/typed/", edit.typed, name="edit_typed"),
    path("webhooks/<webhook_id:webhook_id>/activity/", activity.activity, name="activity"),
    path("webhooks/<webhook_id:webhook_id>/enable/", actions.enable, name="enable"),
    path("webhooks/<webhook_id:webhook_id>/disable/", actions.disable, name="disable"),
    path("webhooks/<webhook_id:webhook_id>/pause/", actions.pause, name="pause"),
    path("webhooks/<webhook_id:webhook_id>/resume/", actions.resume, name="resume"),
    path("webhooks/<webhook_id:webhook_id>/delete/", actions.delete, name="delete"),
    path("webhooks/<webhook_id:webhook_id>/test/", actions.test, name="test"),
    path("webhooks/<webhook_id:webhook_id>/secrets/<slug:kind>/", secrets.reveal, name="reveal"),
    path("webhooks/<webhook_id:webhook_id>/secrets/<slug:kind>/copy/", secrets.copy, name="copy"),
    path(
        "webhooks/<webhook_id:webhook_id>/secrets/<slug:kind>/new/",
        secrets.new_secret,
        name="new_secret",
    ),
    path("webhooks/<webhook_id:webhook_id>/deliveries/", deliveries.index, name="deliveries"),
    path(
        "webhooks/<webhook_id:webhook_id>/deliveries/layout/",
        deliveries.save_layout,
        name="save_deliveries_layout",
    ),
    path(
        "webhooks/<webhook_id:webhook_id>/deliveries/redeliver/",
        recover.redeliver_failed,
        name="redeliver_failed",
    ),
    path("webhooks/<webhook_id:webhook_id>/deliveries/recover/", recover.recover, name="recover"),
    path(
        "webhooks/<webhook_id:webhook_id>/deliveries/cancel/",
        recover.cancel_replay,
        name="cancel_replay",
    ),
    path(
        "webhooks/<webhook_id:webhook_id>/deliveries/<delivery_id:delivery_id>/",
        deliveries.delivery,
        name="delivery",
    ),
    path(
        "webhooks/<webhook_id:webhook_id>/deliveries/<delivery_id:delivery_id>/redeliver/",
        deliveries.redeliver,
        name="redeliver",
    ),
    path(
        "webhooks/<webhook_id:webhook_id>/deliveries/<delivery_id:delivery_id>/stop/",
        deliveries.stop,
        name="stop",
    ),
]
