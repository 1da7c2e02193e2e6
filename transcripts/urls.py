"""The page of an ended room."""

from django.urls import path

from transcripts import views

app_name = "transcripts"

urlpatterns = [
    path("r/<slug:slug>/replay/", views.replay_page, name="replay"),
    path("r/<slug:slug>/replay/publish/", views.publish, name="publish"),
    path("r/<slug:slug>/replay/download/", views.download, name="download"),
    path("r/<slug:slug>/replay/retry/", views.retry, name="retry"),
    path("r/<slug:slug>/replay/lines/<int:pk>/", views.correct, name="correct"),
    path("r/<slug:slug>/replay/my-lines.<slug:kind>", views.own_lines, name="own-lines"),
]
