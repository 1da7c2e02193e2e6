"""URL patterns of WebSockets."""

from django.urls import path, re_path

from rooms.live.handshake import room_socket, unknown_address
from rooms.live.person_socket import person_socket
from rooms.live.staff_socket import staff_socket

websocket_urlpatterns = [
    path("ws/me/", person_socket),  # type: ignore[arg-type]  # ASGI, not a view
    path("ws/staff/", staff_socket),  # type: ignore[arg-type]
    path("ws/rooms/<slug:slug>/", room_socket),  # type: ignore[arg-type]
    re_path(r"", unknown_address),  # type: ignore[arg-type]
]
