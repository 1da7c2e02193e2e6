"""Pages about a person."""

from django.urls import path

from people import converters as _converters  # noqa: F401  # makes <handle:…> known
from social import views

app_name = "social"

urlpatterns = [
    path("people/<handle:handle>/", views.profile, name="profile"),
    path("people/<handle:handle>/follow/", views.follow, name="follow"),
    path("people/<handle:handle>/unfollow/", views.unfollow, name="unfollow"),
    path("people/<handle:handle>/block/", views.block, name="block"),
    path("people/<handle:handle>/unblock/", views.unblock, name="unblock"),
    path("settings/blocks/", views.blocks, name="blocks"),
]
