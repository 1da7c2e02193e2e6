"""Milliseconds of a sweep over 1,000,000 ended rooms with 1,000 due, compared with a sweep over those 1,000 alone.

    python bench/sweep.py [--rooms 1000000] [--due 1000] [--held 1000] [--rounds 5]

Starts a PostgreSQL (with fsync, as in production) and a Redis of its own. Each round inserts `--due` rooms past day 30,
with the rows of bench/purge.py and no files, and sweeps them: first alone, then among `--rooms`, of which 90 % were
purged before and the rest is too young, then with `--held` more that a violation keeps. What is measured: the selection
and decision alone (the clock of each room past day 30 is computed), the time in the database of its statements, and the
whole sweep with its purges.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.purge import ROOMS, parts, timed
from deploy.local.postgres import Postgres

SEATS, EVENTS = 4, 60  # rows a room that still has its copy
LOOKS = 21  # how often what is due is looked for in each round
HOSTS = ROOMS.partition("INSERT INTO rooms_room ")[0]
MADE = """
INSERT INTO rooms_room (id, slug, host_id, title, topic, language, speak_policy, entry_policy, transcription,
    max_speakers, is_demo, hands_locked, hands_over, status, started_at, ended_at, end_reason, seq, starts_zone,
    starts_wall, cancel_reason, purged_at)
SELECT n, 'r' || n, 1 + n % 1000, 'Room ' || n, 'topic ' || n, 'en', 'everyone', 'anyone', true, 10, false, false,
    false, 'ended', ended - interval '20 minutes', ended, 'host', {events}, '', '', '', {purged}
FROM (SELECT n, now() - {age} AS ended FROM generate_series({first}, {last}) n) made;
INSERT INTO rooms_recording (id, room_id, state, error, attempts, duration_ms, missing_ms, finished_at, opened_policy)
SELECT id, id, CASE WHEN purged_at IS NULL THEN 'ready' ELSE 'purged' END, '', 1, 1200000, 0, ended_at, 'anyone'
FROM rooms_room WHERE id BETWEEN {first} AND {last};
INSERT INTO rooms_seat (id, room_id, user_id, role, place, muted, mute_held, mic_page, taken_at, left_at,
    left_reason, captions_off)
SELECT (r.id - 1) * {seats} + s, r.id, 1 + (r.id + s) % 1000, CASE WHEN s = 1 THEN 'host' ELSE 'speaker' END, s - 1,
    false, false, '', r.started_at, r.ended_at, 'room_ended', false
FROM rooms_room r, generate_series(1, {seats}) s WHERE r.id BETWEEN {first} AND {last} AND r.purged_at IS NULL;
INSERT INTO rooms_roomevent (room_id, seq, type, at_ms, data, created_at)
SELECT r.id, e, 'seat_muted', e * 1000, '{{"user": "somebody", "muted": true, "held": false, "by": null}}', r.started_at
FROM rooms_room r, generate_series(1, {events}) e WHERE r.id BETWEEN {first} AND {last} AND r.purged_at IS NULL;
"""
DUE, HELD, YOUNG, BEFORE = (
    "(interval '30 days 1 minute' + random() * interval '1 day')",
    "(interval '40 days' + random() * interval '20 days')",
    "random() * interval '29 days'",
    "(interval '31 days' + random() * interval '900 days')",
)


@dataclass
class Rows:
    """Rows of rooms, inserted by SQL with ascending keys."""

    url: str
    last: int = 0

    def run(self, script: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connected:
            # The rows are valid: skip checks and triggers.
            connected.execute("SET session_replication_role = 'replica'")
            with connected.transaction():
                connected.execute(script.encode())
            connected.execute("VACUUM ANALYZE")
            connected.execute("CHECKPOINT")

    def add(self, count: int, age: str, *, purged: bool = False) -> range:
        """Insert rooms that ended `age` ago; return their keys."""
        first, self.last = self.last + 1, self.last + count
        at = "ended + interval '30 days'" if purged else "NULL::timestamptz"
        values = {"first": first, "last": self.last, "age": age, "purged": at, "seats": SEATS, "events": EVENTS}
        if count:
            self.run(MADE.format(**values))
        return range(first, self.last + 1)


@dataclass
class Figures:
    """Seconds by round: finding what is due with its clocks, the database's share of that, the whole sweep."""

    finding: list[float] = field(default_factory=list)
    statements: list[float] = field(default_factory=list)
    sweeping: list[float] = field(default_factory=list)


class Stopwatch:
    """Time of the statements that run while it wraps the connection's execution."""

    spent = 0.0

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            self.spent += time.perf_counter() - began


def sweeps(rows: Rows, due: int, rounds: int) -> Figures:
    """Add rooms that are due and sweep them, several times."""
    from django.db import connection
    from django.utils import timezone

    from retention import purge

    figures = Figures()
    for _round in range(rounds):
        keys = rows.add(due, DUE)
        now = timezone.now()
        finding, statements = [], []
        for _time in range(LOOKS):
            watch = Stopwatch()
            with connection.execute_wrapper(watch):
                seconds, found = timed(lambda now=now: list(purge.due(now)))  # type: ignore[misc]
            assert sorted(item.room_pk for item in found) == list(keys), f"{len(found)} are due"
            finding.append(seconds)
            statements.append(watch.spent)
        sweeping, swept = timed(purge.sweep)
        assert len(swept.purged) == due and not swept.failed, swept.failed
        figures.finding.append(median(finding))
        figures.statements.append(median(statements))
        figures.sweeping.append(sweeping)
    return figures


def hold(keys: range) -> None:
    """Keep these rooms by a found violation in each."""
    from django.utils import timezone

    from retention.hooks import retention_facts
    from retention.policy import Finding

    since = timezone.now() - timedelta(days=20)

    @retention_facts.register("bench")
    def tell(rooms: Any) -> Any:
        return [(pk, Finding(f"decision:{pk}", since)) for pk in rooms if pk in keys]


def measure(options: argparse.Namespace, postgres: Postgres) -> None:
    import django

    django.setup()

    from rooms.recording import marker
    from tests.support.migrated import migrate

    migrate(postgres)
    marker.check()  # before the rows exist: they have no files
    rows = Rows(postgres.superuser_url)
    rows.run(HOSTS.format())
    sweeps(rows, options.due, 1)  # to warm up
    alone = sweeps(rows, options.due, options.rounds)
    say("alone", alone, alone)
    rows.add(options.rooms // 10, YOUNG)
    seconds, _keys = timed(lambda: rows.add(options.rooms - options.rooms // 10, BEFORE, purged=True))
    print(f"{rows.last:,} rooms, the last of them made in {seconds:.0f} s", flush=True)
    say(f"among {options.rooms:,}", sweeps(rows, options.due, options.rounds), alone)
    if options.held:
        hold(rows.add(options.held, HELD))
        say(f"and {options.held:,} held", sweeps(rows, options.due, options.rounds), alone)


def say(name: str, figures: Figures, alone: Figures) -> None:
    """Print medians, each with its ratio to the sweep over the due rooms alone."""
    print(f"{name} (load {os.getloadavg()[0]:.1f})")
    for what in ("finding", "statements", "sweeping"):
        ours, theirs = (median(getattr(one, what)) for one in (figures, alone))
        low, least = (min(getattr(one, what)) for one in (figures, alone))
        ratios = f"{ours / theirs:5.2f} (fastest {low / least:4.2f})"
        print(f"  {what:<12}{ours * 1000:9.1f} ms  fastest {low * 1000:9.1f} ms  / alone {ratios}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=1_000)
    parser.add_argument("--held", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with parts() as postgres:
        measure(options, postgres)


if __name__ == "__main__":
    main()
