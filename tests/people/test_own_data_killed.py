"""Real workers that make own data: killed at every step, and two at once. What they leave, the next one ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.models import Entry
from people.models import DataExport
from people.own_data import files, making
from people.own_data.actions import ask_for_data
from people.own_data.line import unrecorded_downloads
from social.models import Message
from tests.support.killed import Place, Workers, running
from tests.support.own_data import texts_in
from tests.support.people import person
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STEPS: list[Place] = [
    ("people.own_data.making:_claim", "after", 1),
    ("people.own_data.archive:Archive._pour", "after", 2),
    ("people.own_data.archive:Archive.write", "after", 1),
    ("people.own_data.making:digest_of", "after", 1),
    ("people.own_data.making:send", "after", 1),
    ("pathlib:Path.rename", "after", 1),  # the file has its name, the row does not say so
    ("people.own_data.making:record", "after", 1),  # all is done and nothing is committed
    ("people.own_data.making:_finish", "after", 1),
]


@pytest.fixture(scope="module")
def makers() -> Iterator[Workers]:
    with running("tests.people.own_data_maker") as started:
        yield started


@pytest.mark.parametrize("place", STEPS, ids=lambda place: f"{place[1]} {place[0].rpartition(':')[2]}")
def test_what_a_killed_worker_leaves_is_made_by_the_next(makers: Workers, place: Place) -> None:
    export = ask_for_data(person("anna"))
    ((status, output),) = makers.run(((export.pk,), place))
    assert status == -9, output
    rows = DataExport.objects.filter(pk=export.pk)
    wait_until(lambda: making.make(export.pk) is False, seconds=10)  # it may be at work: its lease runs
    rows.filter(state="making").update(lease_until=timezone.now() - timedelta(seconds=1))

    def is_ready() -> bool:
        """For a moment PostgreSQL may still hold the locks of a process that was killed."""
        making.make(export.pk)
        return rows.filter(state="ready").exists()

    wait_until(is_ready, seconds=10)
    making.sweep()
    export.refresh_from_db()
    assert [path.name for path in files.folder().iterdir()] == [export.file]
    assert texts_in(export)["account"]["handle"] == "anna"
    assert Entry.objects.filter(kind="own_data_made").count() == 1 and list(unrecorded_downloads()) == []
    assert Message.objects.filter(receiver=export.person, kind="official").count() == 1


def test_two_workers_at_once_make_one_file_each_at_a_time(makers: Workers) -> None:
    first, second = ask_for_data(person("anna")), ask_for_data(person("bert"))
    answers = makers.run(((first.pk,), ()), ((first.pk,), ()), ((second.pk,), ()))
    assert [status for status, _output in answers] == [0, 0, 0], answers
    assert sorted(output for _status, output in answers).count("True\n") in (
        1,
        2,
    )  # the second may come after the first
    for export in (first, second):
        making.make(export.pk)
    ready = DataExport.objects.filter(state="ready")
    assert {path.name for path in files.folder().iterdir()} == set(ready.values_list("file", flat=True))
    assert ready.count() == 2 and Entry.objects.filter(kind="own_data_made").count() == 2
