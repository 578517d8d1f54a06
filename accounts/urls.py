"""Addresses of signing in and out, the profile and passwords."""

from django.urls import path

from accounts import views
from accounts.pages import passkeys, people, profile, security, two_step

app_name = "accounts"

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign_in"),
    path("sign-in/code/", two_step.ask, name="second_step"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey_sign_in"),
    path("sign-in/passkey/options/", passkeys.options_to_sign_in, name="passkey_sign_in_options"),
    path("sign-out/", views.SignOutView.as_view(), name="sign_out"),
    path("account/", profile.about, name="profile"),
    path("account/notifications/", profile.notifications, name="notifications"),
    path("account/notifications/test/", profile.test_mail, name="test_mail"),
    path("account/security/", security.overview, name="security"),
    path("account/security/end/", security.end_session, name="end_session"),
    path("account/security/end-others/", security.end_others, name="end_others"),
    path("account/security/two-step/", two_step.set_up, name="set_up_two_step"),
    path("account/security/two-step/off/", two_step.switch_off, name="switch_off_two_step"),
    path("account/security/codes/", two_step.spare_codes, name="spare_codes"),
    path("account/security/codes/download/", two_step.download_codes, name="download_codes"),
    path("account/security/passkeys/add/", passkeys.add, name="add_passkey"),
    path("account/security/passkeys/remove/", passkeys.remove, name="remove_passkey"),
    path("account/security/passkeys/options/", passkeys.options, name="passkey_options"),
    path("account/people/", people.overview, name="people"),
    path("account/people/role/", people.change_role, name="change_role"),
    path("account/people/remove/", people.remove, name="remove_member"),
    path("account/people/withdraw/", people.withdraw, name="withdraw_invitation"),
    path("account/invitation/<str:token>/", people.invitation, name="invitation"),
    path("account/invitation/<str:token>/join/", people.join, name="join"),
    path("account/session/", views.session, name="session"),
    path("account/switch/", views.switch, name="switch"),
    path("account/theme/", views.theme, name="theme"),
    path("account/password/", views.PasswordChangeView.as_view(), name="password_change"),
    path("account/reset/", views.PasswordResetView.as_view(), name="password_reset"),
    path("account/reset/sent/", views.PasswordResetSentView.as_view(), name="password_reset_sent"),
    path(
        "account/reset/complete/",
        views.PasswordResetCompleteView.as_view(),
        name="password_reset_complete",
    ),
    path(
        "account/reset/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
]
