"""The ASGI application, for HTTP and WebSockets."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (apps must be loaded first)

from config.fair import FairQueue  # noqa: E402
from config.static_files import StaticHandler  # noqa: E402
from core import after_restore  # noqa: E402
from rooms.live.routing import websocket_urlpatterns  # noqa: E402
from rooms.recording.hls.open_lists import OpenLists  # noqa: E402

# Session and origin are checked in `rooms.rules.identity`, together with the room: Channels' own middleware would use
# one shared thread for every handshake.
pages = OpenLists(FairQueue(StaticHandler()))
application = ProtocolTypeRouter({"http": pages, "websocket": URLRouter(websocket_urlpatterns)})

after_restore.begin()  # whichever server imports this: it does not serve before
