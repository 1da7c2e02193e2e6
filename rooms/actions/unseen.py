"""The choice of an account between listening seen and unseen in one room."""

from __future__ import annotations

from django.db import transaction

from people.models import User
from rooms import seen_changes
from rooms.actions.invitation_rows import note_coming
from rooms.models import ListenerChoice, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import refuse
from rooms.wire.sides import tell


def set_unseen(room: Room, user: User, unseen: bool) -> None:
    """Keep the choice, and tell the person's other pages. On stage, or with a hand up, it shows afterwards.

    Somebody who was invited has come in once they are seen. Those who see them, or did until now, are told to read the
    list of the audience anew (`rooms/live/ticker.py`), without a name; of a choice that changes nothing for anybody
    nothing is told, or it would show who is there unseen. The room is not locked, a thousand listeners may choose at
    once. Raises room_ended and the codes of entry.
    """
    with transaction.atomic():
        facts = facts_of(room, user)
        refuse(permissions.may_listen_unseen(facts))
        ListenerChoice.objects.update_or_create(room=room, user=user, defaults={"unseen": unseen})
        if facts.awaited and not unseen:
            note_coming(room, user)
        if facts.listens_unseen != unseen:
            transaction.on_commit(lambda: seen_changes.note(room.pk, user.pk), robust=True)
        tell(user.pk, {"type": "unseen", "room": room.slug, "unseen": unseen})
