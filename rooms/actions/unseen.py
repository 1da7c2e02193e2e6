"""The choice of an account between listening seen and unseen in one room."""

from __future__ import annotations

from django.db import transaction

from people.models import User
from rooms.actions.invitation_rows import note_coming
from rooms.models import ListenerChoice, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import refuse
from rooms.wire.sides import tell


def set_unseen(room: Room, user: User, unseen: bool) -> None:
    """Keep the choice, and tell the person's other pages. On stage, or with a hand up, it shows afterwards.

    Somebody who was invited has come in once they are seen. Nothing else is published: whoever looks at the list of the
    audience reads it anew. The room is not locked, a thousand listeners may choose at once. Raises room_ended and the
    codes of entry.
    """
    with transaction.atomic():
        facts = facts_of(room, user)
        refuse(permissions.may_listen_unseen(facts))
        ListenerChoice.objects.update_or_create(room=room, user=user, defaults={"unseen": unseen})
        if facts.awaited and not unseen:
            note_coming(room, user)
        tell(user.pk, {"type": "unseen", "room": room.slug, "unseen": unseen})
