"""Rule of own initiative: when a senior may open a case that nobody reported. Pure."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("room", "person", "title")


@dataclass(frozen=True)
class InitiativeFacts:
    """Facts of a room, a subject and a senior. `was_there`: the subject was host or on the stage (no subject: yes)."""

    may_open: bool
    party: bool
    kind: str
    has_subject: bool
    was_there: bool
    kept: bool  # live, or over with a copy that is not due for deletion
    reported: bool = False  # by this senior themselves, the room or anybody in it


def why_not_open(facts: InitiativeFacts) -> str | None:
    """Return the refusal code, None for yes."""
    if not facts.may_open:
        return "not_allowed"
    if facts.party:
        return "party_of_room"
    if facts.reported:
        return "reported_oneself"
    if not facts.kept:
        return "copy_gone"
    if facts.kind not in KINDS or facts.has_subject != (facts.kind == "person"):
        return "bad_value"
    return None if facts.was_there else "not_in_room"
