"""Seconds to purge 1,000 due rooms among 1,000,000, compared with a plain DELETE.

    python bench/purge.py [--rooms 1000000] [--due 1000] [--held 1000] [--files 20] [--kb 64]

Starts a PostgreSQL (with fsync, as in production) and a Redis of its own. Of all rooms 90 % were purged before,
`--held` past day 30 are on hold, the rest is too young. `--due` rooms are purged by the sweep, then as many twins that
have the same rows and no files. As many twins again are deleted by one plain DELETE a table, their folders read and
removed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deploy.local import keys
from deploy.local.closed import close
from deploy.local.instance import Instance
from deploy.local.ports import Claim
from deploy.local.postgres import Postgres
from deploy.local.process import start, stop, wait_for

EVENTS, SEATS, CUES = 60, 4, 150  # rows a room that still has its copy: about 20 minutes of talk


@contextmanager
def parts() -> Iterator[Postgres]:
    """Run PostgreSQL and Redis in a temporary folder, with the environment set for them; yield PostgreSQL."""
    claim = Claim()
    folder = Path(tempfile.mkdtemp(prefix="stamtafel-bench-"))
    close(folder)
    instance = Instance(folder, claim.block, keys.load(folder / "secrets"), "127.0.0.1")
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, part in instance.parts(frozenset({"janus"})).items():
            running[name] = start(part.command(), folder / f"{name}.log")
            wait_for(name, part.ready, lambda process=running[name]: process.poll() is None)  # type: ignore[misc]
        os.environ.update(instance.environment())
        yield instance.postgres
    finally:
        for name, process in running.items():
            stop(process, Postgres.STOP if name == "postgres" else 15)
        data = instance.postgres.data
        shutil.rmtree(folder, ignore_errors=True)
        if not data.is_relative_to(folder):
            shutil.rmtree(data.parent, ignore_errors=True)
        claim.release()


# Due rooms come first (pk 1 to `due`), then two times as many twins, then held ones, then the young, then the purged.
ROOMS = """
INSERT INTO people_user (handle, display_name, email, password, is_superuser, is_staff, is_active, date_joined,
    picture, about, language, time_zone, rules_version, signing_up, messages_from, invitations_by_mail, listens_unseen,
    uses_keys)
SELECT 'host' || n, 'Host ' || n, 'host' || n || '@example.org', '', false, false, true, now(), '', '', 'en', 'UTC',
    '', false, 'known', false, false, true
FROM generate_series(1, 1000) n;
INSERT INTO rooms_room (id, slug, host_id, title, topic, language, speak_policy, entry_policy, transcription,
    max_speakers, is_demo, hands_locked, hands_over, status, started_at, ended_at, end_reason, seq, starts_zone,
    starts_wall, cancel_reason, purged_at)
SELECT n, 'r' || n, 1 + n % 1000, 'Room ' || n, 'topic ' || n, 'en', 'everyone', 'anyone', true, 10, false, false,
    false, 'ended', ended - interval '20 minutes', ended, 'host', 60, '', '', '',
    CASE WHEN n > {kept} THEN ended + interval '30 days' END
FROM (SELECT n, CASE WHEN n <= {due3} THEN now() - interval '30 days 1 minute'
                     WHEN n <= {held} THEN now() - interval '40 days'
                     WHEN n <= {kept} THEN now() - random() * interval '29 days'
                     ELSE now() - interval '31 days' - random() * interval '900 days' END AS ended
      FROM generate_series(1, {rooms}) n) rooms;
INSERT INTO rooms_recording (id, room_id, state, error, attempts, duration_ms, missing_ms, finished_at, opened_policy)
SELECT id, id, CASE WHEN purged_at IS NULL THEN 'ready' ELSE 'purged' END, '', 1, 1200000, 0, ended_at, 'anyone'
FROM rooms_room;
INSERT INTO rooms_seat (id, room_id, user_id, role, place, muted, mute_held, mic_page, taken_at, left_at,
    left_reason, captions_off)
SELECT (r.id - 1) * {SEATS} + s, r.id, 1 + (r.id + s) % 1000, CASE WHEN s = 1 THEN 'host' ELSE 'speaker' END, s - 1,
    false, false, '', r.started_at, r.ended_at, 'room_ended', false
FROM rooms_room r, generate_series(1, {SEATS}) s WHERE r.id <= {kept};
INSERT INTO rooms_roomevent (room_id, seq, type, at_ms, data, created_at)
SELECT r.id, e, 'seat_muted', e * 1000, '{{"user": "somebody", "muted": true, "held": false, "by": null}}', r.started_at
FROM rooms_room r, generate_series(1, {EVENTS}) e WHERE r.id <= {kept};
INSERT INTO rooms_recordingfile (id, recording_id, kind, seat_id, path, start_ms, duration_ms, size, sha256)
SELECT (r.id - 1) * ({SEATS} + 1) + f, r.id, CASE WHEN f = 1 THEN 'mix' ELSE 'track' END,
    CASE WHEN f > 1 THEN (r.id - 1) * {SEATS} + f - 1 END, r.id || '/' || f, 0, 1200000, 1, repeat('0', 64)
FROM rooms_room r, generate_series(1, {SEATS} + 1) f WHERE r.id <= {kept};
"""
SPOKEN = """
INSERT INTO transcripts_transcript (id, room_id, state, language, model, version, speech_ms, done_ms, spent_ms, trouble,
    created_at, finished_at)
SELECT id, id, 'ready', 'en', 'base', '1', 1, 1, 1, '', ended_at, ended_at FROM rooms_room WHERE id <= {held};
INSERT INTO transcripts_trackplan (id, transcript_id, file_id, state, token, attempts, worker, error)
SELECT id, id, (id - 1) * ({SEATS} + 1) + 2, 'done', 1, 1, '', '' FROM rooms_room WHERE id <= {held};
INSERT INTO transcripts_transcriptionwindow (id, plan_id, position, spans, speech_ms, spent_ms, state, token, attempts,
    worker, error)
SELECT id, id, 0, '[]', 1, 1, 'done', 1, 1, '', '' FROM rooms_room WHERE id <= {held};
INSERT INTO transcripts_cue (transcript_id, window_id, position, seat_id, kind, start_ms, end_ms, language, text, words,
    model, version)
SELECT r.id, r.id, c, (r.id - 1) * {SEATS} + 1, 'speech', c * 1000, c * 1000 + 900, 'en',
    'what was said at the table number ' || c, '[]', 'base', '1'
FROM rooms_room r, generate_series(1, {CUES}) c WHERE r.id <= {held};
"""


def fill(postgres: Postgres, rooms: int, due: int, held: int) -> dict[str, int]:
    """Insert the rows of all rooms by SQL."""
    import psycopg
    from django.apps import apps

    kept = 3 * due + held + rooms // 10
    sizes = {"rooms": rooms, "due3": 3 * due, "held": 3 * due + held, "kept": kept}
    script = ROOMS + (SPOKEN if apps.is_installed("transcripts") else "")
    text = script.format(**sizes, SEATS=SEATS, EVENTS=EVENTS, CUES=CUES)
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connected:
        # The rows are valid: skip checks and triggers.
        connected.execute("SET session_replication_role = 'replica'")
        with connected.transaction():
            connected.execute(text.encode())
        connected.execute("VACUUM ANALYZE")
    return sizes


def lay(first: int, count: int, files: int, kb: int) -> None:
    """Make a folder with files of random bytes for each room."""
    from rooms.recording import store

    for pk in range(first, first + count):
        folder = store.hls_folder(pk)
        folder.mkdir(parents=True)
        for number in range(files):
            (folder / f"0-{number:06}.m4s").write_bytes(os.urandom(kb * 1024))
    os.sync()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def plain_delete(rooms: range) -> int:
    """Delete the same rows as the purge, one DELETE a table, in one transaction. Returns how many."""
    from django.db import transaction

    from retention.artefacts import TABLE, Expiry

    gone = 0
    with transaction.atomic():
        for artefact in TABLE:
            if artefact.rows is not None and artefact.expires_with is Expiry.COPY:
                rows = artefact.rows._base_manager.filter(**{f"{artefact.room}__in": list(rooms)})
                gone += rows._raw_delete(rows.db)
    return gone


def plain_remove(rooms: range) -> None:
    """Remove the same folders: every file read for its SHA-256, then all removed and synced."""
    from django.conf import settings

    from core.append_file import sync_folder
    from rooms.recording import store

    for pk in rooms:
        for path in store.hls_folder(pk).iterdir():
            hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.rmtree(store.folder(pk))
    sync_folder(settings.RECORDINGS_DIR)


def hold_some(sizes: dict[str, int]) -> None:
    """Put the held rooms on hold, by a found violation in each."""
    from django.utils import timezone

    from retention.hooks import retention_facts
    from retention.policy import Finding

    since = timezone.now() - timedelta(days=20)

    @retention_facts.register("bench")
    def tell(rooms: Any) -> Any:
        return [(pk, Finding(f"decision:{pk}", since)) for pk in rooms if sizes["due3"] < pk <= sizes["held"]]


def measure(options: argparse.Namespace, postgres: Postgres) -> None:
    import django

    django.setup()
    from django.utils import timezone

    from ledger.verify import verify
    from retention import purge
    from rooms.models import Room
    from rooms.recording import marker
    from tests.support.migrated import migrate

    migrate(postgres)
    marker.check()  # before the rows exist: most of them have no files
    seconds, sizes = timed(lambda: fill(postgres, options.rooms, options.due, options.held))
    print(f"{options.rooms:,} rooms made in {seconds:.0f} s, {sizes['kept']:,} of them still with a copy", flush=True)
    hold_some(sizes)
    lay(1, 2 * options.due, options.files, options.kb)
    twins = range(options.due + 1, 2 * options.due + 1)
    bare = Room.objects.filter(pk__gt=2 * options.due, pk__lte=3 * options.due)
    its_time = bare.values_list("ended_at", flat=True)[0]
    bare.update(ended_at=timezone.now())

    deleting, rows = timed(lambda: plain_delete(twins))
    removing, _none = timed(lambda: plain_remove(twins))
    Room.objects.filter(pk__in=twins).update(purged_at=timezone.now())
    looking, found = timed(lambda: list(purge.due(timezone.now())))
    assert len(found) == options.due, f"{len(found)} are due"
    purging, swept = timed(purge.sweep)
    assert len(swept.purged) == options.due and not swept.failed
    bare.update(ended_at=its_time)
    purging_rows, swept = timed(purge.sweep)
    assert len(swept.purged) == options.due and not swept.failed
    idle, again = timed(purge.sweep)
    assert not again.purged and purge.overdue(timezone.now()) == []
    assert verify().problems == []
    mb = options.due * options.files * options.kb / 1024
    among = f"among {options.rooms:,}, {options.held:,} held ones looked at"
    print(f"what is due, found        {looking * 1000:8.0f} ms   {among}")
    print(f"plain DELETE              {deleting:8.2f} s    {rows:,} rows, one statement a table")
    print(f"plain hash and remove     {removing:8.2f} s    {options.due * options.files:,} files, {mb:,.0f} MB")
    each, bare_each = purging / options.due * 1000, purging_rows / options.due * 1000
    print(f"purge                     {purging:8.2f} s    {each:.1f} ms a room, with its files")
    print(f"purge of rows alone       {purging_rows:8.2f} s    {bare_each:.1f} ms a room, no files")
    print(f"rows alone / plain DELETE {purging_rows / deleting:8.2f}")
    print(f"purge / DELETE and remove {purging / (deleting + removing):8.2f}")
    print(f"a sweep with nothing due  {idle * 1000:8.0f} ms")
    print(f"memory at most            {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=1_000)
    parser.add_argument("--held", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--kb", type=int, default=64)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with parts() as postgres:
        measure(options, postgres)


if __name__ == "__main__":
    main()
