"""Links to a room: personal ones, by which one person without an account comes to speak, and shared ones, which say by
whom people came and admit nobody."""

from __future__ import annotations

import logging
import re
import secrets

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.client_address import counted_as
from core.text import LABEL
from people.actions.typed import clean_texts
from people.models import User
from people.standing import lock_standing
from rooms.actions.invitation_rows import as_message
from rooms.actions.invitations import open_invitations
from rooms.actions.locking import locked
from rooms.models import Arrival, Invitation, PersonalLink, Room, ShareLink, token_hash
from rooms.rules import inviting, limits, permissions
from rooms.rules.facts import STANDING, facts_of, facts_of_who
from rooms.rules.identity import Who, listener_mac
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import Sided, link_state, tell_host_side
from social.actions.messages import Outgoing, send_cards
from social.models import Block

log = logging.getLogger(__name__)

TOKEN_BYTES = 16  # 128 bits
CODE = re.compile(r"[a-z0-9]{1,16}")


def make_link(room_id: int, by: User, label: str) -> tuple[PersonalLink, str]:
    """Make a personal link; returns it with the path, which is not stored and cannot be shown again.

    Raises not_host, room_ended, bad_value (label), invitations_full: an open link counts as an open invitation.
    """
    texts, wrong = clean_texts({"label": (LABEL, label, True)})
    if wrong:
        raise RoomRefused("bad_value", wrong)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with locked(room_id) as room:
        refuse(inviting.may_invite_to_speak(facts_of(room, by)))
        if open_invitations(room) >= settings.ROOM_OPEN_INVITATIONS:
            raise RoomRefused("invitations_full")
        link = PersonalLink.objects.create(room=room, by=by, hash=token_hash(token), **texts)
        tell_host_side(room, _as_message(room, link))
    return link, link.address(token)


def revoke_link(room_id: int, by: User, link_id: int) -> None:
    """Take back a personal link that nobody used; again changes nothing. Raises not_host, room_ended, unknown_link,
    link_used (then the invitation that it became can be taken back)."""
    with locked(room_id) as room:
        refuse(inviting.may_invite_to_speak(facts_of(room, by)))
        link = PersonalLink.objects.filter(room=room, pk=link_id).first()
        if link is None:
            raise RoomRefused("unknown_link")
        if link.used_at is not None:
            raise RoomRefused("link_used")
        if link.revoked_at is None:
            link.revoked_at = timezone.now()
            link.save(update_fields=["revoked_at"])
            tell_host_side(room, _as_message(room, link))


def use_link(token: str, user: User, *, address: str = "") -> Invitation:
    """Turn a personal link into a person's own invitation to speak, which they still accept or decline. The same person
    gets the same invitation again. A person who is invited already keeps the link for somebody else.

    Only ever after a POST. `address` is the client's, under which guesses are counted. Raises too_fast, unknown_link,
    link_used, link_ended, on_stage_already, not_allowed, you_blocked_host, not_invite_oneself, and the codes of the
    account.
    """
    limits.LINKS.check(counted_as(address) if address else f"u:{user.pk}")
    room_id = PersonalLink.objects.filter(hash=token_hash(token)).values_list("room_id", flat=True).first()
    if room_id is None:
        raise RoomRefused("unknown_link")
    with locked(room_id) as room:
        lock_standing(user.pk)
        link = PersonalLink.objects.select_related("by").get(hash=token_hash(token))
        invitation = Invitation.objects.filter(link=link).select_related("user", "by").first()
        if invitation is None:
            invitation = _use(room, link, user)
        elif invitation.user_id != user.pk:
            raise RoomRefused("link_used")
    return invitation


def _use(room: Room, link: PersonalLink, user: User) -> Invitation:
    maker = facts_of(room, link.by)
    if link.revoked_at is not None or maker.removed or maker.kept_out is not None:
        raise RoomRefused("link_ended")
    refuse(inviting.may_use_link(facts_of(room, user)))
    if link.by_id == user.pk:
        raise RoomRefused("not_invite_oneself")
    if Block.objects.filter(blocker=link.by, blocked=user).exists():
        raise RoomRefused("not_allowed")
    to_speak = Invitation.objects.filter(room=room, user=user, kind=Invitation.Kind.SPEAK)
    if standing := to_speak.filter(state__in=STANDING).select_related("user", "by").first():
        return standing
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    invitation = Invitation.objects.create(
        room=room, user=user, by=link.by, by_helper=True, kind=Invitation.Kind.SPEAK, link=link
    )
    send_cards(link.by, "invitation", [Outgoing(user, {"invitation": invitation.pk})])
    tell_host_side(room, _as_message(room, link), as_message(room, invitation))
    return invitation


def _as_message(room: Room, link: PersonalLink) -> Sided:
    return {"type": "personal_link", "room": room.slug, "data": link_state(link, room)}


def share_link(room_id: int, by: User) -> ShareLink:
    """Return a person's own link to share, made the first time. Raises not_signed_in, unknown_room, room_ended, and the
    refusal codes of entry."""
    with transaction.atomic():
        room = Room.objects.filter(pk=room_id).first()
        if room is None:
            raise RoomRefused("unknown_room")
        refuse(inviting.may_invite_to_listen(facts_of(room, by)))
        link, _made = ShareLink.objects.get_or_create(room=room, by=by)
    return link


def arrive(code: str, who: Who, *, address: str = "") -> bool:
    """Count a person who came into a live room by a shared link; whether this was new. Nobody is counted twice, nor
    whoever shared it, sits on the stage, or was invited by the same person: they count with the invitation. An unknown
    code counts nothing. Raises too_fast, by `address`: a browser without cookies is somebody new each time."""
    link = ShareLink.objects.select_related("room").filter(code=code).first() if CODE.fullmatch(code) else None
    if link is None or (who.user is not None and who.user.pk == link.by_id):
        return False
    limits.ARRIVING.check(counted_as(address) if address else who.key)
    facts = facts_of_who(link.room, who)
    if permissions.may_take_part(facts) or facts.role in permissions.ON_STAGE:
        return False
    if who.user is not None and Invitation.objects.filter(room=link.room, user=who.user, by=link.by_id).exists():
        return False
    macs = [listener_mac(link.room_id, key) for key in (who.key, who.listener) if key]
    if Arrival.objects.filter(link=link, mac__in=macs).exists():
        return False
    try:
        with transaction.atomic():
            Arrival.objects.create(link=link, mac=macs[0])
    except IntegrityError:  # two pages at once
        return False
    return True


def note_arrival(code: str, who: Who, address: str) -> None:
    """`arrive` for a line or a player that opens: what merely loads a page, such as the preview of a link, counts for
    nobody. Somebody who comes too fast to be counted comes in all the same; `address` is the client's."""
    try:
        arrive(code, who, address=address)
    except RoomRefused as refused:
        log.info("an arrival by a shared link is not counted: %s", refused.code)
