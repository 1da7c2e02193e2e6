"""All URLs of the site, app by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from config import development, health
from people.accounts.views import ConfirmEmailView, PasswordChangeView, SignupView

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    re_path(r"^accounts/confirm-email/(?P<key>[-:\w]+)/$", ConfirmEmailView.as_view(), name="account_confirm_email"),
    path("accounts/signup/", SignupView.as_view(), name="account_signup"),
    path("accounts/password/change/", PasswordChangeView.as_view(), name="account_change_password"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/schema/", SpectacularAPIView.as_view(api_version="v1"), name="schema"),
    path("api/v1/", include("people.api.urls")),
    path("api/v1/", include("social.api.urls")),
    path("api/v1/", include("rooms.api.urls")),
    path("api/v1/", include("moderation.api.urls")),
    path("api/v1/", include("transcripts.api.urls")),
    path("api/v1/", include("retention.api.urls")),
    path("", include("people.urls")),
    path("", include("social.urls")),
    path("", include("rooms.recording.urls")),
    path("", include("pages.urls")),
]

if settings.DEV_KEY:
    urlpatterns += [path("dev/", include(development.urls))]
