"""/api/v1/: reports."""

from django.urls import path

from moderation.api import views

urlpatterns = [path("rooms/<slug:slug>/reports/", views.Reports.as_view(), name="api-room-reports")]
