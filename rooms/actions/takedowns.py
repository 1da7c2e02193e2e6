"""Take down the title of a room, and put it back. `moderation` calls these; it checks who may."""

from __future__ import annotations

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.after_commit import after_commit
from ledger.actions import record
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Room, TitleTakedown
from rooms.recording.delivery import exports
from rooms.wire.events import append_event


def removed_title(language: str) -> str:
    """The words in place of a title that was taken down, in the language of its room."""
    with translation.override(language):
        return _("Title removed")


def take_down_title(room: Room, by: User | None, once: str = "") -> TitleTakedown:
    """Replace a room's title wherever it is shown; its host cannot set another one while the takedown stands.

    With `once`, the name of a decision, the takedown that was imposed under it is returned instead, also one that was
    lifted since. Raises unknown_room.
    """
    with locked(room.pk) as row:
        if once and (before := TitleTakedown.objects.filter(room=row, once=once).first()):
            return before
        standing = standing_takedown(row)
        title = row.title if standing is None else standing.title
        if standing is None:
            _retitle(row, removed_title(row.language))
        made = TitleTakedown.objects.create(room=row, title=title, by=by, once=once)
        record("title_taken_down", f"room:{row.pk}", None if by is None else by.pk, {"takedown": made.pk})
    return made


def put_back_title(takedown: TitleTakedown, by: User | None) -> bool:
    """Lift a takedown; the title is as before once none stands. Returns whether it stood."""
    with locked(takedown.room_id) as room:
        row = TitleTakedown.objects.select_for_update(of=("self",)).get(pk=takedown.pk)
        if row.lifted_at is not None:
            return False
        row.lifted_at, row.lifted_by = timezone.now(), by
        row.save(update_fields=["lifted_at", "lifted_by"])
        if standing_takedown(room) is None:
            _retitle(room, row.title)
        record("title_put_back", f"room:{room.pk}", None if by is None else by.pk, {"takedown": row.pk})
    return True


def standing_takedown(room: Room) -> TitleTakedown | None:
    """The oldest takedown of a room's title that is not lifted, or None."""
    return TitleTakedown.objects.filter(room=room, lifted_at=None).order_by("pk").first()


def _retitle(room: Room, title: str) -> None:
    """Set the title of a locked room; pages of a live one show it at once, and downloads are made anew with it."""
    room.title = title
    room.save(update_fields=["title"])
    if room.is_live:
        append_event(room, "title_changed", {"title": title})
    after_commit(exports.discard_all, room.pk)
