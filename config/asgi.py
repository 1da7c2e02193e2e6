"""The door for HTTP and WebSockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (apps must be loaded first)

from rooms.routing import websocket_urlpatterns  # noqa: E402

# Who connects and from which page is checked in `rooms.identity`, in one step with the room: Channels' own stack
# would take one shared thread for every handshake.
application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})
