"""The clips of a room as one reader sees them, for pages and the API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from people.models import User
from rooms.models import Clip, ClipVoice, Recording, Room
from rooms.recording.clips.handing_out import addresses
from rooms.rules.clips import (
    ClipFacts,
    clip_facts,
    clip_times,
    is_host_gone,
    may_clip_live,
    may_have,
    may_make,
    part_in,
    why_withheld,
)
from rooms.rules.facts import facts_of_who
from rooms.rules.identity import Who
from rooms.rules.refusals import TABLE, RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.wire.events import iso
from social.models import Block


@dataclass(frozen=True)
class ShownClip:
    """A clip for one reader. `address` and `captions` are "" where they may not have it, or it is not there. `part` is
    as what they may take it back ("" where they may not), `has_voice` whether they are heard in it. `maker_name` is not
    the name of somebody whom they block. `withheld` is the code of why they do not have it, where that can be said."""

    clip: Clip
    address: str
    captions: str
    part: str
    has_voice: bool
    maker_name: str
    withheld: str = ""

    @property
    def times(self) -> str:
        return clip_times(self.clip.from_ms, self.clip.to_ms)

    @property
    def may_take_back(self) -> bool:
        return bool(self.part) and self.clip.state != Clip.State.TAKEN_BACK

    @property
    def is_under_way(self) -> bool:
        return self.clip.state in Clip.UNDER_WAY

    @property
    def why(self) -> str:
        """Why it cannot be made, in the active language; "" where it can."""
        return str(TABLE[self.clip.why].text) if self.clip.why in TABLE else ""

    @property
    def why_withheld(self) -> str:
        """Why they do not have it, in the active language; "" where they do, or it is not ready."""
        if self.withheld == "clip_not_public":
            return _("Only host and co-hosts have it until the replay is public.")
        return str(TABLE[self.withheld].text) if self.withheld else ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        clip = self.clip
        return {
            "key": clip.key,
            "kind": clip.kind,
            "state": clip.state,
            "why": clip.why or None,
            "from_ms": clip.from_ms,
            "to_ms": clip.to_ms,
            "asked_at": iso(clip.asked_at),
            "size": clip.size if clip.state == Clip.State.READY else None,
            "address": self.address or None,
            "captions": self.captions or None,
            "page": page_of(clip),
            "may_take_back": self.may_take_back,
        }


@dataclass(frozen=True)
class RoomClips:
    """The clips of a room for one reader. `may_make` is why they may not make one, None where they may; `helps`: they
    are host or co-host."""

    room: Room
    clips: list[ShownClip]
    may_make: str | None
    may_switch: bool
    helps: bool

    @property
    def is_under_way(self) -> bool:
        return any(shown.is_under_way for shown in self.clips)

    @property
    def shows(self) -> bool:
        """Whether there is anything for this reader."""
        return bool(self.clips) or self.may_make is None or self.may_switch

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "off": self.room.clips_off,
            "may_make": self.may_make is None,
            "may_switch": self.may_switch,
            "clips": [shown.as_json() for shown in self.clips],
        }


def page_of(clip: Clip) -> str:
    """Path of the page of a clip."""
    return f"{clip.room.get_absolute_url()}clips/{clip.key}/"


def clips_of(room: Room, who: Who, known_facts: ClipFacts | None = None) -> RoomClips:
    """Load the clips that a reader may know of, the latest first: those they may have, their own, and those with their
    voice. Raises what a replay raises for people who may not hear it and have no part in a clip.

    `known_facts`: of a reader who hears a replay that is ready, so that they are not loaded again.
    """
    facts = replace(known_facts, host_gone=is_host_gone(room)) if known_facts else clip_facts(room, who)
    rows = _rows(who).filter(room=room).exclude(state=Clip.State.TAKEN_BACK)
    if not (facts.helps and facts.heard is None):
        known = Q(state=Clip.State.READY) if may_have(facts) is None else Q(pk__in=[])
        known |= Q(maker=who.user) | Q(mine=True, state=Clip.State.READY) if who.user is not None else Q()
        rows = rows.filter(known)
    shown = [_shown(clip, who.user, facts) for clip in rows.order_by("-asked_at", "-pk")]
    found = RoomClips(
        room=room,
        clips=shown if room.purged_at is None else [],
        may_make=_may_make(room, who, facts, ready=known_facts is not None),
        may_switch=facts.role == "host" and room.purged_at is None,
        helps=facts.helps,
    )
    if not found.shows:
        refuse(facts.heard)
    return found


def clip_of(room: Room, key: str, who: Who) -> ShownClip:
    """Load one clip for a reader who may know of it. Raises not_found, recording_unavailable."""
    clip = _rows(who).filter(room=room, key=key, room__purged_at=None).first()
    if clip is None:
        raise RoomRefused("not_found")
    facts = clip_facts(room, who)
    shown = _shown(clip, who.user, facts)
    if shown.part:
        return replace(shown, withheld=why_withheld(facts) if clip.state == Clip.State.READY else "")
    code = may_have(facts) or (None if clip.state == Clip.State.READY else "not_found")
    if code is not None:
        raise RoomRefused(code)
    return shown


def _rows(who: Who) -> Any:
    """Select clips, each with whether the reader is heard in it, and whether they block its maker."""
    pk = 0 if who.user is None else who.user.pk
    voices = ClipVoice.objects.filter(clip=OuterRef("pk"), user=pk)
    blocks = Block.objects.filter(blocker=pk, blocked=OuterRef("maker"))
    return Clip.objects.select_related("room__host", "maker").annotate(mine=Exists(voices), blocks_maker=Exists(blocks))


def _shown(clip: Any, user: User | None, facts: ClipFacts) -> ShownClip:
    ready = clip.state == Clip.State.READY and may_have(facts) is None
    address, captions = addresses(clip, user) if ready else ("", "")
    part = "" if user is None else part_in(clip, user, facts.role, voice=clip.mine)
    return ShownClip(
        clip=clip,
        address=address,
        captions=captions if clip.room.transcription and not clip.room.is_live else "",
        part=part,
        has_voice=clip.mine,
        maker_name=_("Somebody") if clip.blocks_maker else clip.maker.display_name,
    )


def _may_make(room: Room, who: Who, facts: ClipFacts, *, ready: bool) -> str | None:
    """Why a reader may not make a clip now: of the last minute of a live room, or of a replay."""
    if room.purged_at is not None:
        return "not_found"
    if room.is_live:
        live = facts_of_who(room, who)
        return may_clip_live(live, off=room.clips_off, restricted=is_restricted(room))
    ready = ready or Recording.objects.filter(room=room, state=Recording.State.READY).exists()
    return may_make(facts, signed_in=who.user is not None, ready=ready)
