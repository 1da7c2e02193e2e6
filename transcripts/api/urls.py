"""/api/v1/: transcripts."""

from django.urls import path

from transcripts.api import views

urlpatterns = [
    path("rooms/<slug:slug>/transcript/", views.TranscriptState.as_view(), name="api-transcript"),
    path("rooms/<slug:slug>/transcript/retry/", views.Retry.as_view(), name="api-transcript-retry"),
    path("rooms/<slug:slug>/transcript/cues/", views.CueList.as_view(), name="api-cues"),
    path("rooms/<slug:slug>/transcript/cues/<int:pk>/", views.OneCue.as_view(), name="api-cue"),
    path("rooms/<slug:slug>/transcript/files/<slug:kind>/", views.File.as_view(), name="api-transcript-file"),
]
