"""Verbs of invitations: each calls one action as `me`, the account that asks."""

from __future__ import annotations

from django.conf import settings

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer


def invite(call: Call, me: User, users: list[str], kind: str) -> Answer:
    """Invite people to speak, as host or co-host, or to listen; each handle is answered."""
    lines = actions.invite(call.room_pk, me, users, kind)
    return {"results": [{"user": line.user, "result": line.result} for line in lines]}


def accept_invitation(call: Call, me: User) -> Answer:
    """Accept your invitation to speak: a seat may be free, or your hand is up, or it needs your consent first."""
    accepted = actions.accept(call.room_pk, me)
    return {"seat_free": accepted.seat_free, "place": accepted.place, "needs_consent": accepted.needs_consent}


def decline_invitation(call: Call, me: User) -> Answer:
    """Decline your invitation to speak."""
    actions.decline(call.room_pk, me)
    return {}


def revoke_invitation(call: Call, me: User, invitation: int) -> Answer:
    """Take an invitation back, as host or co-host."""
    actions.revoke(call.room_pk, me, invitation)
    return {}


def make_link(call: Call, me: User, label: str) -> Answer:
    """Make a link by which one person without an account comes to speak, as host or co-host. It is shown once."""
    link, path = actions.make_link(call.room_pk, me, label)
    return {"id": link.pk, "url": f"{settings.SITE_URL}{path}"}


def revoke_link(call: Call, me: User, link: int) -> Answer:
    """Take back a personal link that nobody used, as host or co-host."""
    actions.revoke_link(call.room_pk, me, link)
    return {}


def share_link(call: Call, me: User) -> Answer:
    """Get your own link to share this room; it tells the host by whom people came, and admits nobody."""
    link = actions.share_link(call.room_pk, me)
    return {"url": f"{settings.SITE_URL}{link.get_absolute_url()}"}
