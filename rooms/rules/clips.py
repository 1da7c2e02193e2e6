"""Rules of clips: which ranges, who makes one, who may have it, who takes it back; and the facts behind them.

A clip is as public as the replay that it is cut from, and never more: every use asks again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from people.models import User
from rooms.models import LONGEST_CLIP_MS, Clip, Room
from rooms.rules import permissions
from rooms.rules.identity import Who
from rooms.rules.permissions import HELPERS, Facts
from rooms.rules.roles import replay_facts
from rooms.rules.room_time import clock_time

SHORTEST_MS = 1_000
LIVE_MS = 60_000  # how far back a clip of a live room reaches
MOST_IN_ROOM = 50  # clips that are there or under way; as many again of host and co-hosts
MOST_OF_ONE = 5  # of these, of one person who is neither host nor co-host
MOST_A_DAY = 20  # of one person, in all rooms, in 24 hours
MOST_UNDER_WAY = 3  # of one person


@dataclass(frozen=True)
class ClipFacts:
    """A person's standing towards the clips of a room. `heard` is why they may not hear the replay, None where they
    may; `public`: it is `published`, and the room admits them; `off`: the host switched clips off; `host_gone`: the
    host deleted their account."""

    role: str
    heard: str | None
    public: bool
    off: bool
    published: bool = False
    host_gone: bool = False

    @property
    def helps(self) -> bool:
        """Whether they are host or co-host."""
        return self.role in HELPERS


def clip_facts(room: Room, who: Who) -> ClipFacts:
    """Load the facts that decide about the clips of a room."""
    facts = replay_facts(room, who)
    code = permissions.may_replay(**asdict(facts))
    public = facts.published and facts.admitted
    return ClipFacts(facts.role, code, public, room.clips_off, facts.published, is_host_gone(room))


def is_host_gone(room: Room) -> bool:
    """Whether the host of a room deleted their account: then nobody has or makes clips of it."""
    return room.host.deleted_at is not None


def within_limits(from_ms: int, to_ms: int, *, room_ms: int) -> str | None:
    """A range of room time that can be a clip: SHORTEST_MS to LONGEST_CLIP_MS, and inside the room."""
    fits = 0 <= from_ms < to_ms <= room_ms
    return None if fits and SHORTEST_MS <= to_ms - from_ms <= LONGEST_CLIP_MS else "clip_range"


def may_make(facts: ClipFacts, *, signed_in: bool, ready: bool) -> str | None:
    """Making a clip of a replay: host and co-hosts; once it is public, everybody with an account who hears it."""
    if facts.heard is not None:
        return facts.heard
    if facts.host_gone:
        return "not_found"
    if not signed_in:
        return "not_signed_in"
    if not facts.helps and not facts.public:
        return "clip_not_public"
    if facts.off:
        return "clips_off"
    return None if ready else "no_recording"


def may_clip_live(facts: Facts, *, off: bool, restricted: bool) -> str | None:
    """Making a clip of the last minute of a live room: host and co-hosts, unless the host switched clips off or
    moderators closed the recording."""
    if code := permissions.may_manage(facts):
        return code
    if restricted:
        return "recording_unavailable"
    return "clips_off" if off else None


def may_switch_clips(facts: Facts) -> str | None:
    """Switching the clips of a room off and on again: the host, before, while and after it is live."""
    return facts.kept_out or (None if facts.role == "host" else "not_host")


def may_have(facts: ClipFacts) -> str | None:
    """Hearing and downloading a clip: whoever hears the replay once it is public, until then host and co-hosts, who
    have them also while clips are off. For others there is none, and for nobody once the host deleted their account."""
    if facts.heard is not None:
        return facts.heard
    if facts.host_gone:
        return "not_found"
    return None if facts.helps or (facts.public and not facts.off) else "not_found"


def why_withheld(facts: ClipFacts) -> str:
    """Code of the reason why whoever knows of a ready clip does not have it; "" where they have it, and where none of
    these is the reason."""
    if may_have(facts) is None:
        return ""
    if facts.heard == "recording_unavailable":
        return facts.heard
    if facts.host_gone:
        return ""
    if not facts.published:
        return "clip_not_public"
    return "clips_off" if facts.off else ""


def part_in(clip: Clip, user: User, role: str, *, voice: bool) -> str:
    """As what a person may take a clip back; "" where they may not. A co-host who is heard in it acts for their own
    voice, so nobody makes another one of that moment; a host, who may switch clips off, as host."""
    if clip.maker_id == user.pk:
        return Clip.TakenBackAs.MAKER
    if role == "host" or (role in HELPERS and not voice):
        return Clip.TakenBackAs.HOST
    return Clip.TakenBackAs.VOICE if voice else ""


def within_amounts(*, in_room: int, of_one: int, in_a_day: int, under_way: int) -> str | None:
    """So many clips a room, and of one person in a day and at once. `in_room` counts those of host and co-hosts, or
    those of all others; `of_one` those of one person who is neither, else 0."""
    if in_room >= MOST_IN_ROOM:
        return "clips_full"
    if of_one >= MOST_OF_ONE:
        return "clips_yours_full"
    return "clips_often" if in_a_day >= MOST_A_DAY or under_way >= MOST_UNDER_WAY else None


def clip_times(from_ms: int, to_ms: int) -> str:
    """Write a range of room time as people read it, "1:05 – 1:40"."""
    return " – ".join(clock_time(ms) for ms in (from_ms, to_ms))
