"""Who may do what in a room. Pure functions of given values: no queries, no clock. Each answers a refusal code or None.

`role` is what somebody is in this room: "host", "cohost", "speaker" or "listener".
"""

from __future__ import annotations

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}


def live(status: str) -> str | None:
    """Is there anything going on to take part in?"""
    if status == "live":
        return None
    return "unknown_room" if status == "scheduled" else "room_ended"


def may_open(*, hosts_already: bool) -> str | None:
    """One room at a time; that only members of the creator group host is asked of `people.standing`."""
    return "already_hosting" if hosts_already else None


def may_enter(*, policy: str, signed_in: bool, is_host: bool, follows_host: bool) -> str | None:
    """Entry: anyone with the link, unless the host chose otherwise."""
    if policy == "anyone" or is_host:
        return None
    if not signed_in:
        return "not_signed_in"
    if policy == "signed_in" or (policy == "followers" and follows_host):
        return None
    return "not_allowed"


def may_speak(*, signed_in: bool, role: str, policy: str, followed_by_host: bool) -> str | None:
    """Has this person the right to a place, whether or not one is free now?"""
    if not signed_in:
        return "not_signed_in"
    if role in HELPERS or policy == "everyone" or (policy == "followed" and followed_by_host):
        return None
    return "not_allowed_to_speak"


def may_take_seat(
    *, status: str, signed_in: bool, role: str, policy: str, followed_by_host: bool, consented: bool, free_places: int
) -> str | None:
    """The host's own place is always free for the host; everybody agrees to being recorded first."""
    if code := live(status):
        return code
    if code := may_speak(signed_in=signed_in, role=role, policy=policy, followed_by_host=followed_by_host):
        return code
    if not consented:
        return "not_consented"
    return "stage_full" if free_places < 1 and role not in HELPERS else None


def may_open_microphone(*, status: str, on_stage: bool, consented: bool) -> str | None:
    """Before any sound of a person is taken in: a place at the table and consent, the host's included."""
    if code := live(status):
        return code
    if not on_stage:
        return "not_on_stage"
    return None if consented else "not_consented"


def may_mute(*, status: str, by_self: bool, by_role: str, target_role: str | None) -> str | None:
    """Oneself, and whom one helps keep order over. `target_role` is None for who is not on stage."""
    if code := live(status):
        return code
    if not by_self and by_role not in HELPERS:
        return "not_host"
    if target_role is None:
        return "not_on_stage"
    if not by_self and target_role == "host":
        return "not_allowed"
    return None


def may_unmute(*, status: str, by_self: bool, on_stage: bool, consented: bool) -> str | None:
    """A microphone is only ever opened by the person who speaks into it."""
    if code := live(status):
        return code
    if not by_self:
        return "not_allowed"
    return may_open_microphone(status=status, on_stage=on_stage, consented=consented)


def may_unseat(*, status: str, by_role: str, target_role: str | None) -> str | None:
    """Host and co-hosts take people off the stage, but never the host."""
    if code := live(status):
        return code
    if by_role not in HELPERS:
        return "not_host"
    if target_role is None:
        return "not_on_stage"
    return "not_allowed" if target_role == "host" else None


def may_end(*, status: str, role: str, is_staff: bool = False) -> str | None:
    """Only the host ends a room (co-hosts do not), or staff with a reason of their own."""
    if code := live(status):
        return code
    return None if role == "host" or is_staff else "not_host"


def may_see_recording(*, is_host: bool) -> str | None:
    """The retained copy is its host's business until the host publishes it."""
    return None if is_host else "not_host"


def may_replay(*, active: bool, role: str, published: bool, admitted: bool, waiting: bool = False) -> str | None:
    """The host, co-hosts at the room's end and whose voice is in it; where the host published it, everybody whom the
    room's entry policy admits. Others do not learn that it is there.

    `role` is as in `recording.access.role_in`; `active` is false for a closed account. `waiting` is for who opened a
    microphone and whose recording is not finished, so that there is nothing to hear: they see how far it is.
    """
    if active and (role in ON_STAGE or waiting or (published and admitted)):
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
