"""/api/v1/: rooms."""

from django.urls import path

from rooms.api import views

urlpatterns = [
    path("rooms/", views.Rooms.as_view(), name="api-rooms"),
    path("rooms/<slug:slug>/", views.OneRoom.as_view(), name="api-room"),
    path("rooms/<slug:slug>/end/", views.End.as_view(), name="api-room-end"),
    path("rooms/<slug:slug>/entry/", views.Entry.as_view(), name="api-room-entry"),
    path("rooms/<slug:slug>/consent/", views.Consent.as_view(), name="api-room-consent"),
    path("rooms/<slug:slug>/seat/", views.Seat.as_view(), name="api-room-seat"),
    path("rooms/<slug:slug>/mute/", views.Mute.as_view(), name="api-room-mute"),
    path("rooms/<slug:slug>/unmute/", views.Unmute.as_view(), name="api-room-unmute"),
    path("rooms/<slug:slug>/unseat/", views.Unseat.as_view(), name="api-room-unseat"),
    path("rooms/<slug:slug>/recording/", views.RecordingState.as_view(), name="api-room-recording"),
    path("rooms/<slug:slug>/replay/", views.Replay.as_view(), name="api-room-replay"),
    path("rooms/<slug:slug>/download/", views.Download.as_view(), name="api-room-download"),
    path("ice/", views.Ice.as_view(), name="api-ice"),
]
