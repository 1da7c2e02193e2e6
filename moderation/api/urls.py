"""/api/v1/: reports."""

from django.urls import path

from moderation.api import views
from people import converters as _converters  # noqa: F401  # makes <handle:…> known

urlpatterns = [
    path("rooms/<slug:slug>/reports/", views.Reports.as_view(), name="api-room-reports"),
    path("rooms/<slug:slug>/title/report/", views.TitleReports.as_view(), name="api-title-report"),
    path("people/<handle:handle>/report/", views.PersonReports.as_view(), name="api-person-report"),
    path(
        "me/threads/<int:thread>/messages/<int:pk>/report/",
        views.MessageReports.as_view(),
        name="api-message-report",
    ),
]
