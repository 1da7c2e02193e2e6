"""Rules of a room: pure functions, without queries or clock. Each returns a refusal code, or None for yes.

`Facts` are loaded in one place, `rooms.rules.facts`.
"""

from __future__ import annotations

from dataclasses import dataclass

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that decide what one person may do in one room, as of one reading of the database.

    `role` is "host", "cohost", "speaker" or "listener"; a host is host without a seat too. `kept_out` and
    `kept_off_stage` are refusal codes of the account itself: it may not enter, or not speak, in any room.
    """

    status: str
    entry_policy: str
    speak_policy: str
    signed_in: bool
    kept_out: str | None = None
    kept_off_stage: str | None = None
    role: str = "listener"
    seated: bool = False
    follows_host: bool = False
    followed_by_host: bool = False
    consented: bool = False


def live(status: str) -> str | None:
    """Taking part at all: the room must be live."""
    if status == "live":
        return None
    return "unknown_room" if status == "scheduled" else "room_ended"


def may_open(*, hosts_already: bool) -> str | None:
    """Opening a room: one at a time. Membership of the creator group is checked in `people.standing`."""
    return "already_hosting" if hosts_already else None


def may_enter(facts: Facts) -> str | None:
    """Entering: anyone with the link, unless the host chose otherwise. A policy never removes host, co-hosts or people
    on stage; until there are invitations, `invited` admits nobody else."""
    if facts.kept_out is not None:
        return facts.kept_out
    if facts.entry_policy == "anyone" or facts.role in ON_STAGE:
        return None
    if not facts.signed_in:
        return "not_signed_in"
    if facts.entry_policy == "signed_in" or (facts.entry_policy == "followers" and facts.follows_host):
        return None
    return "not_allowed"


def may_take_part(facts: Facts) -> str | None:
    """Acting in a room: it must be live, and this person must be allowed in it."""
    return live(facts.status) or may_enter(facts)


def may_speak(facts: Facts) -> str | None:
    """Having the right to a seat, free or not. A policy never takes a seat away: seated people keep the right."""
    if facts.kept_off_stage is not None:
        return facts.kept_off_stage
    if code := may_enter(facts):
        return code
    by_policy = facts.speak_policy == "everyone" or (facts.speak_policy == "followed" and facts.followed_by_host)
    if facts.role in HELPERS or facts.seated or by_policy:
        return None
    return "not_allowed_to_speak"


def may_take_seat(facts: Facts, *, free_places: int) -> str | None:
    """Taking a seat: after consent to being recorded. Host and co-hosts need no free place, theirs are reserved."""
    if code := live(facts.status) or may_speak(facts):
        return code
    if not facts.consented:
        return "not_consented"
    return "stage_full" if free_places < 1 and facts.role not in HELPERS else None


def may_open_microphone(facts: Facts) -> str | None:
    """Sending sound: only with a seat and after consent, the host included."""
    if code := live(facts.status) or facts.kept_off_stage or may_enter(facts):
        return code
    if not facts.seated:
        return "not_on_stage"
    return None if facts.consented else "not_consented"


def may_set_entry_policy(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Setting the entry policy of a live room: host and co-hosts; staff by their own permission."""
    if code := live(facts.status):
        return code
    if as_staff:
        return None
    if code := may_enter(facts):
        return code
    return None if facts.role in HELPERS else "not_host"


def may_mute(facts: Facts, *, by_self: bool, target_role: str | None) -> str | None:
    """Closing a microphone: one's own; for host and co-hosts anybody's but the host's. `target_role` is None for a
    person who is not on stage."""
    if code := may_take_part(facts):
        return code
    if not by_self and facts.role not in HELPERS:
        return "not_host"
    if target_role is None:
        return "not_on_stage"
    if not by_self and target_role == "host":
        return "not_allowed"
    return None


def may_unmute(facts: Facts, *, by_self: bool) -> str | None:
    """Opening a microphone: one's own only."""
    if code := live(facts.status):
        return code
    return may_open_microphone(facts) if by_self else "not_allowed"


def may_unseat(facts: Facts, *, target_role: str | None) -> str | None:
    """Taking a person off the stage: host and co-hosts, but never the host's seat."""
    if code := may_take_part(facts):
        return code
    if facts.role not in HELPERS:
        return "not_host"
    if target_role is None:
        return "not_on_stage"
    return "not_allowed" if target_role == "host" else None


def may_end(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Ending a room: the host (not co-hosts), or staff."""
    if code := live(facts.status):
        return code
    if as_staff:
        return None
    return facts.kept_out or (None if facts.role == "host" else "not_host")


def may_see_recording(*, is_host: bool) -> str | None:
    """Seeing the state and files of the retained copy: the host."""
    return None if is_host else "not_host"


def may_replay(*, kept_out: bool, role: str, published: bool, admitted: bool, waiting: bool = False) -> str | None:
    """Hearing a room again: the host, the co-hosts at its end and people whose voice is in it; once the host published
    it, everybody whom the entry policy admits. For others the answer does not reveal that there is a recording.

    `role` is as in `rooms.rules.roles.role_in`; `kept_out` is true for a closed or suspended account. `waiting` is true
    for a person who opened a microphone while the recording is not finished: they see its progress.
    """
    if not kept_out and (role in ON_STAGE or waiting or (published and admitted)):
        return None
    return "not_found"


def may_publish(*, role: str, ready: bool) -> str | None:
    """Publishing the recording: the host, once there is something to hear."""
    if role != "host":
        return "not_host"
    return None if ready else "no_recording"


def may_download(*, role: str, ready: bool) -> str | None:
    """Downloading the full copy: the host, while it exists."""
    if role != "host":
        return "not_host"
    return None if ready else "no_recording"
