"""/api/v1/: people."""

from django.urls import path

from people import converters as _converters  # noqa: F401  # makes <handle:…> known
from people.api import views

urlpatterns = [
    path("me/", views.Me.as_view(), name="api_me"),
    path("people/<handle:handle>/", views.Person.as_view(), name="api_person"),
    path("people/<handle:handle>/follow/", views.FollowPerson.as_view(), name="api_follow"),
    path("creators/application/", views.Application.as_view(), name="api_creators_application"),
]
