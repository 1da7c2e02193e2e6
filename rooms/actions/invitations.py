"""Invitations to speak and to listen: made, answered and taken back.

They never enter the room's log. The host's side is told of those that host and co-hosts make, the invited person by a
direct message, whose delivery `rooms.actions.announcing` follows up.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from people.actions.standing import standing_changed as account_changed
from people.handles import read_handle
from people.models import User
from people.queries import by_handles
from people.standing import lock_standing
from rooms import presence
from rooms.actions.hand_queue import join_queue, lower_hands, open_hands
from rooms.actions.hands import lower_forbidden_hands
from rooms.actions.invitation_rows import as_message
from rooms.actions.locking import locked
from rooms.actions.seating import free_places
from rooms.models import Hand, Invitation, PersonalLink, Removal, Room
from rooms.rules import inviting
from rooms.rules.facts import STANDING, facts_of, facts_of_many
from rooms.rules.inviting import Sent
from rooms.rules.permissions import HELPERS, Facts
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import hand_state, tell, tell_host_side
from social.actions.messages import Outgoing, send_cards
from social.models import Block
from social.queries import seeming_followed, seeming_followers
from social.reach import why_not_write

log = logging.getLogger(__name__)

SPEAK, LISTEN = Invitation.Kind.SPEAK, Invitation.Kind.LISTEN
BATCH = 200  # people invited in one transaction: the room is locked for it
MOST_TOLD = 50  # messages to the host's side about one batch: more would fill the queues of their sockets


@dataclass(frozen=True)
class InviteResult:
    """Answer about one line of a list: the line as it was sent, and "invited" or the code of a refusal."""

    user: str
    result: str


@dataclass(frozen=True)
class Accepted:
    """State after accepting. `seat_free`: a place can be taken at once. Else `place` is that in the queue of hands,
    from 1, or None: the person sits already, the room does not run yet, or `needs_consent` to being recorded, after
    which they raise their hand themselves."""

    seat_free: bool = False
    place: int | None = None
    needs_consent: bool = False


@dataclass(frozen=True)
class Plan:
    """Outcome for each account of a batch, before anything is written. `silent` are invited without being told:
    somebody else's block keeps them out, or a removal, and the inviter must not notice."""

    codes: Mapping[int, str | None]
    silent: Collection[int]


def invite(room_id: int, by: User, people: Sequence[str], kind: str) -> list[InviteResult]:
    """Invite people, by handle, to speak or to listen; each line is answered, in the order of the list. An account that
    is named twice is invited once.

    Works in batches, each in a transaction of its own. Raises bad_value, not_host (to speak: host and co-hosts),
    not_signed_in, unknown_room, room_ended, and the refusal codes of entry; then batches before stand.
    """
    if kind not in Invitation.Kind.values:
        raise RoomRefused("bad_value", {"kind": ", ".join(Invitation.Kind.values)})
    results: dict[str, str] = {}
    lines = list(dict.fromkeys(people))
    for start in range(0, max(1, len(lines)), BATCH):  # an empty list too: whoever may not invite is refused
        results |= _invite_batch(room_id, by, lines[start : start + BATCH], kind)
    return [InviteResult(line, results[line]) for line in people]


def _invite_batch(room_id: int, by: User, lines: Sequence[str], kind: str) -> dict[str, str]:
    handles = {line: handle.lower() for line in lines if (handle := read_handle(line)) is not None}
    accounts = by_handles(handles.values())
    users = list(accounts.values())
    present = _present(room_id, users) if kind == SPEAK else set()
    with locked(room_id) as room:
        for pk in sorted({by.pk, room.host_id}):
            lock_standing(pk)  # a block by or of these comes before, and is seen, or after, and revokes
        facts = facts_of(room, by)
        refuse(inviting.may_invite_to_speak(facts) if kind == SPEAK else inviting.may_invite_to_listen(facts))
        plan = _plan(room, by, facts, users, kind, present)
        chosen = [user for user in users if plan.codes[user.pk] is None]
        left = _left(room, by, facts, kind)
        full = "invitations_full" if kind == SPEAK else "invitations_used_up"
        codes = {**plan.codes, **{user.pk: full for user in chosen[left:]}}
        _write(room, by, facts, kind, chosen[:left], plan.silent)
    return {line: _result(handles.get(line), accounts, codes) for line in lines}


def _result(handle: str | None, accounts: Mapping[str, User], codes: Mapping[int, str | None]) -> str:
    if handle is None:
        return "bad_value"
    user = accounts.get(handle)
    return "unknown_person" if user is None else codes[user.pk] or "invited"


def _present(room_id: int, users: Sequence[User]) -> set[int]:
    """Those of the accounts who are in the room. Read before it is locked."""
    try:
        _number, here = presence.look(room_id, [presence.user_key(user.pk) for user in users])
    except RedisError as error:
        log.warning("room %s: nobody counts as present: %s", room_id, error)
        return set()
    return {user.pk for user, is_here in zip(users, here, strict=True) if is_here}


def _plan(room: Room, by: User, facts: Facts, users: Sequence[User], kind: str, present: Collection[int]) -> Plan:
    """Decide about each account, in a constant number of queries."""
    targets = facts_of_many([(room, user.pk) for user in users])
    unreachable = why_not_write(by, users)
    sent = _sent(room, by, facts, users, kind)
    codes: dict[int, str | None] = {}
    silent = set()
    for user in users:
        target = targets[room.pk, user.pk]
        reach = unreachable[user.pk]
        seen_here = user.pk in present and not target.listens_unseen
        if reach == "cannot_be_reached" and kind == SPEAK and (seen_here or target.hand_raised):
            reach = None
        codes[user.pk] = inviting.may_be_invited(facts, target, sent[user.pk]) or reach
        if user.pk == by.pk:
            codes[user.pk] = "not_invite_oneself"
        if target.removed or target.blocked_by_host:
            silent.add(user.pk)
    return Plan(codes, silent)


def _sent(room: Room, by: User, facts: Facts, users: Sequence[User], kind: str) -> dict[int, Sent]:
    """Facts that the inviter may know of each account."""
    pks, helper = [user.pk for user in users], facts.role in HELPERS
    whose = Q(by_helper=True) if helper else Q(by=by)
    rows = Invitation.objects.filter(whose, room=room, user__in=pks)
    standing = set(rows.filter(kind=kind, state__in=STANDING).values_list("user_id", flat=True))
    times = dict(rows.filter(kind=kind).order_by().values_list("user_id").annotate(times=Count("pk")))
    declined = _latest(rows.filter(kind=SPEAK, state=Invitation.State.DECLINED), "answered_at")
    asked = _latest(Hand.objects.filter(room=room, user__in=pks), "raised_at")
    acquainted = set() if helper else acquainted_with(by, pks)
    removals = Removal.objects.filter(room=room, user__in=pks, undone_at=None, listed=True)
    removed = set(removals.values_list("user_id", flat=True))
    return {
        pk: Sent(
            kind=kind,
            standing=pk in standing,
            declined=pk in declined,
            asked_since=pk in declined and pk in asked and asked[pk] > declined[pk],
            acquainted=pk in acquainted,
            removed=pk in removed,
            times=times.get(pk, 0),
        )
        for pk in pks
    }


def _latest(rows: QuerySet[Any, Any], column: str) -> dict[int, datetime]:
    """The latest value of a column, by account."""
    return dict(rows.order_by().values_list("user_id").annotate(latest=Max(column)))


def acquainted_with(by: User, pks: Collection[int]) -> set[int]:
    """Those of the accounts who follow this person or are followed, as far as the person knows."""
    return {*seeming_followers(by.pk, pks), *seeming_followed(by.pk, pks)}


def _left(room: Room, by: User, facts: Facts, kind: str) -> int:
    """The number of people who may still be invited to a locked room."""
    if kind == SPEAK:
        return max(0, settings.ROOM_OPEN_INVITATIONS - open_invitations(room))
    most = settings.ROOM_INVITATIONS_OF_HOST if facts.role in HELPERS else settings.ROOM_INVITATIONS_OF_GUEST
    return max(0, most - Invitation.objects.filter(room=room, by=by, kind=LISTEN).count())


def open_invitations(room: Room) -> int:
    """The number of invitations to speak that nobody answered yet, and of personal links that nobody used."""
    pending = Invitation.objects.filter(room=room, kind=SPEAK, state=Invitation.State.PENDING)
    links = PersonalLink.objects.filter(room=room, used_at=None, revoked_at=None)
    return pending.count() + links.count()


def _write(room: Room, by: User, facts: Facts, kind: str, users: Sequence[User], silent: Collection[int]) -> None:
    """Write invitations and their messages. One by host or co-host is a card that can be answered or that admits; one
    by a guest is a card of the room, and no more."""
    helper = facts.role in HELPERS
    rows = Invitation.objects.bulk_create(
        Invitation(room=room, user=user, by=by, by_helper=helper, kind=kind) for user in users
    )
    data = [{"invitation": row.pk} if helper else {"room": room.pk} for row in rows]
    cards = [Outgoing(user, values, withheld=user.pk in silent) for user, values in zip(users, data, strict=True)]
    send_cards(by, "invitation" if helper else "room", cards)
    if helper:
        tell_host_side(room, *(as_message(room, row) for row in rows[:MOST_TOLD]))


def accept(room_id: int, user: User) -> Accepted:
    """Accept one's own invitation to speak; again changes nothing. In a live room with a full stage the person joins
    the end of the queue of hands now, marked as invited; a hand that is up keeps its place.

    Raises unknown_invitation, room_ended, and the refusal codes of the account and of entry.
    """
    with locked(room_id) as room:
        lock_standing(user.pk)
        facts, invitation = facts_of(room, user), _standing(room, user)
        stands = invitation is not None
        refuse(inviting.may_answer_invitation(facts, stands=stands, accepting=True))
        if invitation is not None and invitation.state == Invitation.State.PENDING:
            _answer(room, invitation, Invitation.State.ACCEPTED)
        return _come_forward(room, user, facts)


def _come_forward(room: Room, user: User, facts: Facts) -> Accepted:
    """Raise the hand of a person who accepted, if that is due."""
    if not room.is_live or facts.seated:
        return Accepted()
    if free_places(room):
        return Accepted(seat_free=True)
    queue = open_hands(room)
    for place, hand in enumerate(queue, 1):
        if hand.user_id == user.pk:
            _mark_invited(room, hand)
            return Accepted(place=place)
    if not facts.consented:
        return Accepted(needs_consent=True)
    return Accepted(place=join_queue(room, user, queue, invited=True))


def _mark_invited(room: Room, hand: Hand) -> None:
    if not hand.invited:
        hand.invited = True
        hand.save(update_fields=["invited"])
        tell_host_side(room, {"type": "hand_raised", "room": room.slug, "data": hand_state(hand)})


def decline(room_id: int, user: User) -> None:
    """Decline one's own invitation to speak, also one that was accepted, until one sits. A hand that is up because of
    it goes down. Raises unknown_invitation, on_stage_already, room_ended, and the refusal codes of entry."""
    with locked(room_id) as room:
        facts, invitation = facts_of(room, user), _standing(room, user)
        refuse(inviting.may_answer_invitation(facts, stands=invitation is not None, accepting=False))
        if invitation is not None:
            _answer(room, invitation, Invitation.State.DECLINED)
            _lower_invited(room, user, Hand.Outcome.LOWERED)


def revoke(room_id: int, by: User, invitation_id: int) -> None:
    """Take back an invitation that host or co-host made. The right ends at once: a hand that is up because of it goes
    down, and whoever is in the room by nothing else is put out. A seat that was taken stays.

    Raises not_host, room_ended, unknown_invitation (of another room, by a guest, answered with no, or over).
    """
    with locked(room_id) as room:
        refuse(inviting.may_invite_to_speak(facts_of(room, by)))
        own = Invitation.objects.filter(room=room, by_helper=True, pk=invitation_id).select_related("user", "by")
        invitation = own.filter(state__in=(*STANDING, Invitation.State.REVOKED)).first()
        if invitation is None:
            raise RoomRefused("unknown_invitation")
        if invitation.state == Invitation.State.REVOKED:
            return
        invitation.state = Invitation.State.REVOKED
        invitation.save(update_fields=["state"])
        tell_host_side(room, as_message(room, invitation))
        if invitation.kind == SPEAK:
            _lower_invited(room, invitation.user, Hand.Outcome.NOT_ALLOWED)
            _tell_revoked(room, invitation)
        if room.is_live:
            lower_forbidden_hands(room)
            account_changed(invitation.user, f"an invitation to room {room.pk} was revoked")


def _tell_revoked(room: Room, invitation: Invitation) -> None:
    """Tell a person that they are invited no more, unless they never heard of it."""
    blocks = Block.objects.filter(blocker=invitation.user_id, blocked=invitation.by_id)
    facts = facts_of(room, invitation.user)
    if not (blocks.exists() or facts.blocked_by_host or facts.removed):
        tell(invitation.user_id, {"type": "invitation_revoked", "room": room.slug})


def _standing(room: Room, user: User) -> Invitation | None:
    """A person's invitation to speak that was not declined or taken back."""
    rows = Invitation.objects.filter(room=room, user=user, kind=SPEAK, state__in=STANDING)
    return rows.select_related("user", "by").first()


def _answer(room: Room, invitation: Invitation, state: str) -> None:
    invitation.state, invitation.answered_at = state, timezone.now()
    invitation.save(update_fields=["state", "answered_at"])
    tell_host_side(room, as_message(room, invitation))


def _lower_invited(room: Room, user: User, outcome: str) -> None:
    if Hand.objects.filter(room=room, user=user, lowered_at=None, invited=True).exists():
        lower_hands(room, {user.pk: outcome})
