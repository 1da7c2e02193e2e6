"""/api/v1/: people as others see them."""

from django.urls import path

from people import converters as _converters  # noqa: F401  # makes <handle:…> known
from social.api import views

urlpatterns = [
    path("people/<handle:handle>/", views.Person.as_view(), name="api_person"),
    path("people/<handle:handle>/follow/", views.FollowPerson.as_view(), name="api_follow"),
    path("people/<handle:handle>/block/", views.BlockPerson.as_view(), name="api_block"),
    path("me/blocks/", views.Blocks.as_view(), name="api_blocks"),
]
