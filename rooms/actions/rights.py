"""Notify hubs and the media supervisor that rights have changed: they check the connections concerned again."""

from __future__ import annotations

import json
import logging

from core import bus
from core.after_commit import after_commit
from rooms import channels
from rooms.channels import MEDIA_CHANGED
from rooms.models import Room

log = logging.getLogger(__name__)


def publish_rights(whom: dict[str, int]) -> None:
    """Have the connections of a `person` or in a `room` (primary keys) checked again, now."""
    bus.publish(channels.hubs_channel(), json.dumps(whom))
    bus.publish(bus.key(MEDIA_CHANGED), "standing")


def room_rights_changed(room: Room, why: str) -> None:
    """Have everybody in a room checked again, after the commit."""
    log.info("rights in room %s are checked again: %s", room.pk, why)
    after_commit(publish_rights, {"room": room.pk})


def role_changed(user_pk: int) -> None:
    """Have one person checked again after the commit: the channel of a room's host side follows their role."""
    after_commit(publish_rights, {"person": user_pk})
