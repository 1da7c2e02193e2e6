"""Rate limits on the acts of one person in rooms, shared by WebSockets and the API."""

from __future__ import annotations

from core.throttle import Limit
from rooms.rules.refusals import RoomRefused

ACTIONS = Limit("act", 120, 40, RoomRefused)
OPENING = Limit("open", 6, 6, RoomRefused)
PUBLISHING = Limit("publish", 0.1, 5, RoomRefused)  # everybody who spoke gets a mail each time
ASKING = Limit("ask", 4, 3, RoomRefused)  # of one person to unmute, by all hosts: it is read out each time
DOWNLOADS = Limit("download", 6, 10, RoomRefused)
AUDIENCE = Limit("audience", 90, 30, RoomRefused)  # a search asks with each few letters
QUALITY = Limit("quality", 12, 6, RoomRefused)
SOUND = Limit("sound", 900, 180, RoomRefused)
