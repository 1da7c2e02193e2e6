"""Rules of messages: pure functions. Each returns a refusal code of `people.refusals`, or None for yes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """Facts that decide whether one account may write to another.

    A block by the receiver is not among them: it must not show. `follows_sender` is also true where only that block
    ended the receiver's follow. `known` is true where the receiver wrote to the sender before, or an app knows another
    reason (`social.hooks.acquaintances`).
    """

    oneself: bool
    receiver_open: bool
    messages_from: str
    sender_blocks: bool = False
    follows_sender: bool = False
    known: bool = False


def may_write(reach: Reach) -> str | None:
    """Writing to a person. Settings and closed accounts read the same code."""
    if reach.oneself:
        return "not_write_oneself"
    if reach.sender_blocks:
        return "you_block_receiver"
    if not reach.receiver_open or reach.messages_from == "nobody":
        return "cannot_be_reached"
    if reach.messages_from == "everyone" or reach.follows_sender or reach.known:
        return None
    return "cannot_be_reached"
