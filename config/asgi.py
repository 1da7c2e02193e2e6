"""The door for HTTP and WebSockets."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (apps must be loaded first)

from config.fair import Fair, Handler  # noqa: E402
from rooms.live.routing import websocket_urlpatterns  # noqa: E402

# Who connects and from which page is checked in `rooms.rules.identity`, in one step with the room: Channels' own stack
# would take one shared thread for every handshake.
application = ProtocolTypeRouter({"http": Fair(Handler()), "websocket": URLRouter(websocket_urlpatterns)})
