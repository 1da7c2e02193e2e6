"""/api/v1/: how long a room's copy is kept."""

from django.urls import path

from moderation.api import views

urlpatterns = [
    path("rooms/<slug:slug>/retention/", views.Retention.as_view(), name="api-room-retention"),
]
