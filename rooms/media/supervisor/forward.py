"""Forwards of a room's mix from Janus to the children that receive it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from rooms.media import srtp
from rooms.media.janus import bridge as audiobridge
from rooms.media.janus.client import Janus


class Forward:
    """The port on which one receiver takes in the mix, and the SRTP key of its last start.

    Janus gets the forward anew with each key: a receiver that comes in late cannot know how often the packets' numbers
    went round.
    """

    def __init__(self, pick_port: Callable[[], int], port: int | None = None) -> None:
        """`port` is None until the first start, which takes one from `pick_port`."""
        self.port = port
        self._pick_port = pick_port
        self._key = self._forwarded = ""
        self._left: list[int] = []  # ports that Janus must send to no more

    def renew(self) -> tuple[int, str]:
        """Port and fresh key for a receiver that is about to start. Raises NoPort."""
        if self.port is None:
            self.port = self._pick_port()
        self._key = srtp.new_key()
        return self.port, self._key

    def leave_port(self) -> None:
        """Use another port from the next start on: the receiver does not end, and keeps this one."""
        if self.port is not None:
            self._left.append(self.port)
        self.port, self._key, self._forwarded = None, "", ""

    async def apply(self, janus: Janus, bridge: audiobridge.Bridge) -> None:
        """Make Janus send the mix where it should, and nowhere else. Raises JanusError, JanusGone, TimeoutError."""
        for left in list(self._left):
            await audiobridge.stop_forward(janus, bridge, settings.JANUS_ADMIN_KEY, left)
            self._left.remove(left)
        port, key = self.port, self._key
        if port is not None and key != self._forwarded:
            await audiobridge.forward(janus, bridge, settings.JANUS_ADMIN_KEY, port, key)
            self._forwarded = key
