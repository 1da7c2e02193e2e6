"""A room's socket as in Channels' tutorial: a consumer for each connection, and `group_send`.

The ASGI application that `bench/consumer.py` compares with the product's. It reads the same session, room and snapshot,
and sends the same texts. It has no presence, limits, rights that are checked again, bounded queue or replay of events
that were lost.

`BENCH_LAYER` names the channel layer: `memory` (Channels' own, without a hop over Redis) or `redis` (channels_redis).
A WebSocket to `/source` sends each event that it is given to the group.
"""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack  # noqa: E402  (apps must be loaded first)
from channels.db import database_sync_to_async  # noqa: E402
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.layers import InMemoryChannelLayer, channel_layers  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from people.models import User  # noqa: E402
from rooms.models import Room  # noqa: E402
from rooms.rules.facts import enter  # noqa: E402
from rooms.rules.identity import Who  # noqa: E402
from rooms.wire.events import encode  # noqa: E402
from rooms.wire.snapshot import Snapshot, base, compose, you  # noqa: E402

GROUP = "room"


def snapshot(slug: str, user: User) -> Snapshot:
    """Return the snapshot of a room for one person. Raises RoomRefused where that person may not come in."""
    who = Who.of_user(user) if user.is_authenticated else Who(None, "")
    room = Room.objects.select_related("host").get(slug=slug)
    enter(room, who)
    shared = base(room.pk)
    return compose(shared, you(shared.row, who))


class Listener(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """The consumer of one listener."""

    async def connect(self) -> None:
        first = await database_sync_to_async(snapshot)(self.scope["url_route"]["kwargs"]["slug"], self.scope["user"])
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        await self.send_json(first)

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def room_event(self, message: dict[str, Any]) -> None:
        """Pass an event of the group on."""
        await self.send_json(message["event"])

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        return encode(content)


class Source(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """The consumer of the process that makes events."""

    async def receive_json(self, content: Any, **_kwargs: Any) -> None:
        await self.channel_layer.group_send(GROUP, {"type": "room.event", "event": content})


def layer(name: str) -> Any:
    """Make a channel layer by its name in BENCH_LAYER."""
    if name == "memory":
        return InMemoryChannelLayer()
    prefix = settings.REDIS_PREFIX + "layer"
    return import_string("channels_redis.core.RedisChannelLayer")(hosts=[settings.REDIS_URL], prefix=prefix)


channel_layers.set("default", layer(os.environ.get("BENCH_LAYER", "memory")))
listeners = AllowedHostsOriginValidator(AuthMiddlewareStack(Listener.as_asgi()))
addresses = [path("ws/rooms/<slug:slug>/", listeners), path("source", Source.as_asgi())]
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter(addresses)})
