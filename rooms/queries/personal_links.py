"""A personal link as the page at its address shows it, before it is used."""

from __future__ import annotations

from core.client_address import counted_as
from people.models import User
from rooms.models import Invitation, PersonalLink, token_hash
from rooms.rules import limits
from rooms.rules.refusals import RoomRefused


def personal_link(slug: str, token: str, reader: User | None, *, address: str) -> PersonalLink:
    """Find the link with this token, with its `room` and `by`. Changes nothing.

    A link that the reader used is found again (`used_at`). Raises too_fast (guesses are counted by the client's
    `address`), unknown_link, link_used (by somebody else), link_ended.
    """
    limits.LINKS.check(counted_as(address))
    links = PersonalLink.objects.select_related("room__host", "by")
    link = links.filter(hash=token_hash(token), room__slug=slug).first()
    if link is None:
        raise RoomRefused("unknown_link")
    if link.revoked_at is not None or link.room.is_over:
        raise RoomRefused("link_ended")
    if link.used_at is not None and not _used_by(link, reader):
        raise RoomRefused("link_used")
    return link


def _used_by(link: PersonalLink, reader: User | None) -> bool:
    return reader is not None and Invitation.objects.filter(link=link, user=reader).exists()
