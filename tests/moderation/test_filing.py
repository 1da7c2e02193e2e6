"""Reports of every kind, joined into cases: by accounts and without one, alone and in crowds."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from ledger.models import Entry
from ledger.verify import verify
from moderation.actions import filing
from moderation.actions.claims import claim_next
from moderation.actions.filing import BY_MAIL
from moderation.actions.joining import case_for, refresh_parties, refresh_priority
from moderation.models import ActAtOnce, Case, CaseParty, Report
from moderation.queries.access import visible_cases
from moderation.refusals import ModerationRefused
from moderation.rules.priority import MOST_ACCURACY, MOST_REACH, MOST_REPORTERS, STEP, accuracy_of, priority
from people.groups import MODERATORS, ensure_groups
from people.models import User
from retention.artefacts import BY_NAME, Expiry
from rooms.models import Room
from social.actions.blocks import block
from social.actions.follows import follow
from social.models import Message
from tests.support.messages import written
from tests.support.people import people, person
from tests.support.races import at_once
from tests.support.reports import closed, message_report, report, stranger_report
from tests.support.rooms import ended_room, open_room, prepared_room, seated
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db
PICTURE = b"RIFF....WEBP and more"


def refused(act: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(ModerationRefused) as caught:
        act(*args, **named)
    return caught.value.code


def wrong(**values: Any) -> set[str]:
    """Fields of a report without an account that are refused."""
    with pytest.raises(ModerationRefused) as caught:
        stranger_report(**values)
    assert caught.value.code == "bad_value"
    return set(caught.value.fields)


def pictured(handle: str) -> User:
    user = person(handle, about="Likes chess")
    user.picture.save("x.webp", ContentFile(PICTURE))
    return user


def parties(case: Case) -> set[User]:
    return {row.user for row in CaseParty.objects.filter(case=case).select_related("user")}


# --- kinds ------------------------------------------------------------------------------------------------------------


def test_titles_profiles_and_pictures_are_kept_as_they_stood() -> None:
    reporter, bert = person("reporter"), pictured("bert")
    room = prepared_room(title="A mean title", topic="And more of it")
    title = report(reporter, room, kind="title")
    profile, picture = report(reporter, kind="profile", subject=bert), report(reporter, kind="picture", subject=bert)
    assert (title.subject, title.room, title.shown) == (room.host, room, "A mean title\n\nAnd more of it")
    assert (profile.shown, profile.picture) == ("Bert (@bert)\n\nLikes chess", None)
    assert picture.picture is not None and bytes(picture.picture) == PICTURE
    Room.objects.update(title="Nice")
    User.objects.filter(pk=bert.pk).update(about="", picture="")
    assert refused(report, person(), kind="picture", subject=User.objects.get(pk=bert.pk)) == "no_picture"
    again = report(person(), room, kind="title")
    assert again.shown == "Nice\n\nAnd more of it" and again.case == title.case
    title.refresh_from_db()
    assert title.shown.startswith("A mean title")
    assert {entry.data["kind"] for entry in Entry.objects.filter(kind="report_received")} == {
        *("title", "profile", "picture")
    }
    assert verify().ok


@pytest.mark.parametrize("kind", ["room", "person", "title", "profile", "picture"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_kind_with_an_account_and_without(kind: str, signed_in: bool) -> None:
    bert = pictured("bert")
    room = open_room()
    values: dict[str, Any] = {"kind": kind}
    if kind in ("person", "profile", "picture"):
        values["subject"] = bert
    on_room = room if kind in ("room", "person", "title") else None
    row = report(person(), on_room, **values) if signed_in else stranger_report(on_room, language="nl", **values)
    assert (row.reporter is not None) is signed_in and row.case.kind == kind
    assert (row.reporter_email, row.language) == (("", "en") if signed_in else ("piet@example.org", "nl"))
    assert (row.case.opened_at, row.case.reporter_count) == (row.at, 1)


def test_what_is_not_there_or_not_theirs_is_refused() -> None:
    bert, reporter = person("bert"), person("reporter")
    room, gone = open_room(), ended_room("second")
    thread = written(bert, reporter, "mean")
    Room.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
    User.objects.filter(pk=bert.pk).update(is_active=False)
    closed_account = User.objects.get(pk=bert.pk)
    answers = [
        (refused(report, reporter, gone), "copy_gone"),
        (refused(report, reporter, prepared_room("third")), "unknown_room"),
        (refused(report, reporter, None), "unknown_room"),
        (refused(report, reporter, None, kind="title"), "unknown_room"),
        (refused(report, reporter, kind="profile", subject=closed_account), "unknown_person"),
        (refused(report, reporter, kind="profile"), "unknown_person"),
        (refused(report, reporter, room, kind="person"), "unknown_person"),
        (refused(report, reporter, kind="message", message=2**60), "unknown_message"),
        (refused(stranger_report, kind="message", message=Message.objects.get(thread=thread).pk), "unknown_message"),
        (refused(report, room.host, room, kind="title"), "not_report_oneself"),
        (refused(report, reporter, kind="profile", subject=reporter), "not_report_oneself"),
        (refused(report, room.host, kind="nonsense"), "bad_value"),
        (refused(report, room.host, room, from_ms=9, to_ms=5), "bad_value"),
        (refused(report, room.host, room, from_ms=None, to_ms=None), "bad_value"),
    ]
    assert [code for code, _expected in answers] == [expected for _code, expected in answers]
    assert refused(report, room.host, gone, kind="title") == "copy_gone"
    assert not Report.objects.exists() and not Case.objects.exists()


def test_whom_the_subject_blocked_may_report() -> None:
    reporter, bert = person("reporter"), person("bert")
    block(bert, reporter)
    assert report(reporter, kind="profile", subject=bert).subject == bert


def test_without_an_account_there_are_words_a_name_and_an_address() -> None:
    room = open_room()
    assert wrong(room=room, name="", email="", words="") == {"name", "email", "words"}
    assert wrong(room=room, email="piet@") == {"email"}
    assert wrong(room=room, email="x" * 250 + "@example.org") == {"email"}
    assert wrong(room=room, name="x" * 101) == {"name"}
    assert wrong(room=room, good_faith=False, category="boring") == {"good_faith", "category"}
    row = stranger_report(room, email="Piet@EXAMPLE.org", law="Art. 285 Sr", language="fr")
    assert (row.reporter_email, row.law, row.language) == ("piet@example.org", "Art. 285 Sr", "en")


# --- cases ------------------------------------------------------------------------------------------------------------


def test_reports_of_one_subject_are_one_case_until_it_is_decided() -> None:
    room, other = open_room(), open_room("second")
    bert = seated("bert", room)
    first = report(person(), room, subject=bert)
    assert report(person(), room, subject=bert).case == first.case
    others = [
        report(person(), room).case,
        report(person(), room, subject=room.host).case,
        report(person(), other, subject=bert).case,
        report(person(), room, kind="title").case,
    ]
    assert len({case.pk for case in [first.case, *others]}) == 5
    closed(first.case)
    later = report(person(), room, subject=bert).case
    assert later != first.case and later.earlier == first.case
    kinds = list(Entry.objects.filter(subject=f"case:{first.case_id}").values_list("kind", flat=True))
    assert kinds == ["case_opened", "case_joined"]
    assert Entry.objects.get(subject=f"case:{later.pk}").data["earlier"] == first.case_id


def test_everybody_concerned_is_a_party() -> None:
    room = open_room()
    bert, carl = seated("bert", room), seated("carl", room)
    reporter = person("reporter")
    row = report(reporter, room, subject=bert)
    assert parties(row.case) == {room.host, bert, carl, reporter}
    dora = seated("dora", room)
    with transaction.atomic():
        refresh_parties(Case.objects.select_for_update().get(pk=row.case_id))
    assert parties(row.case) == {room.host, bert, carl, reporter, dora}
    written(bert, reporter, "mean")
    assert parties(message_report(reporter, Message.objects.get()).case) == {bert, reporter}
    assert parties(report(carl, kind="profile", subject=bert).case) == {bert, carl}


def test_a_moderator_who_becomes_a_party_loses_the_case() -> None:
    room, moderator = open_room(), person("moderator")
    case = report(person(), room).case
    Case.objects.filter(pk=case.pk).update(claimed_by=moderator, claimed_until=timezone.now())
    report(moderator, room)
    case.refresh_from_db()
    assert case.claimed_by is None and case.claimed_until is None and moderator in parties(case)


def test_cases_about_staff_are_for_seniors() -> None:
    ensure_groups()
    room, bert = open_room(), person("bert")
    assert not report(person(), kind="profile", subject=bert).case.for_seniors
    for user in (room.host, bert):
        user.groups.add(Group.objects.get(name=MODERATORS))
    assert report(person(), room).case.for_seniors and report(person(), room, subject=bert).case.for_seniors
    assert not report(person(), room, subject=person("carl")).case.for_seniors


def test_the_parts_of_a_priority() -> None:
    room = open_room()
    seated("bert", room)
    case = report(person("first"), room).case
    assert (case.severity, case.reporter_count, case.accuracy) == (2, 1, 50) and case.reach >= 2
    first = report(person("second"), room, category="hate").case
    assert (first.severity, first.reporter_count) == (3, 2) and first.priority > case.priority
    report(User.objects.get(handle="second"), room, category="spam_or_fraud")
    stranger_report(room)
    stranger_report(room, email="PIET@example.org")
    case.refresh_from_db()
    assert (case.severity, case.reporter_count) == (3, 3), "one person is one reporter"
    Report.objects.filter(reporter__handle="first").update(outcome="unfounded")
    with transaction.atomic():
        refresh_priority(Case.objects.select_for_update().get(pk=case.pk))
    assert Case.objects.get(pk=case.pk).accuracy == round((accuracy_of(0, 1) + 50 + 50) / 3)
    reach = person("known")
    follow(person(), reach)
    follow(person(), reach)
    assert report(person(), kind="profile", subject=reach).case.reach == 2


def test_whoever_was_wrong_a_hundred_times_is_in_the_queue_all_the_same() -> None:
    wrong_before = person("wrong")
    first = report(wrong_before, open_room("first"))
    values = {"case": first.case, "kind": "room", "room": first.room, "from_ms": 0, "to_ms": 1, "outcome": "unfounded"}
    Report.objects.bulk_create(
        Report(reporter=wrong_before, category_id="harassment", **values) for _number in range(100)
    )
    case = report(wrong_before, open_room("second"), category="hate").case
    mild = report(person(), open_room("third"), category="spam_or_fraud").case
    assert case.accuracy <= 2 and case.priority > mild.priority
    mod = with_fresh_step(person("mod", is_staff=True))
    mod.user_permissions.set(Permission.objects.filter(codename__in=["view_case", "claim_case", "ordinary_case"]))
    assert visible_cases(mod).filter(pk=case.pk).exists() and claim_next(mod) == case


numbers = st.integers(0, 10**6)


@given(severity=st.integers(0, 4), reporters=numbers, reach=numbers, accuracy=st.integers(0, 100), more=numbers)
def test_one_step_of_severity_outweighs_all_else(
    severity: int, reporters: int, reach: int, accuracy: int, more: int
) -> None:
    parts = priority(severity=severity, reporters=reporters, reach=reach, accuracy=accuracy)
    assert parts.total == parts.severity + parts.reporters + parts.reach + parts.accuracy
    assert priority(severity=severity + 1, reporters=0, reach=0, accuracy=0).total > parts.total
    assert 0 <= parts.reporters <= MOST_REPORTERS and parts.reach <= MOST_REACH and parts.accuracy <= MOST_ACCURACY
    assert MOST_REPORTERS + MOST_REACH + MOST_ACCURACY < STEP
    grown = priority(severity=severity, reporters=reporters + more, reach=reach + more, accuracy=accuracy)
    assert grown.total >= parts.total


# --- ways of categories -----------------------------------------------------------------------------------------------


def test_child_abuse_closes_the_copy_and_is_for_few_without_a_name() -> None:
    room, moderator = open_room(), person("moderator")
    case = report(person(), room).case
    Case.objects.filter(pk=case.pk).update(claimed_by=moderator, claimed_until=timezone.now())
    row = stranger_report(room, category="child_safety", name="", email="")
    case.refresh_from_db()
    assert row.case == case and case.child_safety and case.claimed_by is None and case.severity == 4
    assert ActAtOnce.objects.get(case=case).kind == "close_copy" and mail.outbox == []
    assert Entry.objects.filter(subject=case.ledger_subject, kind="copy_closed").count() == 1
    report(person(), room, category="child_safety")
    assert ActAtOnce.objects.count() == 1 and verify().ok


def test_a_life_in_danger_alerts_seniors_once_a_case() -> None:
    room, senior = open_room(), person("senior")
    for user in (senior, room.host):
        user.user_permissions.add(Permission.objects.get(codename="senior_case"))
    row = report(person(), room, category="life_in_danger")
    report(person(), room, category="life_in_danger")
    assert row.case.for_seniors
    assert [one.to for one in mail.outbox] == [[senior.email]], "and not the host, who is a party"


# --- floods and crowds ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_crowd_that_reports_one_moment_is_one_case_with_200_reporters() -> None:
    """From one hall, 20 at a time; while others open cases about people there. No deadlock, and nobody is refused."""
    room = open_room()
    bert = seated("bert", room)
    crowd = people(200)
    for start in range(0, 200, 20):
        some = crowd[start : start + 20]
        acts = [partial(report, one, room, subject=bert, address="192.0.2.7") for one in some]
        acts += [partial(report, one, room, address="192.0.2.8") for one in some[:2]]
        assert at_once(*acts) == ["ok"] * 22
    case = Case.objects.get(kind="person")
    assert (case.reporter_count, case.reports.count()) == (200, 200) and Case.objects.count() == 2
    assert CaseParty.objects.filter(case=case).count() == 202
    assert Entry.objects.filter(subject=f"case:{case.pk}", kind="case_joined").count() == 199 and verify().ok


def test_joining_a_large_case_costs_no_more_statements_than_a_small_one() -> None:
    room, crowd = open_room(), people(40)

    def statements(reporter: User) -> int:
        with CaptureQueriesContext(connection) as queries:
            report(reporter, room)
        return len(queries)

    statements(crowd[0])
    few = statements(crowd[1])
    for one in crowd[2:30]:
        report(one, room)
    assert statements(crowd[30]) == few


@pytest.mark.django_db(transaction=True)
def test_the_same_form_without_an_account_is_one_report_also_at_once() -> None:
    room = open_room()
    assert at_once(*[lambda: stranger_report(room, once="form")] * 4) == ["ok"] * 4
    assert Report.objects.count() == 1 and Entry.objects.filter(kind="report_received").count() == 1
    stranger_report(room, once="another")
    assert Report.objects.count() == 2


def test_a_flood_without_an_account_is_stopped_by_mailbox_and_by_address(settings: Any) -> None:
    room = open_room()
    codes = []
    for _number in range(BY_MAIL.burst + 3):
        try:
            stranger_report(room)
        except ModerationRefused as stopped:
            codes.append(stopped.code)
    assert set(codes) == {"too_fast"} and Report.objects.count() == BY_MAIL.burst
    settings.REPORTS_SIGNED_OUT_PER_ADDRESS = 3
    for number in range(3):
        stranger_report(room, email=f"a{number}@example.org", address="192.0.2.7")
    assert refused(stranger_report, room, email="b@example.org", address="192.0.2.7") == "too_fast"
    assert stranger_report(room, email="c@example.org", address="192.0.2.9")
    assert report(person(), room, address="192.0.2.7"), "an account there is not kept from it"


def test_the_receipt_by_mail_is_no_cannon() -> None:
    room = open_room()
    row = stranger_report(room, words="quixotryzebra", language="nl")
    (sent,) = mail.outbox
    assert sent.to == ["piet@example.org"] and f"/reports/{row.receipt}/" in sent.body
    assert "quixotryzebra" not in sent.body and room.slug not in sent.body and "Piet" not in sent.body
    for email in ("piet@example.org", "PIET@example.org", "piet+1@example.org", "p.iet@example.org"):
        stranger_report(room, email=email)
    assert len(mail.outbox) == 1, "one mailbox, one mail an hour"
    for number in range(8):
        stranger_report(room, email=f"victim{number}@example.org", address="192.0.2.7")
    assert len(mail.outbox) <= 1 + 5, "of one client"
    report(person(), room)
    assert len(mail.outbox) <= 6, "accounts have the page"


# --- around -----------------------------------------------------------------------------------------------------------


def test_a_case_opened_while_the_purge_begins_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    room = ended_room()
    monkeypatch.setattr(filing, "still_holdable", lambda _room: False)
    assert refused(report, person(), room) == "copy_gone" and not Case.objects.exists()


def test_one_open_case_a_subject_in_the_database_too() -> None:
    room = open_room()
    with transaction.atomic():
        case = case_for("room", room, None, None, now=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(kind="room", room=room)
    with transaction.atomic():
        assert case_for("room", room, None, None, now=timezone.now()) == case


def test_the_table_of_artefacts_names_reports_and_cases() -> None:
    for name in ("reports", "cases", "reported messages", "questions to reporters"):
        assert BY_NAME[name].expires_with is Expiry.CASE
