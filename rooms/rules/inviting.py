"""Rules of invitations: pure functions, without queries or clock. Each returns a refusal code, or None for yes."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.models.room import OVER
from rooms.rules.permissions import HELPERS, Facts, may_enter, may_take_part, over

MOST_TIMES = 3  # that one side invites a person to one room in one way: taken back and sent again, it is a flood


@dataclass(frozen=True, slots=True)
class Sent:
    """Facts that an inviter may know of a person: whether an invitation of this `kind` stands, whether the last one to
    speak was declined and a hand was raised since, whether they follow the inviter or are followed, and whether the
    host's side sees them as removed; `times` counts earlier invitations."""

    kind: str
    standing: bool = False
    declined: bool = False
    asked_since: bool = False
    acquainted: bool = False
    removed: bool = False
    times: int = 0


def may_invite(facts: Facts) -> str | None:
    """Acting in a room before it runs or while it does: before, only its host's side."""
    if facts.status == "scheduled" and facts.role in HELPERS:
        return facts.kept_out
    return may_take_part(facts)


def may_invite_to_speak(facts: Facts) -> str | None:
    """Inviting to speak, and taking that back; making and taking back personal links; seeing all of these."""
    return may_invite(facts) or (None if facts.role in HELPERS else "not_host")


def may_invite_to_listen(facts: Facts) -> str | None:
    """Inviting to listen, also by a link to share: everybody in the room who is signed in."""
    return may_invite(facts) or (None if facts.signed_in else "not_signed_in")


def may_be_invited(facts: Facts, target: Facts, sent: Sent) -> str | None:
    """Being invited by the person of `facts`, as far as that person may know why not. Blocks by others than the inviter
    are not asked about, nor a removal that came with one and is not listed: they must not show."""
    if target.seated or target.role in HELPERS:
        return "on_stage_already"
    if facts.role in HELPERS and sent.removed:
        return "removed_here"
    if sent.standing:
        return "invited_already"
    if sent.times >= MOST_TIMES:
        return "invited_often"
    if sent.kind == "speak" and sent.declined and not sent.asked_since:
        return "declined_here"
    if facts.role not in HELPERS and not sent.acquainted:
        return "not_acquainted"
    return None


def may_answer_invitation(facts: Facts, *, stands: bool, accepting: bool) -> str | None:
    """Accepting or declining one's own invitation to speak, before the room runs or while it does. One that was
    accepted may be declined until the person sits. Everybody who may answer may come in."""
    if facts.status in OVER:
        return over(facts.status)
    if code := (facts.kept_off_stage if accepting else facts.kept_out) or may_enter(facts):
        return code
    if not stands:
        return "unknown_invitation"
    return "on_stage_already" if facts.seated and not accepting else None


def may_use_link(facts: Facts) -> str | None:
    """Turning a personal link into one's own invitation: whatever the entry policy, which is what an invitation passes.
    A removal or block stays in force."""
    if facts.status in OVER:
        return "link_ended"
    if not facts.signed_in:
        return "not_signed_in"
    if code := facts.kept_out:
        return code
    if facts.seated or facts.role in HELPERS:
        return "on_stage_already"
    if facts.removed or facts.blocked_by_host:
        return "not_allowed"
    return "you_blocked_host" if facts.blocks_host else None
