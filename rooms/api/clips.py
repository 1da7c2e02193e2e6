"""Clips for programs: list, make, take back, switch off."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from rooms import actions
from rooms.api import shapes
from rooms.api.views import RoomView, described
from rooms.models import Clip, Room
from rooms.queries.clips import clip_of, clips_of
from rooms.rules import limits
from rooms.rules.refusals import RoomRefused


class ClipView(RoomView):
    """Base of the views of clips: everybody reads what they may know of, to do something one signs in."""

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request.method in SAFE_METHODS else [IsAuthenticated()]

    def known_room(self, slug: str) -> Room:
        """The room at this address, whomever it admits now. Raises not_found."""
        room = Room.objects.by_slug(slug)
        if room is None:
            raise RoomRefused("not_found")
        return room

    def one(self, clip: Clip, status: int = 200) -> Response:
        room = self.known_room(clip.room.slug)
        return Response(clip_of(room, clip.key, self.who).as_json(), status=status)


class Clips(ClipView):
    """`/rooms/<slug>/clips/`."""

    @described("rooms_clips", shapes.ClipsShape)
    def get(self, request: Request, slug: str) -> Response:
        """Clips of a room that you may have, that you asked for, or that you are heard in."""
        return Response(clips_of(self.known_room(slug), self.who).as_json())

    @described("rooms_make_clip", shapes.ClipShape, shapes.MakeClip, status=201)
    def post(self, request: Request, slug: str) -> Response:
        """Make a clip of a replay; as host or co-host also of the last minute of a live room."""
        self.check_pace(limits.CLIPS)
        values = self.values(shapes.MakeClip)
        room = self.known_room(slug)
        if room.is_live:
            clip = actions.make_live_clip(room.pk, self.me, values["kind"], values.get("last_ms", 60_000))
        elif "from_ms" in values and "to_ms" in values:
            clip = actions.make_clip(room.pk, self.me, values["kind"], values["from_ms"], values["to_ms"])
        else:
            raise RoomRefused("clip_range")
        return self.one(clip, status=201)

    @described("rooms_switch_clips", shapes.ClipsShape, shapes.SwitchClips)
    def put(self, request: Request, slug: str) -> Response:
        """Switch clips off in a room, or on again, as its host."""
        self.check_pace()
        values = self.values(shapes.SwitchClips)
        room = actions.set_clips_off(self.known_room(slug).pk, self.me, values["off"])
        return Response(clips_of(room, self.who).as_json())


class OneClip(ClipView):
    """`/rooms/<slug>/clips/<key>/`."""

    @described("rooms_clip", shapes.ClipShape)
    def get(self, request: Request, slug: str, key: str) -> Response:
        """A clip as you see it now."""
        return Response(clip_of(self.known_room(slug), key, self.who).as_json())

    @described("rooms_take_back_clip", shapes.ClipShape)
    def delete(self, request: Request, slug: str, key: str) -> Response:
        """Delete a clip for everybody: one that you made, that you are heard in, or of a room that you host."""
        self.check_pace()
        shown = clip_of(self.known_room(slug), key, self.who)
        return self.one(actions.take_back_clip(shown.clip.key, self.me))
