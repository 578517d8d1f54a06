from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign_in"),
    path("sign-out/", views.SignOutView.as_view(), name="sign_out"),
    path("account/", views.profile, name="profile"),
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
