"""Registrations of rooms: hooks it implements and signals it receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from core import bus
from core.erasers import erasers
from people import signals
from people.hooks import coming_links, live_links
from rooms import ledger_texts as _ledger_texts  # noqa: F401  # registers words of ledger entries
from rooms import reactions, talk_time
from rooms.actions.blocks import on_block
from rooms.actions.profile import on_profile_changed
from rooms.actions.standing import on_account_changed
from rooms.guests import demo as _demo  # noqa: F401  # receives people's accounts_ready
from rooms.hooks import personal_parts, recording_ready
from rooms.message_kinds import InvitationKind, RoomKind
from rooms.queries import own_data as _own_data  # noqa: F401  # registers what is kept of a person
from rooms.queries import panel as _panel  # noqa: F401  # registers parts of snapshots
from rooms.queries import personal as _personal  # noqa: F401  # registers parts of snapshots
from rooms.queries.acquaintances import known_to
from rooms.queries.hands import hands_part
from rooms.queries.invitations import invitations_part
from rooms.queries.live_now import live_link
from rooms.queries.prepared import coming_link
from rooms.recording.delivery import exports as _exports  # noqa: F401  # registers this app's texts
from rooms.recording.delivery import reactions_text as _reactions_text  # noqa: F401
from rooms.recording.tasks import prepare_recording
from rooms.wire import official_texts as _official_texts  # noqa: F401  # registers texts of official messages
from social.hooks import acquaintances, message_kinds
from social.signals import blocked

PRESENCE_KEYS = (
    "presence:{}",
    "presence:{}:people",
    "presence:{}:away",
    "presence:{}:cookies",
    "presence:{}:left",
    "count:{}",
)

erasers.register("reactions")(reactions.erase)
live_links.register("rooms")(live_link)
coming_links.register("rooms")(coming_link)
personal_parts.register("hands")(hands_part)
personal_parts.register("invitations")(invitations_part)
message_kinds.register("invitation")(InvitationKind())
message_kinds.register("room")(RoomKind())
acquaintances.register("invitations")(known_to)
signals.standing_changed.connect(on_account_changed, dispatch_uid="rooms.standing")
signals.profile_changed.connect(on_profile_changed, dispatch_uid="rooms.profile")
blocked.connect(on_block, dispatch_uid="rooms.blocks")


@erasers.register("presence")
def erase_presence(rooms: Sequence[int]) -> int:
    """Delete the presence keys of rooms, which would expire anyway; returns how many. Raises RedisError."""
    return _delete_keys(rooms, PRESENCE_KEYS)


@erasers.register("talk time")
def erase_talk_time(rooms: Sequence[int]) -> int:
    """Delete the talk time of rooms, which would expire anyway; returns how many keys. Raises RedisError."""
    return _delete_keys(rooms, (talk_time.KEY,))


def _delete_keys(rooms: Sequence[int], patterns: Sequence[str]) -> int:
    names = [bus.key(pattern.format(pk)) for pk in rooms for pattern in patterns]
    removed = bus.client().delete(*names) if names else 0
    return int(removed)


def draw_waveform(recording: Any, **_more: Any) -> None:
    """Queue the drawing of a finished recording's waveform. If the queue is away, `prepare_left` does it later."""
    transaction.on_commit(lambda: prepare_recording.delay(recording.pk), robust=True)


recording_ready.connect(draw_waveform, dispatch_uid="rooms.recording.peaks")
