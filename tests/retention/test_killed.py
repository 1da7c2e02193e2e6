"""Real processes: killed at every step of a purge, and two at once. What they leave, the next sweep ends."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from ledger.models import Entry
from ledger.verify import verify
from retention import purge
from retention.models import PurgeReceipt
from rooms.models import Room
from rooms.recording import store
from tests.retention.test_purge import WORD, is_gone, outside_lines
from tests.support.killed import Place, Workers, running
from tests.support.rooms import due_at
from tests.support.traces import FILES, everywhere, marked_room
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = [
    ("retention.inventory:scan", "after", 1),
    ("retention.inventory:scan", "after", 3),  # the second look, with the rooms locked
    ("retention.receipts:with_totals", "after", 1),
    ("retention.purge:begin", "after", 1),
    ("core.append_file:append_rows", "before", 1),
    ("core.append_file:append_rows", "after", 1),  # the line stands, the database does not know it
    ("retention.receipts:keep_outside", "after", 1),
    ("retention.inventory:remove", "before", 1),
    ("os:unlink", "after", 1),
    ("os:unlink", "after", 5),
    ("os:rmdir", "after", 1),
    ("retention.inventory:remove", "after", 1),
    ("retention.artefacts:delete_rows", "after", 1),
    ("retention.artefacts:delete_rows", "after", 3),
    ("core.bus:client", "before", 1),
    ("retention.artefacts:blank_columns", "after", 2),
    ("retention.purge:record_all", "before", 1),
    ("retention.purge:record_all", "after", 1),  # all is done and nothing is committed
    ("retention.purge:finish", "after", 1),
]


@pytest.fixture(scope="module")
def purgers() -> Iterator[Workers]:
    with running("tests.retention.purger") as started:
        yield started


def run(purgers: Workers, now: datetime, *places: Place | tuple[()]) -> list[tuple[int, str]]:
    """Have workers purge at once what is due at a moment; return exit status and output of each."""
    return purgers.run(*(((now.isoformat(),), place) for place in places))


def swept(now: datetime, rooms: list[Room]) -> None:
    """Sweep until the rooms are gone: for a moment PostgreSQL may still hold the locks of a process that was killed."""

    def are_gone() -> bool:
        purge.sweep(now)
        return all(is_gone(room) for room in rooms)

    wait_until(are_gone, 20, "the purge of what a killed process left")


@pytest.mark.parametrize(("target", "when", "count"), STEPS)
def test_killed_at_any_step_the_next_sweep_ends_it(purgers: Workers, target: str, when: str, count: int) -> None:
    rooms = [marked_room(WORD, number) for number in range(2)]
    now = max(due_at(room) for room in rooms)
    ((status, wrong),) = run(purgers, now, (target, when, count))
    assert status == -9, f"it was to be killed at {target}: {wrong[-2000:]}"
    for room in rooms:
        room.refresh_from_db()
        if room.purged_at is None:
            assert all((store.folder(room.pk) / name).exists() for name in FILES), "nothing goes before its receipt"
            assert not PurgeReceipt.objects.filter(room=room.pk).exists()
        if not store.folder(room.pk).exists():
            assert room.pk in {line["room"] for line in outside_lines()}, "nothing goes before it stands outside"
    swept(now, rooms)
    assert everywhere(WORD) == {"people_user.display_name"}
    assert verify().problems == [] and Entry.objects.filter(kind="purged").count() == 2
    assert {line["room"] for line in outside_lines()} == {room.pk for room in rooms}
    assert purge.sweep(now).purged == [] and purge.tidy(now) == []


def test_killed_three_times_over_it_still_ends(purgers: Workers) -> None:
    room = marked_room(WORD)
    for target, when, count in (STEPS[5], STEPS[9], STEPS[17]):
        ((status, wrong),) = run(purgers, due_at(room), (target, when, count))
        assert status == -9, wrong
    swept(due_at(room), [room])
    assert len({line["room"] for line in outside_lines()}) == 1
    assert all(line["files"] == outside_lines()[0]["files"] for line in outside_lines())


def test_two_workers_at_once_purge_every_room_once(purgers: Workers) -> None:
    rooms = [marked_room(WORD, number) for number in range(12)]
    now = max(due_at(room) for room in rooms)
    answers = run(purgers, now, (), ())
    assert [status for status, _out in answers] == [0, 0], answers
    counts = [list(map(int, out.splitlines()[-1].split())) for _status, out in answers]
    assert sum(purged for purged, _failed in counts) <= 12 and not any(failed for _purged, failed in counts)
    purge.sweep(now)
    assert all(is_gone(room) for room in rooms)
    assert PurgeReceipt.objects.count() == Entry.objects.filter(kind="purged").count() == 12
    assert sorted(line["room"] for line in outside_lines()) == sorted(Room.objects.values_list("pk", flat=True))
    assert verify().problems == []
