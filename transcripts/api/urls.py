"""URLs of transcripts under /api/v1/."""

from django.urls import path

from transcripts.api import views

urlpatterns = [
    path("rooms/<slug:slug>/transcript/", views.TranscriptDetail.as_view(), name="api-transcript"),
    path("rooms/<slug:slug>/transcript/retry/", views.TranscriptRetry.as_view(), name="api-transcript-retry"),
    path("rooms/<slug:slug>/transcript/cues/", views.CueList.as_view(), name="api-cues"),
    path("rooms/<slug:slug>/transcript/cues/<int:pk>/", views.CueDetail.as_view(), name="api-cue"),
    path("rooms/<slug:slug>/transcript/files/<slug:kind>/", views.TranscriptFile.as_view(), name="api-transcript-file"),
]
