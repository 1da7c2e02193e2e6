"""Reports of before cases, brought over by a migration: each has its case, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState, StateApps
from django.utils import timezone

from ledger import roles
from tests.support.people import person
from tests.support.privileges import migrations_database
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = ("moderation", "0005_reported_cards")
STEPS = ("0006_console", "0007_console_rows", "0008_console_finish")
SCHEMA = "before_cases"


@pytest.fixture(autouse=True)
def as_owner(settings: Any) -> Generator[None]:
    """The tables' owner, and a schema for tables as they were, in front of today's: those stay as they are."""
    settings.MIGRATIONS_DATABASE = migrations_database()
    with roles.as_migrator("default"):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {SCHEMA}")
            cursor.execute(f"SET search_path = {SCHEMA}, public")
        yield
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def tables_of_before(state: ProjectState) -> StateApps:
    """Make moderation's tables as they were."""
    apps: StateApps = state.apps
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("moderation").get_models():
            if not model._meta.proxy:
                editor.create_model(model)
    return apps


def test_old_reports_get_cases_and_reports_of_messages_become_reports() -> None:
    anna, bert, carl = person("anna"), person("bert"), person("carl")
    room = open_room()
    loader = MigrationLoader(connection)
    state = loader.project_state([BEFORE])
    old = tables_of_before(state)
    rows = old.get_model("moderation", "Report").objects
    common = {"room_id": room.pk, "from_ms": 0, "to_ms": 10, "words": "so it was"}
    for reporter in (anna, carl):
        rows.create(reporter_id=reporter.pk, subject_id=bert.pk, category="hate", **common)
    rows.create(reporter_id=anna.pk, subject=None, category="child_safety", **common)
    message = old.get_model("moderation", "MessageReport").objects.create(
        reporter_id=anna.pk, subject_id=bert.pk, category="violence", words="threat", message=77
    )
    old.get_model("moderation", "ReportedMessage").objects.create(
        report_id=message.pk, place=0, reported=True, sender_id=bert.pk, kind="text", line="x", sent_at=timezone.now()
    )
    for name in STEPS:
        with connection.schema_editor() as editor:
            state = loader.graph.nodes["moderation", name].apply(state, editor)
    new = state.apps
    Case, Report = new.get_model("moderation", "Case"), new.get_model("moderation", "Report")
    assert sorted(Case.objects.values_list("kind", "reporter_count", "severity", "child_safety")) == [
        ("message", 1, 3, False),
        ("person", 2, 3, False),
        ("room", 1, 4, True),
    ]
    assert Report.objects.count() == 4 and not Report.objects.filter(words="").exists()
    kept = Report.objects.get(kind="message")
    assert (kept.receipt, kept.message, kept.old_subject) == (message.receipt, 77, f"message-report:{message.pk}")
    assert new.get_model("moderation", "ReportedMessage").objects.get().report == kept
