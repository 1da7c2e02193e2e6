"""WebSocket addresses."""

from django.urls import path, re_path

from rooms.live.socket import nowhere, room_socket

websocket_urlpatterns = [
    path("ws/rooms/<slug:slug>/", room_socket),  # type: ignore[arg-type]  # ASGI, not a view
    re_path(r"", nowhere),  # type: ignore[arg-type]
]
