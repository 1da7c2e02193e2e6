"""Addresses of sound."""

from django.urls import path

from rooms.recording import files, serve

app_name = "recording"

urlpatterns = [
    path("r/<slug:slug>/live.m3u8", serve.live_playlist, name="live"),
    path("hls/<str:token>/<str:mark>/<str:name>", serve.segment, name="segment"),
    path("files/<str:token>/<str:name>", files.file, name="file"),
]
