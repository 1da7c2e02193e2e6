"""/api/v1/: people as others see them, and messages."""

from django.urls import path

from people import converters as _converters  # noqa: F401  # makes <handle:…> known
from social.api import messages, views

urlpatterns = [
    path("people/<handle:handle>/", views.Person.as_view(), name="api_person"),
    path("people/<handle:handle>/follow/", views.FollowPerson.as_view(), name="api_follow"),
    path("people/<handle:handle>/block/", views.BlockPerson.as_view(), name="api_block"),
    path("people/<handle:handle>/messages/", messages.Write.as_view(), name="api_write"),
    path("me/threads/", messages.Threads.as_view(), name="api_threads"),
    path("me/threads/<int:pk>/", messages.OneThread.as_view(), name="api_thread"),
    path("me/threads/<int:pk>/messages/", messages.ThreadMessages.as_view(), name="api_thread_messages"),
    path("me/threads/<int:pk>/read/", messages.ThreadRead.as_view(), name="api_thread_read"),
    path("me/blocks/", views.Blocks.as_view(), name="api_blocks"),
]
