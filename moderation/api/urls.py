"""/api/v1/: reports."""

from django.urls import path

from moderation.api import views

urlpatterns = [
    path("rooms/<slug:slug>/reports/", views.Reports.as_view(), name="api-room-reports"),
    path(
        "me/threads/<int:thread>/messages/<int:pk>/report/",
        views.MessageReports.as_view(),
        name="api-message-report",
    ),
]
