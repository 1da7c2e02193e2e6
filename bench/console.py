"""Time in the database of the queue and of a case's page, compared with one plain query of the same rows.

    python bench/console.py [--cases 10000] [--reports 100000] [--rounds 9] [--explain]

Starts a PostgreSQL (with fsync, as in production) and a Redis of its own. Each case is about a room as a whole or a
person in one, with four parties and ten of the reports; one in ten is decided, the others are open. 100 rooms are live,
some cases are claimed or wait for a second moderator, 200 have an act at once. A senior moderator opens each page
through the whole of the site; the case has 200 notes, 60 reports and 500 entries in the ledger. The plain query, in
turns with the page, reads by their keys the cases that the page shows, with rooms, people and reports; for the page of
a case what that shows of it, and no more rows.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.purge import parts
from bench.sweep import HOSTS, MADE, SEATS, Stopwatch
from deploy.local.postgres import Postgres

LIVE = 100
WHOLE = 5_000  # rows that no statement of a page may read without an index
CASES = """
UPDATE rooms_room SET status = 'live', ended_at = NULL, end_reason = '' WHERE id <= {live};
INSERT INTO moderation_case (id, kind, room_id, subject_id, state, source, opened_at, severity, reporter_count, reach,
    accuracy, priority, child_safety, for_seniors, claimed_by_id, claimed_until,
    decided_at)
SELECT n, CASE WHEN n % 2 = 0 THEN 'room' ELSE 'person' END, n, CASE WHEN n % 2 = 1 THEN 1 + (n + 1) % 1000 END,
    CASE WHEN n % 50 = 7 THEN 'proposed' WHEN n % 10 = 6 THEN 'decided' ELSE 'open' END, 'notice',
    now() - random() * interval '20 days',
    1 + n % 4, 1 + n % 9, n % 700, 50, 200 * (1 + n % 4) + n % 199, n % 100 = 3, n % 100 = 4,
    CASE WHEN n % 100 = 9 THEN 1 + n / 100 END, CASE WHEN n % 100 = 9 THEN now() + interval '20 minutes' END,
    CASE WHEN n % 10 = 6 THEN now() - random() * interval '1 day' END
FROM generate_series(1, {cases}) n;
INSERT INTO moderation_caseparty (case_id, user_id)
SELECT n, 1 + (n + p) % 1000 FROM generate_series(1, {cases}) n, generate_series(0, 3) p;
INSERT INTO moderation_report (receipt, case_id, kind, room_id, subject_id, from_ms, to_ms, shown, reporter_id,
    reporter_name, reporter_email, language, category, words, law, once, at, outcome, old_subject)
SELECT gen_random_uuid(), c.id, c.kind, c.room_id, c.subject_id, 1000, 61000, '', 1 + (c.id * 7 + n) % 1000, '',
    '', 'en',
    (ARRAY['hate', 'harassment', 'violence', 'spam_or_fraud'])[1 + n % 4],
    'They said it again and again.', '', '', now(), '', ''
FROM generate_series(1, {reports}) n JOIN moderation_case c ON c.id = 1 + n % {cases};
INSERT INTO moderation_actatonce (case_id, kind, by_id, memory, at, due_at, settled)
SELECT 1 + n * {cases} / 200, 'end_room', 1 + n, '{{}}', now(), now() + n * interval '5 minutes', ''
FROM generate_series(0, 199) n;
INSERT INTO moderation_decision (case_id, outcome, state, rule_id, ground, law, facts, public_facts, by_id, at,
    second_reason)
SELECT c.id, 'violation', 'proposed', (SELECT min(id) FROM moderation_ruleversion), 'rule', '', 'They did.', '',
    1 + (c.id + 500) % 1000, now() - random() * interval '4 days', ''
FROM moderation_case c WHERE c.state = 'proposed';
"""


# The cases of a page of the queue, with their rooms and people and the categories of their reports.
ROWS = """
SELECT c.*, r.*, s.*, p.id, p.category FROM moderation_case c LEFT JOIN rooms_room r ON r.id = c.room_id
LEFT JOIN people_user s ON s.id = c.subject_id LEFT JOIN moderation_report p ON p.case_id = c.id WHERE c.id = ANY(%s)"""
# A case with the rows that its page shows, and as many of each.
CASE = """
SELECT c.*, r.*, h.*, s.*,
    (SELECT json_agg(p) FROM (SELECT * FROM moderation_report WHERE case_id = c.id ORDER BY at LIMIT 50) p),
    (SELECT json_agg(n) FROM (SELECT * FROM moderation_casenote WHERE case_id = c.id ORDER BY id DESC LIMIT 101) n),
    (SELECT json_agg(e) FROM (
        SELECT * FROM ledger.entry WHERE subject = 'case:' || c.id ORDER BY seq DESC LIMIT 101) e),
    (SELECT json_agg(d) FROM moderation_decision d WHERE d.case_id = c.id),
    (SELECT json_agg(a) FROM moderation_actatonce a WHERE a.case_id = c.id),
    (SELECT json_agg(l) FROM moderation_look l WHERE l.case_id = c.id),
    (SELECT json_agg(e) FROM moderation_evidencerange e WHERE e.case_id = c.id),
    (SELECT json_agg(e) FROM moderation_evidenceline e WHERE e.case_id = c.id),
    (SELECT json_agg(o) FROM (
        SELECT * FROM moderation_case o WHERE o.subject_id = c.subject_id ORDER BY o.opened_at DESC LIMIT 10) o),
    (SELECT json_agg(t) FROM people_sanction t WHERE t.user_id = c.subject_id),
    (SELECT json_agg(t) FROM rooms_seat t WHERE t.room_id = c.room_id)
FROM moderation_case c LEFT JOIN rooms_room r ON r.id = c.room_id LEFT JOIN people_user h ON h.id = r.host_id
LEFT JOIN people_user s ON s.id = c.subject_id WHERE c.id = %s"""
# What has come together in the case whose page is measured.
MUCH = """
INSERT INTO moderation_casenote (case_id, author_id, text, at)
SELECT {case}, 7, 'They said so before, in another room, of somebody else.', now() FROM generate_series(1, 200);
INSERT INTO moderation_report (receipt, case_id, kind, room_id, subject_id, from_ms, to_ms, shown, reporter_id,
    reporter_name, reporter_email, language, category, words, law, once, at, outcome, old_subject)
SELECT gen_random_uuid(), c.id, c.kind, c.room_id, c.subject_id, 1000, 61000, '', n, '', '', 'en', 'hate',
    'They said it again and again.', '', '', now(), '', ''
FROM generate_series(1, 50) n, moderation_case c WHERE c.id = {case};
INSERT INTO ledger.entry (seq, kind, subject, actor, at, data, commitments, previous, seal)
SELECT 1000 + n, 'note_added', 'case:{case}', 7, now(), '{{}}', '{{}}', md5(n::text) || md5('a'),
    md5(n::text) || md5('b')
FROM generate_series(1, 500) n;
"""


class Statements(Stopwatch):
    """The statements that run while it wraps the connection's execution, with their time."""

    def __init__(self) -> None:
        self.texts: list[tuple[float, str, Any]] = []

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            seconds = time.perf_counter() - began
            self.spent += seconds
            self.texts.append((seconds, statement[0], statement[1]))


def fill(postgres: Postgres, cases: int, reports: int, much: int) -> None:
    """Insert hosts, rooms, cases and reports by SQL, with checks and triggers skipped: the rows are valid. The case
    `much` is the one that has grown large."""
    import psycopg

    made = {"first": 1, "last": cases, "age": "random() * interval '29 days'", "purged": "NULL::timestamptz"}
    script = (
        HOSTS.format()
        + MADE.format(**made, seats=SEATS, events=0)
        + CASES.format(live=LIVE, cases=cases, reports=reports)
        + MUCH.format(case=much)
    )
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connected:
        connected.execute("SET session_replication_role = 'replica'")
        with connected.transaction():
            connected.execute(script.encode())
        connected.execute("VACUUM ANALYZE")


def senior() -> Any:
    """Sign in a senior moderator, who is a party of nothing."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from people.groups import SENIORS, ensure_groups
    from tests.support.people import person
    from tests.support.staff import sign_in_staff

    ensure_groups()
    user = person("senior", is_staff=True)
    user.groups.add(Group.objects.get(name=SENIORS))
    return sign_in_staff(Client(), user)


def turns(client: Any, address: str, rounds: int) -> tuple[list[float], list[float], Statements, int]:
    """Open a page and run its plain query in turns; return the seconds in the database of both, the page's statements
    and the number of its cases."""
    ours, theirs = [], []
    for _round in range(rounds + 2):
        statements, answer = opened(client, address)
        keys = [int(key) for key in re.findall(r'data-queue-case="(\d+)"', answer)]
        one = [int(key) for key in re.findall(r"/case/(\d+)/$", address)]
        ours.append(statements.spent)
        theirs.append(plain(CASE, one) if one else plain(ROWS, [keys]))
    return ours[2:], theirs[2:], statements, len(keys or one)  # the first two warmed up


def opened(client: Any, address: str) -> tuple[Statements, str]:
    """Open a page; return its statements and what it says."""
    from django.db import connection

    statements = Statements()
    with connection.execute_wrapper(statements):
        answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return statements, answer.content.decode()


def plain(query: str, values: list[Any]) -> float:
    """Run one plain query; its seconds."""
    from django.db import connection

    watch = Stopwatch()
    with connection.execute_wrapper(watch), connection.cursor() as cursor:
        cursor.execute(query, values)
    return watch.spent


def scans(seen: Statements) -> set[str]:
    """Return the tables of which a statement of a page reads half the rows or more without an index."""
    from django.db import connection

    found: set[str] = set()
    for _seconds, text, values in seen.texts:
        if text.startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values)
                found |= set(_scanned(cursor.fetchone()[0][0]["Plan"]))
    return found


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    if node["Node Type"] == "Seq Scan" and read * node["Actual Loops"] > WHOLE:
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from _scanned(part)


def say(name: str, client: Any, address: str, rounds: int, *, explain: bool) -> None:
    """Print a page's statements and time beside those of the plain query."""
    times, bare_times, statements, number = turns(client, address, rounds)
    ours, bare = median(times), median(bare_times)
    print(
        f"{name:<24}{number:4} cases {len(statements.texts):3} statements {ours * 1000:7.2f} ms"
        f" / plain {bare * 1000:6.2f} ms = {ours / bare:5.2f}"
        f" (fastest {min(times) / min(bare_times):5.2f}, load {os.getloadavg()[0]:.1f})",
        flush=True,
    )
    print(f"{'':<24}read as a whole: {', '.join(sorted(scans(statements))) or 'nothing'}", flush=True)
    if explain:
        for seconds, text, _values in sorted(statements.texts, key=lambda one: -one[0])[:6]:
            print(f"    {seconds * 1000:7.2f} ms  {text[:1200]}\n")


def measure(options: argparse.Namespace, postgres: Postgres) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.urls import reverse

    from tests.support.migrated import migrate

    migrate(postgres)
    settings.ALLOWED_HOSTS = ["*"]
    large = options.cases // 2
    fill(postgres, options.cases, options.reports, large)
    client, queue = senior(), reverse("admin:moderation_case_changelist")
    print(f"{options.cases:,} cases, {options.reports:,} reports")
    for name, query in PAGES.items():
        say(name, client, f"{queue}?{query}", options.rounds, explain=options.explain)
    page = reverse("admin:moderation_case_change", args=[large])
    say("a case", client, page, options.rounds, explain=options.explain)


PAGES = {
    "queue": "show=open",
    "queue, 100th page": "show=open&page=100",
    "queue of live rooms": "show=live",
    "queue, one kind": "show=open&kind=room",
    "queue, one category": "show=open&category=hate",
    "second moderators": "show=second",
    "decided": "show=decided",
    "search by handle": "q=host7",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--explain", action="store_true", help="the six longest statements of each page")
    options = parser.parse_args()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "STATIC_FILES": "source"}
    with parts() as postgres:
        measure(options, postgres)


if __name__ == "__main__":
    main()
