"""Steps of the line from a report to the clock, as people take them: reporters by the page, moderators by actions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from ledger.verify import verify
from moderation.actions.claims import claim
from moderation.actions.evidence import mark_range, note_look, quote_line
from moderation.actions.telling_people import send_late
from moderation.models import Case, Report
from people.models import User
from retention import purge
from retention.clocks import clock_of
from rooms import actions
from rooms.models import Room
from transcripts.models import Cue

DAY = timedelta(days=1)
MOMENT = timedelta(seconds=1)
ADA_SPOKE = (10, 14)  # seconds of room time (`tests.support.recordings.TALK`)


def signed_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def clock_time(second: int) -> str:
    """A moment of room time as the form of a report has it."""
    return f"{second // 60}:{second % 60:02}"


def reported(
    reporter: User | None, room: Room, seconds: tuple[int, int] = ADA_SPOKE, about: str = "", **values: Any
) -> Case:
    """Report a range of a room by its page; returns the case."""
    form = {
        "about": about,
        "category": "harassment",
        "good_faith": "on",
        "starts": clock_time(seconds[0]),
        "ends": clock_time(seconds[1]),
        "words": "",
        "once": "",
        **values,
    }
    answer = signed_in(reporter).post(f"/rooms/{room.slug}/report/", form)
    assert answer.status_code == 302 and "/reports/" in answer["Location"], answer.content.decode()[:2000]
    receipt = answer["Location"].split("/reports/")[1].split("/")[0]
    return Report.objects.select_related("case").get(receipt=receipt).case


def quoted(case: Case, by: User, seconds: tuple[int, int] = ADA_SPOKE) -> Case:
    """Claim a case, open the lines of a range, quote them all and mark it."""
    start, end = seconds[0] * 1000, seconds[1] * 1000
    claim(case, by)
    note_look(case, by, "lines", start, end)
    for cue in Cue.objects.filter(transcript__room=case.room, start_ms__lt=end, end_ms__gt=start).order_by("start_ms"):
        quote_line(case, by, f"cue:{cue.pk}")
    mark_range(case, by, start, end)
    return case


def tell() -> None:
    """Tell everybody what was decided about them or what they reported, as the sweep does where no task did."""
    send_late(timezone.now() + timedelta(minutes=1))


def ended_at(room: Room) -> datetime:
    room.refresh_from_db()
    assert room.ended_at is not None
    return room.ended_at


def is_kept_until(room: Room, day: int, reason: str) -> bool:
    """Whether the clock says this day and reason now."""
    end, its = ended_at(room), clock_of(room)
    return its is not None and (its.purge_at, str(its.reason)) == (end + day * DAY, reason)


def is_purged_on(room: Room, day: int) -> bool:
    """Sweep a moment before that day, when the copy has to be there, and on it. Returns whether it is gone then."""
    due = ended_at(room) + day * DAY
    assert purge.sweep(due - MOMENT).purged == [], "never early"
    assert not Room.objects.filter(pk=room.pk).exclude(purged_at=None).exists()
    assert purge.overdue(due) == [], "nor late"
    return purge.sweep(due).purged == [room.pk]


def ada_of(room: Room) -> User:
    """The speaker whom most stories are about."""
    return room.seats.get(user__handle="ada").user


def files_of(room: Room) -> list[str]:
    """Addresses of the recording that its host holds."""
    files = actions.hand_out_files(room.pk, room.host).values()
    return [actions.download_everything(room.pk, room.host).address, *files]


def acts(subject: str) -> list[str]:
    """Kinds of the ledger's entries about a subject, in order."""
    return list(Entry.objects.filter(subject=subject).order_by("seq").values_list("kind", flat=True))


def assert_sound_ledger() -> None:
    """Every step has its entry, and the chain holds."""
    found = verify()
    assert found.ok, found.problems
