"""Rate limits on the acts of one person in rooms, shared by WebSockets and the API."""

from __future__ import annotations

from django.conf import settings

from core.throttle import Limit
from rooms.rules.refusals import RoomRefused

ACTIONS = Limit("act", 120, 40, RoomRefused)
OPENING = Limit("open", 6, 6, RoomRefused)
PUBLISHING = Limit("publish", 0.1, 5, RoomRefused)  # everybody who spoke gets a mail each time
ASKING = Limit("ask", 4, 3, RoomRefused)  # of one person to unmute, by all hosts: it is read out each time
CLIPS = Limit("clip", 4, 6, RoomRefused)  # a worker cuts and encodes each
DOWNLOADS = Limit("download", 6, 10, RoomRefused)
INVITING = Limit("invite", 20, 20, RoomRefused)  # requests, of up to `MOST_LINES` people each
LINKS = Limit("personal-link", 10, 20, RoomRefused)  # of one address or account, to look at personal links
ARRIVING = Limit("arrive", 120, 600, RoomRefused)  # of one address, by shared links: a school comes in at once
SEARCHING = Limit("invitable", 90, 30, RoomRefused)
AUDIENCE = Limit("audience", 90, 30, RoomRefused)  # a search asks with each few letters
QUALITY = Limit("quality", 12, 6, RoomRefused)
REACTIONS = Limit("react", 300, 10, RoomRefused)
SOUND = Limit("sound", 900, 180, RoomRefused)


def reactions_of_address() -> Limit:
    """The limit of everybody who is signed out behind one address; a thirtieth of a minute's worth at once."""
    most = settings.REACTIONS_PER_ADDRESS
    return Limit("react-address", most, max(10, most // 30), RoomRefused)
