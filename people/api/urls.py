"""/api/v1/: people."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
