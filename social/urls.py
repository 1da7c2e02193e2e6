"""Pages about a person."""

from django.urls import path

from people import converters as _converters  # noqa: F401  # makes <handle:…> known
from social import converters as _more_converters  # noqa: F401  # makes <writer:…> known
from social import message_views, views

app_name = "social"

urlpatterns = [
    path("people/<handle:handle>/", views.profile, name="profile"),
    path("people/<handle:handle>/follow/", views.follow, name="follow"),
    path("people/<handle:handle>/unfollow/", views.unfollow, name="unfollow"),
    path("people/<handle:handle>/block/", views.block, name="block"),
    path("people/<handle:handle>/unblock/", views.unblock, name="unblock"),
    path("messages/", message_views.inbox, name="inbox"),
    path("messages/official/", message_views.official, name="official"),
    path("messages/official/read/", message_views.read_official, name="read-official"),
    path("messages/official/delete/", message_views.delete, name="delete-official"),
    path("messages/<writer:handle>/", message_views.thread, name="thread"),
    path("messages/<writer:handle>/read/", message_views.read, name="read"),
    path("messages/<writer:handle>/delete/", message_views.delete, name="delete-thread"),
    path("settings/blocks/", views.blocks, name="blocks"),
]
