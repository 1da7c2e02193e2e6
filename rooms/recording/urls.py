"""Addresses of sound."""

from django.urls import path

from rooms.recording.delivery import views as delivery
from rooms.recording.hls import views as hls

app_name = "recording"

urlpatterns = [
    path("r/<slug:slug>/live.m3u8", hls.live_playlist, name="live"),
    path("hls/<str:token>/<str:mark>/<str:name>", hls.segment, name="segment"),
    path("files/<str:token>/<str:name>", delivery.file, name="file"),
]
