"""The kinds of reactions, their skin tones and their limits. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# Unicode's modifiers for tones 1 (light) to 5 (dark); tone 0 is the emoji as it is.
TONES = ("", "\U0001f3fb", "\U0001f3fc", "\U0001f3fd", "\U0001f3fe", "\U0001f3ff")
MOST_BEHIND = 60  # seconds that what a listener hears may be behind the room


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of reaction. `toned`: whether it has skin tones."""

    emoji: str
    toned: bool = False


KINDS: dict[str, Kind] = {
    "clap": Kind("👏", toned=True),
    "heart": Kind("❤️"),
    "laugh": Kind("😂"),
    "thumbs_up": Kind("👍", toned=True),
    "hundred": Kind("💯"),
    "high_five": Kind("✋", toned=True),
    "wave": Kind("👋", toned=True),
    "party": Kind("🎉"),
    "wow": Kind("😮"),
    "fire": Kind("🔥"),
}
"""All kinds by name, in the order in which pages offer them."""


def has_tone(kind: str, tone: int) -> bool:
    """Whether there is this tone of a kind: 0 of every kind, 1 to 5 of a hand."""
    return tone == 0 or (KINDS[kind].toned and 0 < tone < len(TONES))


def second_of(room_time_ms: int, behind: int) -> int:
    """Second of room time at which somebody heard what they react to; `behind` is how many seconds late they hear."""
    return max(0, room_time_ms // 1000 - min(max(behind, 0), MOST_BEHIND))
