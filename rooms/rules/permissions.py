"""Rules of a room. Pure functions of given values: no queries, no clock. Each answers a refusal code or None.

`Facts` are loaded in one place, `rooms.rules.facts`.
"""

from __future__ import annotations

from dataclasses import dataclass

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that decide what one person may do in one room, as of one look.

    `role` is "host", "cohost", "speaker" or "listener"; a host is host also while standing. `kept_out` and
    `kept_off_stage` are the codes by which the account itself may not come in, or not speak, in any room.
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
    """Is there anything going on to take part in?"""
    if status == "live":
        return None
    return "unknown_room" if status == "scheduled" else "room_ended"


def may_open(*, hosts_already: bool) -> str | None:
    """One room at a time; that only members of the creator group host is asked of `people.standing`."""
    return "already_hosting" if hosts_already else None


def may_enter(facts: Facts) -> str | None:
    """Entry: anyone with the link, unless the host chose otherwise. Host, co-hosts and who is on stage are never put
    out by a policy; until there are invitations, `invited` admits nobody else."""
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
    """Asked before every act in a live room: there is one, and this person may be in it."""
    return live(facts.status) or may_enter(facts)


def may_speak(facts: Facts) -> str | None:
    """Has this person the right to a place, whether or not one is free now? A policy never takes a seat away: who
    sits already has it."""
    if facts.kept_off_stage is not None:
        return facts.kept_off_stage
    if code := may_enter(facts):
        return code
    by_policy = facts.speak_policy == "everyone" or (facts.speak_policy == "followed" and facts.followed_by_host)
    if facts.role in HELPERS or facts.seated or by_policy:
        return None
    return "not_allowed_to_speak"


def may_take_seat(facts: Facts, *, free_places: int) -> str | None:
    """The host's own place is always free for the host; everybody agrees to being recorded first."""
    if code := live(facts.status) or may_speak(facts):
        return code
    if not facts.consented:
        return "not_consented"
    return "stage_full" if free_places < 1 and facts.role not in HELPERS else None


def may_open_microphone(facts: Facts) -> str | None:
    """Before any sound of a person is taken in: a place at the table and consent, the host's included."""
    if code := live(facts.status) or facts.kept_off_stage or may_enter(facts):
        return code
    if not facts.seated:
        return "not_on_stage"
    return None if facts.consented else "not_consented"


def may_set_entry_policy(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Host and co-hosts say who may come in while the room is live; staff by their own permission."""
    if code := live(facts.status):
        return code
    if as_staff:
        return None
    if code := may_enter(facts):
        return code
    return None if facts.role in HELPERS else "not_host"


def may_mute(facts: Facts, *, by_self: bool, target_role: str | None) -> str | None:
    """Oneself, and whom one helps keep order over; `target_role` is None for who is not on stage."""
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
    """A microphone is only ever opened by the person who speaks into it."""
    if code := live(facts.status):
        return code
    return may_open_microphone(facts) if by_self else "not_allowed"


def may_unseat(facts: Facts, *, target_role: str | None) -> str | None:
    """Host and co-hosts take people off the stage, but never the host."""
    if code := may_take_part(facts):
        return code
    if facts.role not in HELPERS:
        return "not_host"
    if target_role is None:
        return "not_on_stage"
    return "not_allowed" if target_role == "host" else None


def may_end(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Only the host ends a room (co-hosts do not), or staff with a reason of their own."""
    if code := live(facts.status):
        return code
    if as_staff:
        return None
    return facts.kept_out or (None if facts.role == "host" else "not_host")


def may_see_recording(*, is_host: bool) -> str | None:
    """The retained copy is its host's business until the host publishes it."""
    return None if is_host else "not_host"


def may_replay(*, kept_out: bool, role: str, published: bool, admitted: bool, waiting: bool = False) -> str | None:
    """The host, co-hosts at the room's end and whose voice is in it; where the host published it, everybody whom the
    room's entry policy admits. Others do not learn that it is there.

    `role` is as in `recording.access.role_in`; `kept_out` is true for an account that is closed or suspended. `waiting`
    is for who opened a microphone and whose recording is not finished, so that there is nothing to hear: they see how
    far it is.
    """
    if not kept_out and (role in ON_STAGE or waiting or (published and admitted)):
        return None
    return "not_found"


def may_publish(*, role: str, ready: bool) -> str | None:
    """It is the host's choice alone, and there must be something to hear."""
    if role != "host":
        return "not_host"
    return None if ready else "no_recording"


def may_download(*, role: str, ready: bool) -> str | None:
    """The full copy is for its host alone, while it exists."""
    if role != "host":
        return "not_host"
    return None if ready else "no_recording"
