"""Take down title and topic of a room, and put them back. `moderation` calls these; it checks who may."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.after_commit import after_commit
from ledger.actions import record
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Room, TitleTakedown
from rooms.recording.clips import making
from rooms.recording.delivery import exports
from rooms.rules.refusals import TABLE, RoomRefused
from rooms.wire.events import append_event


def removed_title(language: str) -> str:
    """The words in place of a title that was taken down, in the language of its room."""
    with translation.override(language):
        return _("Title removed")


def take_down_title(room: Room, by: User | None, once: str = "") -> TitleTakedown:
    """Replace a room's title wherever it is shown, and remove its topic: they were written, and are read, as one text.
    Its host can set no others while the takedown stands.

    With `once`, the name of a decision, the takedown that was imposed under it is returned instead, also one that was
    lifted since. Raises unknown_room.
    """
    with locked(room.pk) as row:
        if once and (before := TitleTakedown.objects.filter(room=row, once=once).first()):
            return before
        standing = standing_takedown(row)
        texts = {"title": (standing or row).title, "topic": (standing or row).topic}
        if standing is None:
            _retitle(row, removed_title(row.language), "", removed=True)
        made = TitleTakedown.objects.create(room=row, **texts, by=by, once=once)
        record("title_taken_down", f"room:{row.pk}", None if by is None else by.pk, {"takedown": made.pk})
    return made


def put_back_title(takedown: TitleTakedown, by: User | None) -> bool:
    """Lift a takedown; title and topic are as before once none stands. Returns whether it stood."""
    with locked(takedown.room_id) as room:
        row = TitleTakedown.objects.select_for_update(of=("self",)).get(pk=takedown.pk)
        if row.lifted_at is not None:
            return False
        topic = row.topic
        row.lifted_at, row.lifted_by, row.topic = timezone.now(), by, ""
        row.save(update_fields=["lifted_at", "lifted_by", "topic"])
        if standing_takedown(room) is None:
            _retitle(room, row.title, topic, removed=False)
        record("title_put_back", f"room:{room.pk}", None if by is None else by.pk, {"takedown": row.pk})
    return True


def standing_takedown(room: Room) -> TitleTakedown | None:
    """The oldest takedown of a room's title that is not lifted, or None."""
    return TitleTakedown.objects.filter(room=room, lifted_at=None).order_by("pk").first()


def keep_removed_texts(room: Room, title: str, topic: str) -> dict[str, str]:
    """Return title and topic as they are where they were removed and nobody typed others. Raises title_taken_down."""
    words = {removed_title(language) for language, _name in settings.LANGUAGES}
    typed = {"title": title not in words, "topic": topic != ""}
    if any(typed.values()):
        text = str(TABLE["title_taken_down"].text)
        raise RoomRefused("title_taken_down", {name: text for name, is_typed in typed.items() if is_typed})
    return {"title": room.title, "topic": room.topic}


def _retitle(room: Room, title: str, topic: str, *, removed: bool) -> None:
    """Set the texts of a locked room; pages of a live one show them at once; downloads and clips are made
    anew with them."""
    room.title, room.topic, room.title_removed = title, topic, removed
    room.save(update_fields=["title", "topic", "title_removed"])
    if room.is_live:
        append_event(room, "title_changed", {"title": title, "topic": topic, "removed": removed})
    after_commit(exports.discard_all, room.pk)
    making.make_again(room.pk)
