"""Deciding from the page of a case: previews, what is missing, stale pages, confirming, the second moderator."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ledger.verify import verify
from moderation.actions import decisions
from moderation.actions.claims import claim
from moderation.models import (
    ActAtOnce,
    Case,
    Decision,
    Statement,
)
from moderation.rulebook import current_rules
from people.models import Sanction, User
from rooms.models import Room
from tests.support.case_pages import at, client_of, decided, draft, reported, staff
from tests.support.people import person
from tests.support.reports import report
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db


def test_a_violation_is_previewed_in_the_persons_language_and_decided(at_work: tuple[Client, User, Case, User]) -> None:
    client, mod, case, bert = at_work
    client.post(at(case, "mark"), {"from": "0:01", "to": "0:04"})
    preview = client.post(at(case, "decide"), {**draft(), "do": "preview"}).content.decode()
    rule = current_rules()[0]
    assert '<div lang="nl">' in preview and rule.text("nl")[:20] in preview and "You threatened a guest." in preview
    assert "The recording was never downloaded." in preview and not Decision.objects.exists()
    back = client.post(at(case, "decide"), {**draft(), "do": "edit"}).content.decode()
    assert "You threatened a guest." in back and 'value="14"' in back
    assert decided(client, case, draft()).status_code == 302
    decision = Decision.objects.get()
    assert (decision.by, decision.state, decision.rule) == (mod, "standing", rule)
    assert Statement.objects.get().person == bert and Sanction.objects.get(user=bert).kind == "no_stage"
    page = client.get(at(case)).content.decode()
    assert "You threatened a guest." in page and "data-decide" not in page
    again = client.post(at(case, "decide"), {**draft(facts="Once more"), "do": "decide"})
    assert again.status_code == 409 and Decision.objects.count() == 1


def test_what_is_missing_comes_back_with_all_that_was_typed(at_work: tuple[Client, User, Case, User]) -> None:
    client, _mod, case, _bert = at_work
    values = draft(rule="", public_facts="", days_no_stage="many", facts="Only <b>this</b>")
    answer = client.post(at(case, "decide"), {**values, "do": "preview"})
    text = answer.content.decode()
    assert answer.status_code == 400 and not Decision.objects.exists()
    for words in ("Choose a rule that is in force.", "a violation needs evidence", "from 1 to 3650", "public export"):
        assert words in text, words
    assert "Only &lt;b&gt;this&lt;/b&gt;" in text and 'value="many"' in text
    nothing = client.post(at(case, "decide"), {"do": "decide", "outcome": "maybe"})
    assert nothing.status_code in (400, 409) and not Decision.objects.exists()


def test_names_in_the_public_facts_are_refused(at_work: tuple[Client, User, Case, User]) -> None:
    client, _mod, case, _bert = at_work
    client.post(at(case, "mark"), {"from": "0:01", "to": "0:04"})
    answer = client.post(at(case, "decide"), {**draft(public_facts="Bert threatened a guest."), "do": "preview"})
    assert answer.status_code == 400 and "must not name anybody" in answer.content.decode()


def test_a_page_that_is_stale_decides_nothing_and_loses_nothing(at_work: tuple[Client, User, Case, User]) -> None:
    client, mod, case, bert = at_work
    client.post(at(case, "mark"), {"from": "0:01", "to": "0:04"})
    seen = client.post(at(case, "decide"), {**draft(), "do": "preview"}).content.decode()
    stamp = re.search(r'name="stamp" value="(\w+)"', seen)
    assert stamp is not None
    report(person("carl"), case.room, subject=bert, from_ms=2000, to_ms=3000)
    answer = client.post(at(case, "decide"), {**draft(), "do": "decide", "stamp": stamp[1]})
    assert answer.status_code == 409 and "changed since the preview" in answer.content.decode()
    assert "You threatened a guest." in answer.content.decode() and not Decision.objects.exists()
    # Another has it now.
    client.post(at(case, "claim"), {"do": "release"})
    claim(case, staff("other"))
    answer = client.post(at(case, "decide"), {**draft(), "do": "preview"})
    assert answer.status_code == 409 and "Somebody else is working" in answer.content.decode()
    assert "You threatened a guest." in answer.content.decode() and mod.pk


def test_what_comes_between_the_check_of_the_form_and_the_decision_is_seen(
    at_work: tuple[Client, User, Case, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that arrives while the request is on its way, at the last moment before the case is locked."""
    client, _mod, case, bert = at_work
    client.post(at(case, "mark"), {"from": "0:01", "to": "0:04"})
    real = decisions.decide

    def late(*args: Any) -> Decision:
        report(person("late"), case.room, subject=bert, from_ms=1000, to_ms=2000)
        return real(*args)

    monkeypatch.setattr(decisions, "decide", late)
    answer = decided(client, case, draft())
    assert answer.status_code == 409 and "has changed since the preview" in answer.content.decode()
    assert "You threatened a guest." in answer.content.decode() and not Decision.objects.exists()
    monkeypatch.setattr(decisions, "decide", real)
    stamp = re.search(r'name="stamp" value="(\w+)"', answer.content.decode())
    assert stamp is not None
    client.post(at(case, "decide"), {**draft(), "do": "decide", "stamp": stamp[1]})
    assert Decision.objects.count() == 1


def test_nobody_decides_what_they_did_not_look_at() -> None:
    case, _bert = reported()
    client = client_of(staff("mod"))
    client.post(at(case, "claim"))
    answer = client.post(at(case, "decide"), {"outcome": "no_violation", "do": "preview"})
    assert answer.status_code == 409 and "before you decide" in answer.content.decode()
    client.post(at(case, "look"), {"what": "lines", "from": "0:01", "to": "0:04"})
    assert decided(client, case, {"outcome": "no_violation"}).status_code == 302
    assert Decision.objects.get().outcome == "no_violation" and not Statement.objects.exists()


def test_suspending_for_good_is_confirmed_proposed_and_approved_by_another(
    at_work: tuple[Client, User, Case, User],
) -> None:
    client, mod, case, bert = at_work
    client.post(at(case, "mark"), {"from": "0:01", "to": "0:04"})
    values = draft(measure=["suspend"], days_suspend="", for_good="")
    forgotten = client.post(at(case, "decide"), {**values, "do": "preview"})
    assert forgotten.status_code == 400  # without days it is not for good by itself
    values["for_good"] = "yes"
    unsure = decided(client, case, values)
    assert unsure.status_code == 400 and not Decision.objects.exists()
    assert decided(client, case, values, sure="yes").status_code == 302
    decision = Decision.objects.get()
    assert decision.state == "proposed" and client.get(at(case, "second")).status_code == 302  # their own
    second = client_of(staff("second", language="en"))
    page = second.get(at(case, "second")).content.decode()
    assert "You threatened a guest." in page and '<div lang="nl">' in page
    assert second.post(at(case, "second"), {"decision": decision.pk, "do": "approve"}).status_code == 400
    wrong = second.post(at(case, "second"), {"decision": decision.pk, "do": "turn_down", "reason": ""})
    assert wrong.status_code == 400 and Decision.objects.get().state == "proposed"
    second.post(at(case, "second"), {"decision": decision.pk, "do": "approve", "sure": "yes"})
    decision.refresh_from_db()
    assert (decision.state, decision.second_by.handle if decision.second_by else "") == ("standing", "second")
    assert second.post(at(case, "second"), {"decision": decision.pk, "do": "approve", "sure": "yes"}).status_code == 302
    assert Sanction.objects.in_force().get(user=bert).ends_at is None and mod.pk and verify().ok


def test_a_proposal_is_turned_down_and_the_case_is_open_again(at_work: tuple[Client, User, Case, User]) -> None:
    client, _mod, case, bert = at_work
    client.post(at(case, "mark"), {"from": "0:01", "to": "0:04"})
    decided(client, case, draft(measure=["suspend"], days_suspend="60"), sure="yes")
    decision = Decision.objects.get()
    second = client_of(staff("second"))
    second.post(at(case, "second"), {"decision": decision.pk, "do": "turn_down", "reason": "Too much."})
    case.refresh_from_db()
    assert case.state == "open" and not Sanction.objects.in_force().filter(user=bert).exists()
    assert "Too much." in second.get(at(case)).content.decode()


def test_ending_a_room_and_closing_a_recording_at_once_are_confirmed() -> None:
    room = open_room()
    bert = seated("bert", room)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=1))
    case = report(person("anna"), room, subject=bert, from_ms=1000, to_ms=4000).case
    client = client_of(staff())
    assert "End this room" in client.get(at(case)).content.decode()
    client.post(at(case, "at_once"), {"do": "end"})
    assert Room.objects.get(pk=room.pk).is_live
    client.post(at(case, "at_once"), {"do": "end", "sure": "yes"})
    assert not Room.objects.get(pk=room.pk).is_live
    client.post(at(case, "at_once"), {"do": "restrict", "sure": "yes"})
    assert set(ActAtOnce.objects.values_list("kind", flat=True)) == {"end_room", "restrict"}
    assert "due" in client.get(at(case)).content.decode()
