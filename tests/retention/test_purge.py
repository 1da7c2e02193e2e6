"""A copy goes on time and never early, and what is left of it is what the table says."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, IntegrityError, connection, transaction
from django.utils import timezone

from core import append_file
from ledger.actions import Act
from ledger.models import Entry
from ledger.verify import verify
from retention import inventory, purge, receipts
from retention.artefacts import TABLE
from retention.clocks import still_holdable
from retention.models import PurgeReceipt
from retention.policy import Finding, Hold, Reason
from rooms.actions import take_down_title
from rooms.models import Consent, Recording, RecordingFile, Room, RoomEvent, Seat
from rooms.recording import marker, store, track_memory
from rooms.recording.hls import window
from tests.retention.conftest import Facts
from tests.support import traces
from tests.support.laid_cases import LAID
from tests.support.rooms import due_at, open_room
from tests.support.traces import everywhere, marked_room

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "quixotryzebra"
MOMENT = timedelta(microseconds=1)


def outside_lines() -> list[dict[str, Any]]:
    files = sorted(Path(settings.RECEIPTS_DIR).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def is_gone(room: Room) -> bool:
    """Purged to the end, with one receipt and one entry."""
    room.refresh_from_db()
    receipt = PurgeReceipt.objects.get(room=room.pk)
    acts = Entry.objects.filter(subject=f"room:{room.pk}", kind="purged")
    return (
        room.purged_at is not None
        and receipt.finished_at is not None
        and not store.folder(room.pk).exists()
        and room.recording.state == Recording.State.PURGED
        and acts.count() == 1
        and acts[0].data["receipt"] == receipt.digest == receipts.digest(receipt)
        and receipt.digest in {receipts.digest(PurgeReceipt(**moments(row))) for row in outside_lines()}
    )


def moments(row: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    fields = {name: value for name, value in row.items() if name != "signed"}
    return {**fields, **{name: datetime.fromisoformat(fields[name]) for name in receipts.MOMENTS}}


def test_after_a_purge_nothing_of_the_room_is_left_but_what_the_table_says() -> None:
    room, other = marked_room(WORD), marked_room("keptword", 1)
    before, untouched = everywhere(WORD), everywhere("keptword")
    for place in ("rooms_room.topic", "rooms_roomevent.data", f"file recordings/{room.pk}/mix.m4a"):
        assert place in before, "the search finds what is there"
    assert any(place.startswith("redis") for place in before)
    assert everywhere("Title of 0") == {"rooms_room.title"}
    assert purge.purge([room.pk], due_at(room)) == [room.pk]
    # The guest's own name is the account's, and goes with it.
    assert everywhere(WORD) == {"people_user.display_name"}
    assert everywhere("Title of 0") == {"rooms_room.title"}, "what the table says stays"
    assert is_gone(room)
    assert not Seat.objects.filter(room=room).exists() and not RoomEvent.objects.filter(room=room).exists()
    assert not RecordingFile.objects.filter(recording__room=room).exists()
    assert Consent.objects.filter(room=room).count() == 1
    assert everywhere("keptword") == untouched, "another room is not touched"
    assert Seat.objects.filter(room=other).count() == 2
    assert verify().problems == []


def test_a_topic_that_moderators_removed_goes_with_the_rest() -> None:
    room = marked_room(WORD)
    take_down_title(room, None)
    assert "rooms_titletakedown.topic" in everywhere(WORD) and "rooms_room.topic" not in everywhere(WORD)
    assert purge.purge([room.pk], due_at(room)) == [room.pk]
    assert everywhere(WORD) == {"people_user.display_name"}


def test_sound_that_was_left_in_memory_goes_with_the_rest() -> None:
    """Recording was paused, and no supervisor has looked since."""
    room, other = marked_room(WORD), marked_room("keptword", 1)
    for pk in (room.pk, other.pk):
        window.make(pk)
        (store.window_folder(pk) / "0-0.m4s").write_bytes(b"sound")
        (track_memory.make(pk) / "track.mjr").write_bytes(b"sound")
    assert purge.purge([room.pk], due_at(room)) == [room.pk]
    assert is_gone(room) and not store.window_folder(room.pk).exists()
    assert store.window_folder(other.pk).exists()
    assert room.pk not in track_memory.rooms() and other.pk in track_memory.rooms()
    window.remove(other.pk)
    track_memory.remove(other.pk)


def test_a_receipt_says_what_it_was() -> None:
    room = marked_room(WORD)
    folder = store.folder(room.pk)
    (folder / "mix.m4a").write_bytes(b"written to after it was finished")
    RecordingFile.objects.create(
        recording=room.recording, kind="mix", path=f"{room.pk}/lost.m4a", start_ms=0, duration_ms=1, size=5, sha256="ab"
    )
    (folder / "strange").symlink_to("/etc/passwd")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}
    now = due_at(room) + timedelta(minutes=3)
    purge.purge([room.pk], now)
    receipt = PurgeReceipt.objects.get()
    files = {file["path"]: file for file in receipt.files}
    assert set(files) == there | {"lost.m4a"}
    assert files["lost.m4a"] == {"path": "lost.m4a", "kind": "other", "size": 5, "sha256": "ab", "missing": True}
    assert files["mix.m4a"]["recorded"] != files["mix.m4a"]["sha256"]
    assert files["hls/live.m3u8"]["kind"] == "segments" and "recorded" not in files["hls/live.m3u8"]
    assert (receipt.file_count, receipt.rule, receipt.slug) == (len(there), "review-30-days", room.slug)
    assert (receipt.due_at, receipt.begun_at) == (due_at(room), now)
    assert receipt.rows["seats"] == 2 and receipt.rows["room log"] >= 4
    assert Path("/etc/passwd").exists(), "links are not followed"
    assert outside_lines()[0]["files"] == receipt.files


def test_never_early() -> None:
    room = marked_room(WORD)
    before = everywhere(WORD)
    for early in (due_at(room) - MOMENT, due_at(room) - timedelta(days=29)):
        assert list(purge.due(early)) == []
        assert purge.purge([room.pk], early) == []
        assert purge.sweep(early).purged == []
    assert everywhere(WORD) == before
    assert not PurgeReceipt.objects.exists() and outside_lines() == []
    assert not Entry.objects.exclude(kind__in=LAID).exists()
    assert purge.sweep(due_at(room)).purged == [room.pk]


def test_the_database_refuses_an_early_receipt_and_losing_one() -> None:
    room = marked_room(WORD)
    assert room.ended_at is not None
    early = PurgeReceipt(
        room=room.pk, slug=room.slug, rule="x", ended_at=room.ended_at, due_at=due_at(room), file_count=0, total_bytes=0
    )
    early.begun_at = due_at(room) - MOMENT
    with pytest.raises(IntegrityError, match="receipt_never_early"):
        early.save()
    purge.purge([room.pk], due_at(room))
    with pytest.raises(Error, match="Cannot delete"):
        PurgeReceipt.objects.all().delete()
    with pytest.raises(Error, match="Cannot update"):
        PurgeReceipt.objects.update(rule="y")


def test_a_live_room_is_never_purged() -> None:
    room = open_room("livehost")
    assert purge.sweep(timezone.now() + timedelta(days=4000)).purged == []
    assert purge.purge([room.pk], timezone.now() + timedelta(days=4000)) == []


def test_purging_twice_is_purging_once() -> None:
    room = marked_room(WORD)
    assert purge.purge([room.pk], due_at(room)) == [room.pk]
    first = PurgeReceipt.objects.values().get()
    for _again in range(2):
        assert purge.purge([room.pk], due_at(room) + timedelta(days=1)) == []
        assert purge.sweep(due_at(room) + timedelta(days=1)).purged == []
    assert PurgeReceipt.objects.values().get() == first
    assert is_gone(room) and len(outside_lines()) == 1


def test_nothing_is_erased_before_the_receipt_stands_outside() -> None:
    room = marked_room(WORD)
    now = due_at(room)
    assert purge.begin([room.pk], now) == [room.pk]
    assert purge.finish([room.pk], now) == [] and store.folder(room.pk).exists()
    receipts.keep_outside([room.pk], now)
    assert purge.finish([room.pk], now) == [room.pk] and is_gone(room)


def test_two_at_once_write_a_receipt_outside_once(monkeypatch: pytest.MonkeyPatch) -> None:
    room = marked_room(WORD)
    now = due_at(room)
    purge.begin([room.pk], now)
    append = append_file.append_rows

    def keep() -> None:
        try:
            receipts.keep_outside([room.pk], now)
        finally:
            connection.close()

    def while_another_is_at_it(*args: Any) -> None:
        monkeypatch.setattr(append_file, "append_rows", append)
        other = threading.Thread(target=keep)
        other.start()
        other.join(60)
        append(*args)

    monkeypatch.setattr(append_file, "append_rows", while_another_is_at_it)
    receipts.keep_outside([room.pk], now)
    assert [line["room"] for line in outside_lines()] == [room.pk]
    assert PurgeReceipt.objects.get().kept_at == now


def test_findings_and_holds_keep_it_and_then_let_it_go(facts: Facts) -> None:
    room = marked_room(WORD)
    end = room.ended_at
    assert end is not None
    facts[room.pk] = [Finding("decision:1", end + timedelta(days=3))]
    assert purge.sweep(due_at(room)).purged == []
    assert [item.clock.reason for item in purge.held(due_at(room))] == [Reason.VIOLATION]
    facts[room.pk].append(Hold(Reason.APPEAL, "appeal:1", end + timedelta(days=80)))
    assert purge.sweep(end + timedelta(days=179)).purged == []
    assert purge.overdue(end + timedelta(days=180)) == []
    decided = end + timedelta(days=179, hours=1)
    facts[room.pk][1] = Hold(Reason.APPEAL, "appeal:1", end + timedelta(days=80), decided)
    assert purge.sweep(decided).purged == [room.pk]
    assert PurgeReceipt.objects.get().rule == "released"


def test_an_appeal_that_nobody_decides_keeps_it_to_day_180(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "APPEAL_HOLD_DAYS", 120)
    rooms = [marked_room(WORD, number) for number in range(2)]
    end = rooms[0].ended_at
    assert end is not None
    for room in rooms:
        facts[room.pk] = [Hold(Reason.APPEAL, "appeal:1", end + timedelta(days=20))]
    facts[rooms[1].pk].append(Hold(Reason.LEGAL, "order:1", end, end + timedelta(days=300)))
    assert purge.sweep(end + timedelta(days=119)).purged == []
    assert purge.sweep(end + timedelta(days=120)).purged == [rooms[0].pk]
    assert purge.sweep(end + timedelta(days=300)).purged == [rooms[1].pk]


def test_filed_a_minute_before_it_holds_and_a_minute_after_it_does_not(facts: Facts) -> None:
    """A hold and the purge lock the same row: whoever is first is right, also when the purge has chosen already."""
    first, second = marked_room(WORD), marked_room(WORD, 1)
    now = max(due_at(first), due_at(second))
    filed, locked = threading.Event(), threading.Event()

    def file_an_appeal() -> None:
        try:
            with transaction.atomic():
                room = Room.objects.select_for_update().get(pk=first.pk)
                assert still_holdable(room, now - timedelta(minutes=1))
                facts[first.pk] = [Hold(Reason.APPEAL, "appeal:1", now - timedelta(minutes=1))]
                locked.set()
                assert filed.wait(20)
        finally:
            connection.close()

    appellant = threading.Thread(target=file_an_appeal)
    appellant.start()
    assert locked.wait(20)
    assert purge.sweep(now).purged == [second.pk], "a row that somebody holds is left alone"
    filed.set()
    appellant.join()
    assert purge.sweep(now).purged == []
    assert store.folder(first.pk).exists()
    with transaction.atomic():
        assert not still_holdable(Room.objects.select_for_update().get(pk=second.pk), now + timedelta(minutes=1))


def test_a_hold_that_comes_between_choosing_and_locking_counts(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    room = marked_room(WORD)
    look = inventory.scan

    def look_and_somebody_appeals(pk: int, known: Any = None) -> Any:
        facts[room.pk] = [Hold(Reason.CASE, "case:1", due_at(room) - MOMENT)]
        return look(pk, known)

    monkeypatch.setattr(inventory, "scan", look_and_somebody_appeals)
    assert purge.sweep(due_at(room)).purged == []
    assert store.folder(room.pk).exists() and not PurgeReceipt.objects.exists()


def test_a_disk_that_is_not_mounted_is_not_taken_for_an_empty_one(settings: Any) -> None:
    room = marked_room(WORD)
    mounted = settings.RECORDINGS_DIR
    settings.RECORDINGS_DIR = mounted / "not" / "mounted"
    swept = purge.sweep(due_at(room))
    assert swept.purged == [] and list(swept.failed) == [room.pk]
    with pytest.raises(marker.OtherFolder):
        purge.purge([room.pk], due_at(room))
    assert not PurgeReceipt.objects.exists()
    settings.RECORDINGS_DIR = mounted
    assert purge.sweep(due_at(room)).purged == [room.pk]


def test_what_comes_back_to_a_purged_room_goes_again() -> None:
    room, kept = marked_room(WORD), marked_room("keptword", 1)
    purge.purge([room.pk], due_at(room))
    assert purge.tidy() == []
    guest = Seat.objects.filter(room=kept).exclude(user=kept.host).get().user
    Seat.objects.create(room=room, user=guest, place=1, left_at=timezone.now(), left_reason="left")
    traces.file_with(room, "hls/late.m4s", WORD)
    assert purge.tidy(since=timedelta(days=1)) == [room.pk]
    assert everywhere(WORD) == {"people_user.display_name"} and store.folder(kept.pk).exists()
    again = Entry.objects.get(kind="purged_again")
    assert again.subject == f"room:{room.pk}" and len(again.data["files"]) == 1 and again.data["rows"] == {"seats": 1}
    assert purge.tidy() == []


def test_many_batches() -> None:
    rooms = [marked_room(WORD, number) for number in range(7)]
    now = max(due_at(room) for room in rooms)
    assert sorted(purge.sweep(now, batch=3).purged) == [room.pk for room in rooms]
    assert all(is_gone(room) for room in rooms)
    assert (verify().problems, Entry.objects.exclude(kind__in=LAID).count(), len(outside_lines())) == ([], 7, 7)


def test_candidates_are_walked_in_pieces_without_losing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retention.clocks.CHUNK", 3)
    rooms = [marked_room(WORD, number) for number in range(7)]
    same = timezone.now()
    Room.objects.filter(pk__in=[room.pk for room in rooms[:5]]).update(ended_at=same)
    seen = [item.room_pk for item in purge.due(same + timedelta(days=31))]
    assert sorted(seen) == [room.pk for room in rooms]


def command(*words: str) -> str:
    out = StringIO()
    call_command("retention", *words, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Function that moves the site's clock."""

    def move(by: timedelta) -> None:
        now = timezone.now() + by
        monkeypatch.setattr(timezone, "now", lambda: now)

    return move


def test_the_command_lists_what_is_due_overdue_and_held(facts: Facts, later: Callable[[timedelta], None]) -> None:
    due, held, young = marked_room(WORD), marked_room(WORD, 1), marked_room(WORD, 2)
    Room.objects.filter(pk=young.pk).update(ended_at=timezone.now() + timedelta(days=20))
    facts[held.pk] = [Hold(Reason.CASE, "case:7", timezone.now())]
    assert command() == "due: 0\nheld: 0\noverdue: 0\n"
    later(timedelta(days=30, minutes=5))
    listed = command("list")
    assert f"due: 1\n  {due.slug}" in listed and f"held: 1\n  {held.slug}" in listed and "held by case case:7" in listed
    assert "overdue: 0" in listed and young.slug not in listed
    assert command("check") == "0 overdue\n"
    later(timedelta(minutes=30))
    assert f"overdue: 1\n  {due.slug}" in command("list")
    with pytest.raises(CommandError, match="1 overdue"):
        command("check")
    assert command("purge") == "purged: 1\n"
    assert command("list").startswith("due: 0\nheld: 1\n") and command("check") == "0 overdue\n"
    assert command("tidy") == "rooms that had something again: 0\n"


def test_every_clock_of_the_table_is_kept() -> None:
    """A purge treats the rows of each model as the table of artefacts says."""
    room = marked_room(WORD)
    counts = {a.name: a.rows._base_manager.filter(**{a.room: room.pk}).count() for a in TABLE if a.rows is not None}
    assert all(counts.values()), f"the builder lays something of everything: {counts}"
    purge.purge([room.pk], due_at(room))
    for artefact in TABLE:
        if artefact.rows is not None:
            left = artefact.rows._base_manager.filter(**{artefact.room: room.pk}).count()
            assert left == (0 if artefact.expires_with == "copy" else counts[artefact.name]), artefact.name


def test_the_act_in_the_ledger_names_nobody_and_no_words() -> None:
    room = marked_room(WORD)
    purge.purge([room.pk], due_at(room))
    act = purge.purged(PurgeReceipt.objects.get())
    assert isinstance(act, Act) and set(act.data) == {"receipt", "rule", "files", "bytes", "rows"}
