"""Limits of how often one person may act in rooms, the same for WebSockets and the API."""

from __future__ import annotations

from core.throttle import Limit
from rooms.rules.refusals import RoomRefused

ACTIONS = Limit("act", 120, 40, RoomRefused)
OPENING = Limit("open", 6, 6, RoomRefused)
DOWNLOADS = Limit("download", 6, 10, RoomRefused)
SOUND = Limit("sound", 900, 180, RoomRefused)
