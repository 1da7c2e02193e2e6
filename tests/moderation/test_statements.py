"""Statements and previews: as frozen, as exported, and as shown before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from ledger.models import Entry
from moderation.actions.decisions import decide, preview
from moderation.models import Decision, Statement
from retention.policy import Reason
from tests.support.cases import (
    FACTS,
    draft,
    kept_room,
    open_case,
    staff,
    violation,
    worked_on,
)
from tests.support.people import person
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_the_statement_is_frozen_in_the_language_of_the_person_and_as_previewed() -> None:
    ada = person("ada", language="nl")
    room, mara = kept_room("", 10, ada), staff()
    case = worked_on(open_case(room, subject=ada), mara)
    whole = draft(("no_stage", 7), ("restrict", None))
    shown = preview(case, whole)
    decision = decide(case, mara, whole)
    statement = Statement.objects.get()
    assert (statement.person, statement.language, statement.told_at) == (ada, "nl", None)
    assert shown.statement is not None and shown.person == ada and not shown.wrong and not shown.needs_second
    for name in ("rule", "evidence"):
        assert shown.statement[name] == statement.body[name]
    assert [part["title"] for part in shown.statement["parts"]] == [part["title"] for part in statement.body["parts"]]
    rule_part = next(part for part in statement.body["parts"] if part["key"] == "rule")
    assert rule_part["lines"][0] == "Geen bedreiging en geen geweld"
    before, after = shown.clock_before, shown.clock_after
    assert before is not None and before.reason == Reason.CASE and after is not None
    assert after.purge_at is not None and after.reason == Reason.VIOLATION
    assert statement.body["until"]["sound"] == after.purge_at.isoformat()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Statement.objects.update(body={"parts": []})
    export = statement.body["export"]
    assert export["puid"] == f"decision-{decision.pk}" and export["decision_facts"] != FACTS
    assert export["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert export["decision_provision"] == "DECISION_PROVISION_PARTIAL_SUSPENSION"
    assert datetime.fromisoformat(export["end_date_service_restriction"]) > datetime.now()
    assert "end_date_visibility_restriction" not in export
    assert {"illegal_content_legal_ground", "decision_account"}.isdisjoint(export)


def test_a_bare_warning_is_not_exported_and_a_law_is_its_ground() -> None:
    violation(open_case())
    assert Statement.objects.get().body["export"] is None
    decision = violation(open_case(), ("suspend", 3), ground="law", law="Article 137c")
    export = Statement.objects.get(decision=decision).body["export"]
    assert export["illegal_content_legal_ground"] == "Article 137c" and "incompatible_content_ground" not in export
    assert (export["decision_account"], export["source_type"]) == ("DECISION_ACCOUNT_SUSPENDED", "SOURCE_ARTICLE_16")


def test_a_preview_does_nothing_and_says_what_is_wrong() -> None:
    mara, case = staff(), open_case()
    worked_on(case, mara)
    entries = Entry.objects.count()
    shown = preview(case, draft(("suspend", None), facts=""), "nl")
    assert set(shown.wrong) == {"facts"} and shown.statement is None and shown.needs_second
    assert len(shown.measures) == 1 and Entry.objects.count() == entries and not Decision.objects.exists()
    live = preview(open_case(open_room()), draft())
    assert live.clock_before is live.clock_after is None
    assert settings.RECORDING_DAYS == 30
    nothing = preview(case, draft(outcome="no_violation"))
    assert nothing.person is None and nothing.clock_after is not None and nothing.clock_after.reason == Reason.REVIEW
