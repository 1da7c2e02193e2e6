"""URL patterns of WebSockets."""

from django.urls import path, re_path

from rooms.live.person_socket import person_socket
from rooms.live.socket import room_socket, unknown_address

websocket_urlpatterns = [
    path("ws/me/", person_socket),  # type: ignore[arg-type]  # ASGI, not a view
    path("ws/rooms/<slug:slug>/", room_socket),  # type: ignore[arg-type]
    re_path(r"", unknown_address),  # type: ignore[arg-type]
]
