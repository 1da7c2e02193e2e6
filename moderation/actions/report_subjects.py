"""Subjects of reports, as they stand now: one function a kind, which refuses what nobody can report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moderation.actions.notice_values import NewReport
from moderation.models import SubjectKind
from moderation.refusals import ModerationRefused
from moderation.rules.reports import LONGEST_MS, clamped_range, may_report
from people.models import User
from people.standing import standing_of, why_not_enter
from rooms.models import Room
from social.models import Message


@dataclass(frozen=True)
class Reported:
    """Columns of a report that say what it is about. `shown` and `picture` are what was to be seen."""

    room: Room | None = None
    subject: User | None = None
    message: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    shown: str = ""
    picture: bytes | None = None

    def columns(self) -> dict[str, Any]:
        """Return the columns of the report; the rows among them are not copied."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def reported_in(new: NewReport) -> Reported:
    """Load what a report is about. Raises ModerationRefused: bad_value (its kind, or its range), unknown_room,
    unknown_person, unknown_message, copy_gone, no_picture, not_report_oneself, not_allowed (an official message)."""
    load = _BY_KIND.get(new.kind)
    if load is None:
        raise ModerationRefused("bad_value", {"kind": ", ".join(_BY_KIND)})
    reported = load(new)
    if reported.subject is not None and reported.subject == new.reporter:
        raise ModerationRefused("not_report_oneself")
    return reported


def why_not_report(reporter: User | None, room: Room) -> str | None:
    """Return the code for which somebody may not report what happened in a room; None if they may."""
    return may_report(
        kept_out=why_not_enter(standing_of(reporter)),
        started=room.started_at is not None,
        purged=room.purged_at is not None,
    )


def _range(new: NewReport) -> Reported:
    room = _room(new)
    if code := why_not_report(new.reporter, room):
        raise ModerationRefused(code)
    about_person = new.kind == SubjectKind.PERSON
    if about_person and new.subject is None:
        raise ModerationRefused("unknown_person")
    if new.from_ms is None or new.to_ms is None:
        limits = None
    else:
        limits = clamped_range(new.from_ms, new.to_ms, room_ms=room.room_time(room.ended_at))
    if limits is None:
        text = f"0 <= from_ms < to_ms <= from_ms + {LONGEST_MS}"
        raise ModerationRefused("bad_value", {"from_ms": text, "to_ms": text})
    return Reported(room, new.subject if about_person else None, None, *limits)


def _title(new: NewReport) -> Reported:
    """Also of a room that has not begun: who came to its page read it. Title and topic stand together there."""
    room = _room(new)
    if room.purged_at is not None:
        raise ModerationRefused("copy_gone")
    return Reported(room, room.host, shown="\n\n".join(text for text in (room.title, room.topic) if text))


def _picture(new: NewReport) -> Reported:
    subject = _person(new)
    if not subject.picture:
        raise ModerationRefused("no_picture")
    try:
        with subject.picture.open("rb") as file:
            return Reported(subject=subject, picture=file.read())
    except FileNotFoundError:  # it was replaced a moment ago
        raise ModerationRefused("no_picture") from None


def _profile(new: NewReport) -> Reported:
    subject = _person(new)
    name = f"{subject.display_name} (@{subject.handle})"
    return Reported(subject=subject, shown="\n\n".join(text for text in (name, subject.about) if text))


def _message(new: NewReport) -> Reported:
    """Only what the reporter was sent and sees. All else is as what never was."""
    if new.reporter is None or new.message is None:
        raise ModerationRefused("unknown_message")
    message = Message.objects.seen_by(new.reporter.pk).select_related("sender").filter(pk=new.message).first()
    if message is None:
        raise ModerationRefused("unknown_message")
    if message.sender is None:
        raise ModerationRefused("not_allowed")
    return Reported(subject=message.sender, message=message.pk)


def _room(new: NewReport) -> Room:
    """The room as it is now: the one at hand may have been read a while ago."""
    room = Room.objects.by_slug(new.room.slug) if new.room is not None else None
    if room is None:
        raise ModerationRefused("unknown_room")
    return room


def _person(new: NewReport) -> User:
    subject = new.subject
    if subject is None or not subject.is_active or subject.signing_up:
        raise ModerationRefused("unknown_person")
    return subject


_BY_KIND: dict[str, Callable[[NewReport], Reported]] = {
    SubjectKind.ROOM: _range,
    SubjectKind.PERSON: _range,
    SubjectKind.MESSAGE: _message,
    SubjectKind.TITLE: _title,
    SubjectKind.PICTURE: _picture,
    SubjectKind.PROFILE: _profile,
}
