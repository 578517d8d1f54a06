"""The pages of Tokens, below `/integrations/`."""

from django.urls import path

from tokens.pages import (
    actions,
    activity,
    calendar,
    detail,
    edit,
    extend,
    key,
    lists,
    policies,
    reminders,
    rotation,
    summary,
    wizard,
)
from tokens.pages.rules import views as rules

app_name = "tokens"

urlpatterns = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/renew/", calendar.renew, name="renew_calendar"),
    path("calendar/withdraw/", calendar.withdraw, name="withdraw_calendar"),
    path("calendar/<slug:secret>.ics", calendar.feed, name="feed"),
    path("tokens/", lists.index, name="list"),
    path("tokens/layout/", lists.save_layout, name="save_layout"),
    path("tokens/reminders/dismiss/", reminders.dismiss, name="dismiss_reminders"),
    path("tokens/new/", wizard.new, name="new"),
    path("tokens/new/<uuid:draft_id>/<slug:name>/", wizard.step, name="draft"),
    path("tokens/<token_id:token_id>/", detail.detail, name="detail"),
    path("tokens/<token_id:token_id>/permissions/", detail.permissions, name="permissions"),
    path(
        "tokens/<token_id:token_id>/permissions/layout/",
        detail.save_permissions_layout,
        name="save_permissions_layout",
    ),
    path("tokens/<token_id:token_id>/activity/", activity.activity, name="activity"),
    path("tokens/<token_id:token_id>/summary/", summary.summary, name="summary"),
    path("tokens/<token_id:token_id>/edit/", edit.edit, name="edit"),
    path("tokens/<token_id:token_id>/extend/", extend.extend, name="extend"),
    path("tokens/<token_id:token_id>/reveal/", key.reveal, name="reveal"),
    path("tokens/<token_id:token_id>/copy/", key.copy_key, name="copy"),
    path("tokens/<token_id:token_id>/key/destroy/", actions.destroy_copy, name="destroy_copy"),
    path("tokens/<token_id:token_id>/key/new/", rotation.new_key, name="new_key"),
    path("tokens/<token_id:token_id>/key/extend/", rotation.extend, name="extend_key"),
    path("tokens/<token_id:token_id>/key/retire/", rotation.retire, name="retire_key"),
    path("tokens/<token_id:token_id>/key/cancel/", rotation.cancel_renewal, name="cancel_renewal"),
    path("tokens/<token_id:token_id>/key/rehearse/", rotation.rehearse, name="rehearse_key"),
    path(
        "tokens/<token_id:token_id>/key/rehearse/end/",
        rotation.end_rehearsal,
        name="end_rehearsal",
    ),
    path("tokens/<token_id:token_id>/enable/", actions.enable, name="enable"),
    path("tokens/<token_id:token_id>/disable/", actions.disable, name="disable"),
    path("tokens/<token_id:token_id>/ip-rules/add/", rules.add, name="add_ip_rule"),
    path("tokens/<token_id:token_id>/delete/", actions.delete, name="delete"),
    path("policies/", policies.policies, name="policies"),
    path("tokens/<token_id:token_id>/restore/", actions.restore, name="restore"),
]
