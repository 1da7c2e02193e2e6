"""/api/v1/: rooms."""

from django.urls import path

from rooms.api import clips, invitable, verbs, views

urlpatterns = [
    path("rooms/", views.Rooms.as_view(), name="api-rooms"),
    path("rooms/<slug:slug>/", views.OneRoom.as_view(), name="api-room"),
    path("rooms/<slug:slug>/prepared/", views.Prepared.as_view(), name="api-room-prepared"),
    path("rooms/<slug:slug>/open/", views.OpenPrepared.as_view(), name="api-room-open"),
    *verbs.urlpatterns(),
    path("rooms/<slug:slug>/invitable/", invitable.Invitable.as_view(), name="api-room-invitable"),
    path("rooms/<slug:slug>/audience/", views.Audience.as_view(), name="api-room-audience"),
    path("rooms/<slug:slug>/recording/", views.RecordingState.as_view(), name="api-room-recording"),
    path("rooms/<slug:slug>/replay/", views.Replay.as_view(), name="api-room-replay"),
    path("rooms/<slug:slug>/replay/objection/", views.Objection.as_view(), name="api-room-objection"),
    path("rooms/<slug:slug>/download/", views.Download.as_view(), name="api-room-download"),
    path("rooms/<slug:slug>/clips/", clips.Clips.as_view(), name="api-room-clips"),
    path("rooms/<slug:slug>/clips/<str:key>/", clips.OneClip.as_view(), name="api-room-clip"),
    path("ice/", views.Ice.as_view(), name="api-ice"),
]
