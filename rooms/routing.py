"""WebSocket addresses."""

from django.urls import path

from rooms.consumers import room_socket

websocket_urlpatterns = [path("ws/rooms/<slug:slug>/", room_socket)]  # type: ignore[arg-type]  # ASGI, not a view
