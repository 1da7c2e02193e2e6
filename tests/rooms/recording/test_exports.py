"""Everything as a zip: complete, right, the same each time, and nothing in it that is nobody's business."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from ledger.models import Entry
from people.models import User
from retention import purge as retention
from rooms import actions
from rooms.hooks import export_texts
from rooms.models import Recording, Room
from rooms.recording import peaks, store
from rooms.recording.delivery import exports
from rooms.recording.tasks import prepare_recording
from rooms.rules.refusals import RoomRefused
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import due_at, make_public
from tests.support.traces import marked_room
from transcripts.actions import correct_cue
from transcripts.models import Cue

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]


def fetch(address: str, **headers: str) -> bytes:
    answer: Any = Client().get(address, headers=headers)
    assert answer.status_code in (200, 206)
    return b"".join(answer)


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return {info.filename.partition("/")[2]: read.read(info) for info in read.infolist()}


@pytest.fixture
def room() -> Room:
    return talked_room()


def everything(room: Room) -> dict[str, bytes]:
    return unpacked(fetch(actions.download_everything(room.pk, room.host).address))


def test_it_is_all_there_and_the_checksums_are_right(room: Room, tmp_path: Path) -> None:
    made = actions.download_everything(room.pk, room.host)
    data = fetch(made.address)
    assert len(data) == made.size
    (tmp_path / "all.zip").write_bytes(data)
    assert subprocess.run(["unzip", "-tq", str(tmp_path / "all.zip")], check=False).returncode == 0
    files = unpacked(data)
    assert set(files) == {
        "mix.m4a",
        *(name for name in files if re.fullmatch(r"tracks/\d\d-(host|ada|bob)\.opus", name)),
        *(f"transcript/transcript.{kind}" for kind in ("vtt", "srt", "txt", "json")),
        "log.jsonl",
        "stage.csv",
        "stage.json",
        "manifest.json",
    }
    assert len([name for name in files if name.startswith("tracks/")]) == 3
    assert files["mix.m4a"] == store.mix_path(room.pk).read_bytes()
    manifest = json.loads(files["manifest.json"])
    assert {file["path"]: file["sha256"] for file in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    assert manifest["room"]["slug"] == room.slug
    assert "<v Ada>He was not an ill-disposed young man.</v>" in files["transcript/transcript.vtt"].decode()


def test_who_was_on_stage_when_and_what_happened(room: Room) -> None:
    files = everything(room)
    rows = list(csv.DictReader(io.StringIO(files["stage.csv"].decode("utf-8-sig"))))
    assert {row["user"] for row in rows} == {"host", "ada", "bob"}
    assert json.loads(files["stage.json"])[0]["to_ms"] == 50_000
    log = [json.loads(line) for line in files["log.jsonl"].decode().splitlines()]
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert log[0]["type"] == "room_opened" and log[-1]["type"] == "room_ended"


def test_a_name_is_no_formula() -> None:
    assert exports.escape_formula('=HYPERLINK("x")') == '\'=HYPERLINK("x")'
    assert exports.escape_formula("Ada") == "Ada"


def test_without_transcription_there_is_no_transcript() -> None:
    assert not [name for name in everything(talked_room(transcription=False)) if "transcript" in name]


def test_the_same_bytes_each_time_and_from_anywhere(room: Room) -> None:
    first, second = (actions.download_everything(room.pk, room.host) for _ in range(2))
    assert first.digest == second.digest
    data = fetch(first.address)
    assert data == fetch(second.address)
    half = len(data) // 2
    etag = Client().head(first.address)["ETag"]
    assert data[:half] + fetch(first.address, Range=f"bytes={half}-", **{"If-Range": etag}) == data


def test_a_download_goes_on_in_the_same_zip_though_a_line_was_corrected(room: Room) -> None:
    before = actions.download_everything(room.pk, room.host)
    data = fetch(before.address)
    correct_cue(room, Cue.objects.filter(transcript__room=room)[0].pk, room.host, "Something else was said.")
    after = actions.download_everything(room.pk, room.host)
    assert after.digest != before.digest
    assert fetch(before.address, Range="bytes=1000-") == data[1000:]
    assert "Something else was said." in unpacked(fetch(after.address))["transcript/transcript.txt"].decode()


def test_every_download_is_one_entry_in_the_ledger(room: Room) -> None:
    made = actions.download_everything(room.pk, room.host)
    for start in (0, 100, 1000):
        fetch(made.address, Range=f"bytes={start}-")
    entry = Entry.objects.get(kind="host_download")
    assert (entry.subject, entry.actor) == (f"room:{room.pk}", room.host_id)
    assert entry.data == {"export": made.digest, "bytes": made.size}


def test_no_address_of_anybody_and_nothing_about_reports_or_blocks(room: Room) -> None:
    mails = list(User.objects.values_list("email", flat=True))
    files = everything(room)
    texts = "\n".join(content.decode() for name, content in files.items() if not name.endswith((".m4a", ".opus")))
    assert len(mails) >= 3 and not [mail for mail in mails if mail in texts]
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", texts)
    assert not re.search(r"\b\d{1,3}(\.\d{1,3}){3}\b", texts)
    assert not re.search(r"(?i)\b(report(s|ed|er)?|block(s|ed)?|case|sanction|session|csrf|password)\b", texts)
    assert not re.search(r'"(email|ip|address|pk|id)"', texts)


def test_only_its_host_downloads_and_publishes(room: Room) -> None:
    for user in (User.objects.get(handle="ada"), person("stranger")):
        for deed in (
            lambda user=user: actions.download_everything(room.pk, user),
            lambda user=user: actions.set_published(room.pk, user, True),
        ):
            with pytest.raises(RoomRefused, match="not_host"):
                deed()
    assert not Entry.objects.filter(kind="host_download").exists()


def test_nothing_to_download_before_it_is_ready(room: Room) -> None:
    Recording.objects.filter(room=room).update(state=Recording.State.FINISHING)
    with pytest.raises(RoomRefused, match="no_recording"):
        actions.download_everything(room.pk, room.host)
    with pytest.raises(RoomRefused, match="no_recording"):
        actions.set_published(room.pk, room.host, True)


def test_a_file_that_is_not_what_it_was_is_refused(room: Room) -> None:
    store.mix_path(room.pk).write_bytes(b"short")
    with pytest.raises(RoomRefused, match="unavailable"):
        actions.download_everything(room.pk, room.host)
    assert not Entry.objects.filter(kind="host_download").exists()


def test_no_sound_is_read_in_a_request(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums that are not known took minutes of a request, with the room locked; now a worker makes them."""
    asked: list[int] = []
    monkeypatch.setattr(prepare_recording, "delay", asked.append)
    recording = Recording.objects.get(room=room)
    recording.files.update(crc32=None)
    path = store.mix_path(room.pk)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(RoomRefused, match="being_prepared"):
        actions.download_everything(room.pk, room.host)
    path.with_suffix(".away").rename(path)
    assert asked == [recording.pk] and not Entry.objects.exists()
    assert prepare_recording(recording.pk) is True
    assert everything(room)["mix.m4a"] == path.read_bytes()


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Run `work` in a thread, on a database connection of its own, and return its result."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as hands:
        return hands.submit(run).result(60)


def test_the_room_is_not_locked_while_its_texts_are_written(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def lock() -> int:
        with transaction.atomic():
            return Room.objects.select_for_update(nowait=True).get(pk=room.pk).pk

    monkeypatch.setitem(export_texts._registered, "slow.txt", lambda _room: [str(in_a_thread(lock))])
    assert everything(room)["slow.txt"] == str(room.pk).encode()


def test_a_purge_that_begins_while_texts_are_written_leaves_none(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it has removed the folder by then, or not yet."""

    def begin() -> list[int]:
        return retention.begin([room.pk], due_at(room))

    monkeypatch.setitem(export_texts._registered, "slow.txt", lambda _room: [str(in_a_thread(begin))])
    with pytest.raises(RoomRefused, match="no_recording"):
        actions.download_everything(room.pk, room.host)
    assert list(store.exports_folder(room.pk).iterdir()) == []

    again = marked_room("again", 1)
    prepare_recording(again.recording.pk)

    def purge() -> list[int]:
        return retention.purge([again.pk], due_at(again))

    monkeypatch.setitem(export_texts._registered, "slow.txt", lambda _room: [str(in_a_thread(purge))])
    with pytest.raises(RoomRefused, match="unavailable"):
        actions.download_everything(again.pk, again.host)
    assert not store.folder(again.pk).exists() and not Entry.objects.filter(kind="host_download").exists()


def test_old_versions_and_what_a_killed_process_left_are_tidied(room: Room) -> None:
    import os

    first = actions.download_everything(room.pk, room.host)
    left = store.exports_folder(room.pk) / ".new-killed"
    left.mkdir()
    for folder in (left, store.exports_folder(room.pk) / first.digest):
        os.utime(folder, (1, 1))
    correct_cue(room, Cue.objects.filter(transcript__room=room)[0].pk, room.host, "Something else was said.")
    second = actions.download_everything(room.pk, room.host)
    assert [path.name for path in store.exports_folder(room.pk).iterdir()] == [second.digest]


def test_drawing_twice_does_nothing_twice_and_never_after_a_purge(room: Room) -> None:
    recording = Recording.objects.get(room=room)
    assert peaks.prepare(recording) is False
    Recording.objects.filter(room=room).update(prepared_at=None)
    store.peaks_path(room.pk).unlink()
    Room.objects.filter(pk=room.pk).update(purged_at=room.ended_at)
    recording.refresh_from_db()
    assert peaks.prepare(recording) is False
    assert not store.peaks_path(room.pk).exists()


def test_over_the_api(room: Room) -> None:
    host, speaker = Client(), Client()
    host.force_login(room.host)
    speaker.force_login(User.objects.get(handle="ada"))
    base = f"/api/v1/rooms/{room.slug}"
    state = host.get(f"{base}/recording/").json()
    assert state["published_at"] is None
    assert fetch(state["files"][0]["address"])
    made = host.post(f"{base}/download/")
    assert made.status_code == 201 and "mix.m4a" in unpacked(fetch(made.json()["address"]))
    assert speaker.post(f"{base}/download/").json()["error"]["code"] == "not_host"
    heard = speaker.get(f"{base}/replay/")
    assert heard.status_code == 200 and fetch(heard.json()["mix"])[4:8] == b"ftyp"
    assert Client().get(f"{base}/replay/").status_code == 404
    assert speaker.put(f"{base}/replay/", {"published": True}, "application/json").status_code == 403
    assert Client().put(f"{base}/replay/", {"published": True}, "application/json").status_code == 401
    assert host.put(f"{base}/replay/", {"published": True}, "application/json").json()["published_at"]
    assert Client().get(f"{base}/replay/").status_code == 404, "who spoke has a day to object"
    make_public(room)
    assert fetch(Client().get(f"{base}/replay/").json()["mix"])
    mine = speaker.get(f"{base}/transcript/files/txt/?mine=true").content.decode()
    assert "amiable himself" in mine and "Dashwood" not in mine
