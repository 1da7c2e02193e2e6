"""Decisions: what they need, impose and undo; the statement and the preview."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.claims import claim
from moderation.actions.decisions import approve, decide, turn_down, undo_decision
from moderation.actions.evidence import mark_range, note_look
from moderation.actions.looks import note_sound
from moderation.measures import MEASURES
from moderation.models import Case, Decision, Measure, Report, Rule, RuleVersion, Statement
from people.models import ProfileTakedown, Sanction, User
from people.standing import standing_of, why_not_enter
from retention.clocks import clock_of
from retention.purge import purge
from rooms.models import Restriction, Room, TitleTakedown
from rooms.rules.restrictions import is_restricted
from social.models import Message, MessageTakedown
from tests.support.cases import (
    aged,
    draft,
    kept_room,
    no_violation,
    open_case,
    proposed,
    purge_at,
    refused,
    staff,
    violation,
    worked_on,
    wrong,
)
from tests.support.messages import written
from tests.support.people import person
from tests.support.rooms import open_room, prepared_room, seated

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
STATED: tuple[type[models.Model], ...] = (Sanction, Restriction, TitleTakedown, ProfileTakedown, MessageTakedown)


def standing_measures() -> dict[str, set[int]]:
    """Keys of the rows that state a measure which is in force, by model."""
    found = {
        model.__name__: set(model._default_manager.filter(lifted_at=None).values_list("pk", flat=True))
        for model in STATED
    }
    found["Sanction"] = set(Sanction.objects.in_force().values_list("pk", flat=True))
    return found


# --- what a decision needs --------------------------------------------------------------------------------------------


def test_deciding_needs_the_claim_and_a_look_by_oneself() -> None:
    mara, bob, case = staff(), staff(), open_case()
    assert refused(decide, case, mara, draft()) == "not_claimed"
    note_sound(case, bob, 0, 10)
    claim(case, mara)
    assert refused(decide, case, bob, draft()) == "claimed_by_another"
    assert refused(decide, case, mara, draft()) == "not_looked"
    note_sound(case, mara, 20, 30)
    assert refused(decide, case, mara, draft()) == "not_looked", "beside what was reported"
    note_look(case, mara, "lines", 5, 30)
    assert wrong(case, mara) == {"evidence"}
    mark_range(case, mara, 0, 10)
    decision = decide(case, mara, draft())
    assert decision.state == "standing" and Case.objects.get(pk=case.pk).state == "decided"
    assert refused(decide, case, mara, draft()) == "decided_already"
    assert refused(claim, case, bob) == "decided_already"


def test_wrong_drafts_are_refused_field_by_field() -> None:
    mara, case = staff(), open_case(kept_room("", 10, person("ada")))
    worked_on(case, mara)
    assert wrong(case, mara, rule_version=None, facts="  ") == {"rule", "facts"}
    assert wrong(case, mara, facts="x" * 5001) == {"facts"}
    assert wrong(case, mara, public_facts="And Ada said so", measures=(("restrict", None),)) == {"public_facts"}
    assert wrong(case, mara, public_facts="", measures=(("restrict", None),)) == {"public_facts"}
    assert wrong(case, mara, ground="law") == {"law"}
    assert wrong(case, mara, ground="moon") == {"ground"}
    for measures in ((("no_stage", None),), (("message", None),), (("x", 1),), (("end_room", None),)):
        assert wrong(case, mara, measures=measures) == {"measures"}
    assert wrong(case, mara, outcome="perhaps") == {"outcome"}
    assert not Decision.objects.exists() and Case.objects.get().claimed_by == mara


def test_a_rule_that_is_not_in_force_is_refused_and_a_decision_keeps_its_wording() -> None:
    mara, case = staff(), open_case()
    worked_on(case, mara)
    old = RuleVersion.objects.get(rule="no-hate", number=1)
    RuleVersion.objects.create(rule_id="no-hate", number=2, wording={"en": {"title": "No hate!", "text": "None."}})
    assert wrong(case, mara, rule_version=old) == {"rule"}
    Rule.objects.filter(pk="no-fraud").update(retired_at=timezone.now())
    assert wrong(case, mara, rule_version=RuleVersion.objects.get(rule="no-fraud")) == {"rule"}
    new = RuleVersion.objects.get(rule="no-hate", number=2)
    assert decide(case, mara, draft(rule_version=new)).rule == new


def test_the_database_refuses_a_party_and_the_same_person_twice() -> None:
    mara, senior, case = staff(), staff("senior"), open_case(kept_room(staff("moderator", "host")))
    assert case.room is not None
    decision = violation(case, ("suspend", None), by=senior)
    for name, user in (("second_by", case.room.host), ("by", case.room.host), ("undone_by", case.room.host)):
        with pytest.raises(IntegrityError, match="party"), transaction.atomic():
            Decision.objects.filter(pk=decision.pk).update(**{name: user})
    for change in ({"undone_by": senior}, {"second_by": senior, "state": "standing"}):
        with pytest.raises(IntegrityError, match=r"decision_(undone|second)"), transaction.atomic():
            Decision.objects.filter(pk=decision.pk).update(**change)
    assert refused(approve, decision, mara) == "unknown_case", "a case about staff"


def test_once_the_copy_is_gone_a_case_is_decided_on_the_record() -> None:
    mara, room = staff(), kept_room()
    case = open_case(room)
    aged(room, 90)
    assert purge([room.pk]) == [room.pk]
    claim(case, mara)
    assert refused(note_sound, case, mara, 0, 10) == "copy_gone"
    mark_range(case, mara, 0, 10)
    assert refused(decide, case, mara, draft()) == "not_looked"
    note_look(case, mara, "shown")
    assert wrong(case, mara, measures=(("restrict", None),)) == {"measures"}
    assert decide(case, mara, draft(("suspend", 7))).state == "standing"
    assert Statement.objects.get().body["until"]["sound"] is None


# --- violations, and undoing ------------------------------------------------------------------------------------------


def scene(key: str) -> Case:
    """A case in which a measure is possible."""
    ada = person("ada", about="Likes chess")
    if key == "message":
        reader = person("reader")
        message = Message.objects.get(thread=written(ada, reader))
        return open_case(None, reader, kind="message", message=message.pk)
    if key == "title":
        return open_case(prepared_room(ada if key == "host" else person("host", creator=True)), kind="title")
    if key in ("picture", "profile"):
        ada.picture.save("x.webp", ContentFile(b"RIFF....WEBP and more"))
        return open_case(kind=key, subject=ada)
    if key == "end_room":
        return open_case(open_room())
    return open_case(kept_room("", 10, ada), subject=ada)


@pytest.mark.parametrize("key", sorted(MEASURES))
def test_each_measure_is_stated_by_a_row_and_undone_exactly(key: str) -> None:
    case, mara = scene(key), staff()
    before = standing_measures()
    days = 7 if MEASURES[key].takes_days else None
    decision = violation(case, (key, days), by=mara)
    row = Measure.objects.get()
    assert row.applied_at is not None and (row.ends_at is None) == (days is None)
    assert standing_measures() != before or key == "end_room"
    if key == "end_room":
        assert case.room is not None and Room.objects.get(pk=case.room.pk).end_reason == "staff"
    assert refused(undo_decision, decision, mara, "Mine") == "own_proposal"
    assert undo_decision(decision, staff(), "It was a joke") and not undo_decision(decision, None, "Again")
    assert standing_measures() == before
    row.refresh_from_db()
    assert row.undone_at is not None and Case.objects.get(pk=case.pk).state == "decided"
    if key in ("picture", "profile", "title", "message"):
        shown = User.objects.get(handle="ada")
        assert (shown.display_name, shown.about) == ("Ada", "Likes chess")
        assert bool(shown.picture) == (key in ("picture", "profile"))
    assert verify().ok, verify().problems


def test_undoing_one_of_two_decisions_leaves_the_other() -> None:
    ada = person("ada")
    room, other = kept_room("", 10, ada), kept_room("", 10, ada)
    first = violation(open_case(room, subject=ada), ("suspend", 7), ("restrict", None))
    second = violation(open_case(room), ("restrict", None))
    third = violation(open_case(other, subject=ada), ("suspend", 7))
    assert Sanction.objects.count() == 2 and Restriction.objects.count() == 2
    undo_decision(first, staff(), "No")
    assert why_not_enter(standing_of(ada)) == "account_suspended" and is_restricted(room)
    assert purge_at(room) == (90, "violation")
    undo_decision(second, None, "No")
    assert not is_restricted(room) and purge_at(room)[1] == "review"
    undo_decision(third, None, "No")
    assert why_not_enter(standing_of(ada)) is None
    assert not Report.objects.exclude(outcome="").exists()


def test_reports_are_founded_where_the_evidence_overlaps_them() -> None:
    room, mara = kept_room(), staff()
    case = open_case(room, from_ms=0, to_ms=1000)
    open_case(room, from_ms=5000, to_ms=6000)
    claim(case, mara)
    note_sound(case, mara, 0, 1000)
    mark_range(case, mara, 900, 2000)
    decide(case, mara, draft())
    assert list(Report.objects.order_by("from_ms").values_list("outcome", flat=True)) == ["founded", "unfounded"]


def test_no_violation_imposes_nothing_and_lets_the_copy_go_on_day_30() -> None:
    room = kept_room()
    case = open_case(room)
    assert purge_at(room) == (90, "case")
    decision = no_violation(case)
    assert purge_at(room) == (30, "review") and decision.rule is None
    assert not Measure.objects.exists() and not Statement.objects.exists()
    assert Report.objects.get().outcome == "unfounded"
    assert undo_decision(decision, staff(), "It was one") and purge_at(room) == (30, "review")
    later = open_case(room)
    assert later.earlier == case and later.pk != case.pk


# --- a second moderator -----------------------------------------------------------------------------------------------


def test_a_proposal_suspends_for_72_hours_and_waits_with_all_else() -> None:
    decision, ada, room = proposed()
    sanction = Sanction.objects.get()
    assert sanction.ends_at is not None and abs(sanction.ends_at - timezone.now() - 3 * DAY) < timedelta(minutes=1)
    assert decision.state == "proposed" and decision.case.state == "proposed" and not is_restricted(room)
    assert not Statement.objects.exists() and Report.objects.get().outcome == "" and purge_at(room)[0] == 90
    assert refused(approve, decision, decision.by) == "own_proposal"
    assert refused(approve, decision, staff("auditor")) == "unknown_case"
    assert refused(decide, decision.case, staff(), draft()) == "waits_for_second"
    assert refused(undo_decision, decision, staff(), "No") == "not_standing"
    approve(decision, staff())
    assert refused(approve, decision, staff()) == "not_proposed"
    now = Sanction.objects.in_force().get()
    assert now.ends_at is None and now.pk != sanction.pk and is_restricted(room)
    assert Statement.objects.get().person == ada and Report.objects.get().outcome == "founded"
    assert verify().ok, verify().problems
    undo_decision(decision, None, "No")
    assert why_not_enter(standing_of(ada)) is None and not is_restricted(room)
    assert verify().ok, verify().problems


def test_a_proposal_is_turned_down_with_a_reason() -> None:
    decision, ada, room = proposed()
    assert refused(turn_down, decision, staff(), " ") == "bad_value"
    turn_down(decision, staff(), "Not that bad")
    assert why_not_enter(standing_of(ada)) is None and not Sanction.objects.in_force().exists()
    case = Case.objects.get()
    assert case.state == "open" and case.claimed_by is None and not is_restricted(room)
    assert refused(approve, decision, staff()) == "not_proposed"
    again = violation(case, ("suspend", 30))
    assert again.state == "standing" and Decision.objects.count() == 2 and verify().ok, verify().problems


def test_a_proposal_that_nobody_approves_is_overdue_and_lapses_on_day_90() -> None:
    senior = staff("senior", "sanne")
    decision, ada, room = proposed()
    assert sweep.sweep() == 0
    Decision.objects.filter(pk=decision.pk).update(at=timezone.now() - 3 * DAY)
    Sanction.objects.update(begins_at=timezone.now() - 4 * DAY, ends_at=timezone.now() - DAY)
    mail.outbox.clear()
    assert (sweep.sweep(), sweep.sweep()) == (1, 0)
    assert [each.to for each in mail.outbox] == [[senior.email]]
    assert why_not_enter(standing_of(ada)) is None and Case.objects.get().state == "proposed"
    aged(room, 89.9)
    assert sweep.sweep() == 0 and purge_at(room)[0] == 90
    aged(room, 0.2)
    assert refused(approve, decision, staff()) == "not_proposed"
    assert (sweep.sweep(), sweep.sweep()) == (1, 0)
    assert Decision.objects.get().state == "lapsed" and Case.objects.get().state == "decided"
    its = clock_of(room)
    assert its is not None and its.due and purge([room.pk]) == [room.pk]
    assert verify().ok, verify().problems


def test_a_proposal_about_a_live_room_counts_from_the_proposal() -> None:
    room = open_room()
    ada = seated("ada", room)
    decision = violation(open_case(room, subject=ada), ("suspend", 31))
    Decision.objects.filter(pk=decision.pk).update(at=timezone.now() - 89 * DAY, alerted_at=timezone.now())
    assert sweep.sweep() == 0
    Decision.objects.filter(pk=decision.pk).update(at=timezone.now() - 90 * DAY)
    assert sweep.sweep() == 1 and Decision.objects.get().state == "lapsed"
