"""/api/v1/: the own account."""

from django.urls import path

from people.api import views

urlpatterns = [
    path("me/", views.Me.as_view(), name="api_me"),
    path("creators/application/", views.Application.as_view(), name="api_creators_application"),
]
