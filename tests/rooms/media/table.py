"""A room with people whose voices are told apart, and listeners: what stories with real sound begin with."""

from __future__ import annotations

from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.rooms.media.conftest import signed_in
from tests.rooms.media.listeners import Listeners, browser_of
from tests.rooms.media.speaker import Speaker
from tests.support.processes import Site
from tests.support.voices import Voice

CLIPS = ("0870", "6930-75918-0000", "0920")


class Table:
    """A room, a voice for each of at most three people by handle, and `listeners` near and by HLS."""

    def __init__(self, site: Site, room: Room, *handles: str) -> None:
        self.site, self.room = site, room
        self.voices = {name: Voice(clip) for name, clip in zip(handles, CLIPS, strict=False)}
        self.browsers = {name: self.browser(name) for name in handles}
        self.listeners = Listeners(site, room)

    def browser(self, handle: str) -> Browser:
        """A signed-in browser of an account; one that does not exist is made."""
        return browser_of(self.site, handle) if handle == self.room.host.handle else signed_in(self.site, handle)

    def talker(self, name: str) -> Talker:
        """A client that comes, sits down and speaks by itself."""
        return Talker(self.browsers[name], self.room.slug, self.voices[name].microphone())

    def speaker(self, name: str) -> Speaker:
        """A client that does what it is told."""
        return Speaker(self.browsers[name], self.room.slug, self.voices[name])
