"""URLs under /api/v1/ about how long a room's copy is kept."""

from django.urls import path

from retention.api import views

urlpatterns = [
    path("rooms/<slug:slug>/retention/", views.Retention.as_view(), name="api-room-retention"),
]
