"""Words of the list: found as lines are confirmed, what moderators make of them, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ledger.hooks import line_checks
from ledger.models import Entry
from ledger.queries import text_of, visible_entries
from moderation.actions.drafts import stamp_of
from moderation.actions.evidence import split_case
from moderation.actions.initiative import open_on_own_initiative
from moderation.actions.listed_words import add_word, change_word, find_words
from moderation.actions.safety_grants import grant_live_view
from moderation.actions.word_hits import dismiss, open_case_on
from moderation.models import Alarm, Case, EvidenceRange, ListedWord, SafetyGrant, WordHit
from moderation.queries.word_hits import Accuracy, accuracies
from moderation.statements import decided_by, export_of
from retention.artefacts import erase_rows
from rooms.models import Seat
from social.models import Message
from tests.support.cases import no_violation, refused, staff, violation, worked_on
from tests.support.people import person
from tests.support.reports import report
from tests.support.word_hits import (
    LIVE,
    PARTS,
    REASON,
    WORDS,
    Spoken,
    laid_hit,
    listed,
    long_room,
    press,
    signed_in,
    spoken_room,
    text_on,
)
from transcripts.captions import actions as captions
from transcripts.models import CaptionedRoom, LiveLine

pytestmark = pytest.mark.django_db


# --- words of the list ------------------------------------------------------------------------------------------------


def test_a_line_has_each_word_once_however_it_grows_and_whoever_writes_it(say: Callable[..., None]) -> None:
    room, bert = spoken_room("anna", "bert")
    fool, phrase = listed("Fool"), listed("fool you are")
    listed("dwaas", "nl"), listed("fool", "nl"), listed("fool", "en")
    change_word(staff("senior"), listed("you"), "hate", "", active=False)
    say(room, bert, 1, "a fool", final=False)
    say(room, bert, 1, "a fool you", final=False)
    CaptionedRoom.objects.update(lease_until=timezone.now() - captions.LEASE)
    assert captions.claim_room(room.pk, "two") is not None, "another process takes the room"
    say(room, bert, 1, "a fool you are fool dwaas")
    for line in LiveLine.objects.all():
        assert find_words(line) == 3
    first = WordHit.objects.get(word=fool)
    assert (first.line, first.from_ms, first.to_ms) == (1, 60_200, 60_350)
    assert [row.word.folded for row in WordHit.objects.order_by("pk")] == ["fool", "fool", "fool you are"]
    assert WordHit.objects.get(word=phrase).to_ms == 60_750
    assert set(WordHit.objects.values_list("speaker", "outcome")) == {(bert.pk, "")}


def test_a_phrase_over_two_lines_of_one_speaker_with_another_between(say: Callable[..., None]) -> None:
    room, bert = spoken_room("anna", "bert")
    listed("go back home")
    say(room, bert, 1, "just go back")
    say(room, room.host, 2, "home", 60_500)
    assert not WordHit.objects.exists(), "of somebody else"
    say(room, bert, 3, "home now", 61_000)
    hit = WordHit.objects.get()
    assert (hit.line, hit.from_ms, hit.to_ms, hit.speaker) == (3, 60_200, 61_150, bert)


def test_captions_go_on_where_looking_for_words_fails(say: Callable[..., None], monkeypatch: Any) -> None:
    room, bert = spoken_room("anna", "bert")
    listed("fool")
    monkeypatch.setattr("moderation.actions.listed_words.find_phrases", lambda *_args: 1 / 0)
    say(room, bert, 1, "a fool")
    assert LiveLine.objects.get().words[1][0] == "fool" and not WordHit.objects.exists()


def test_a_word_that_is_found_does_nothing(say: Callable[..., None]) -> None:
    room, bert = spoken_room("anna", "bert")
    listed("bomb", category="violence")
    listed("child", category="harassment")
    before = Entry.objects.count(), Message.objects.count()
    say(room, bert, 1, "a bomb and a child")
    assert WordHit.objects.count() == 2
    assert (Entry.objects.count(), Message.objects.count()) == before and not Case.objects.exists()


def test_the_places_go_with_the_copy(spoken: Spoken) -> None:
    room, bert = spoken
    laid_hit(room, bert)
    case_of_them = laid_hit(room, bert, 2)
    user = staff("senior")
    grant_live_view(user, REASON)
    case = open_case_on(case_of_them.pk, user)
    other, ada = spoken_room("carl", "ada")
    kept = laid_hit(other, ada)
    gone = erase_rows([room.pk])
    assert gone[room.pk]["word hits"] == 2 and WordHit.objects.get() == kept
    assert Case.objects.filter(pk=case.pk).exists()


# --- presses ----------------------------------------------------------------------------------------------------------


def test_one_press_opens_a_case_on_the_speaker_with_the_range(spoken: Spoken) -> None:
    room, bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    hit = laid_hit(room, bert)
    answer = press(signed_in(user), hit.pk, "case")
    case = Case.objects.get()
    assert answer["Location"] == f"/admin/moderation/case/{case.pk}/"
    assert (case.kind, case.subject, case.source, case.opened_by, case.suggested) == (
        *("person", bert, "voluntary", user, True),
    )
    assert list(case.ranges.values_list("from_ms", "to_ms", "marked_by")) == [(50_000, 70_350, user.pk)]
    assert case.notes.get().text == "Suggested by a word list: “fool”, 1:00–1:00. Automatic, may be wrong."
    hit.refresh_from_db()
    assert (hit.outcome, hit.handled_by, hit.case) == ("case", user, case) and hit.handled_at is not None
    kinds = ["case_opened", "note_added", "range_marked", "word_hit_handled"]
    assert [entry.kind for entry in Entry.objects.order_by("-seq")[:4]][::-1] == kinds
    assert Entry.objects.get(kind="case_opened").data["suggested"] is True
    assert refused(open_case_on, hit.pk, user) == refused(dismiss, hit.pk, user) == "hit_handled"
    assert Case.objects.count() == 1 and EvidenceRange.objects.count() == 1
    assert [fault for check in line_checks.values() for fault in check()] == []


def test_a_press_joins_the_open_case_about_the_speaker_though_somebody_works_on_it(spoken: Spoken) -> None:
    room, bert = spoken
    case = report(person(), room, subject=bert).case
    mod, other = staff(), staff("senior")
    worked_on(case, mod)
    for by, line in ((mod, 1), (other, 2)):
        assert open_case_on(laid_hit(room, bert, line).pk, by) == case
    case.refresh_from_db()
    assert (case.claimed_by, case.suggested, case.notes.count()) == (mod, True, 2)
    assert case.ranges.filter(from_ms=50_000, to_ms=70_350).count() == 1
    assert [fault for check in line_checks.values() for fault in check()] == []


def test_a_moderator_s_press_goes_to_the_case_about_the_room_and_opens_none(spoken: Spoken) -> None:
    room, bert = spoken
    case = report(person(), room).case
    assert open_case_on(laid_hit(room, bert).pk, staff()) == case
    other, ada = spoken_room("carl", "ada")
    about_host = report(person(), other, subject=other.host).case
    hit = laid_hit(other, ada)
    assert refused(open_case_on, hit.pk, staff()) == "not_allowed"
    client = signed_in(staff())
    page = client.post(f"{LIVE}word/{hit.pk}/case/", follow=True).content.decode()
    assert "You cannot do that here." in page and "data-hit" in page, "shown in place"
    assert f"{LIVE}word/{hit.pk}/case/" not in page and f"{LIVE}word/{hit.pk}/dismiss/" in page
    assert f"{LIVE}word/{laid_hit(room, bert, 2).pk}/case/" in text_on(client), "into the case about the room"
    its_host = laid_hit(other, other.host, 2)
    assert f"{LIVE}word/{its_host.pk}/case/" in text_on(client), "into the case about the speaker"
    reader = staff()
    reader.user_permissions.remove(*reader.user_permissions.filter(codename="decide_case"))
    page = text_on(signed_in(reader))
    assert "data-hit" in page and "formaction" not in page
    assert Case.objects.count() == 2 and about_host.ranges.count() == 0


def test_a_press_waits_where_a_case_waits_for_a_second_moderator(spoken: Spoken) -> None:
    room, bert = spoken
    case = report(person(), room, subject=bert).case
    violation(case, ("suspend", None))
    hit = laid_hit(room, bert)
    assert refused(open_case_on, hit.pk, staff()) == "waits_for_second"
    hit.refresh_from_db()
    assert hit.outcome == "" and hit.case is None


@pytest.mark.parametrize("category", ["child_safety", "life_in_danger"])
def test_no_word_makes_one_press_act_at_once(spoken: Spoken, category: str) -> None:
    """No copy is closed and nobody alerted, whatever its category became."""
    room, bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    word, before = listed("child"), Message.objects.count()
    assert refused(add_word, user, "baby", "", category) == "bad_value"
    assert refused(change_word, user, word, category, "", active=True) == "bad_value"
    ListedWord.objects.update(category=category)
    hit = laid_hit(room, bert, word=ListedWord.objects.get())
    assert press(signed_in(user), hit.pk, "case").status_code == 302
    case = Case.objects.get()
    assert case.subject == bert and not case.child_safety and not case.acts_at_once.exists()
    assert Message.objects.count() == before and not Alarm.objects.exists()
    assert Entry.objects.get(kind="case_opened").data["category"] == "other"


def test_a_press_is_refused_where_a_case_is_open_that_is_not_for_them(spoken: Spoken) -> None:
    room, bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    report(person(), room, subject=bert, category="child_safety")
    assert refused(open_case_on, laid_hit(room, bert).pk, user) == "not_allowed"


def test_not_a_violation(spoken: Spoken) -> None:
    room, bert = spoken
    report(person(), room)
    mod, hit = staff(), laid_hit(room, bert)
    client = signed_in(mod)
    assert "data-hit" in text_on(client)
    page = client.post(f"{LIVE}word/{hit.pk}/dismiss/", follow=True)
    assert "Noted: not a violation." in page.content.decode() and "data-hit" not in text_on(client)
    hit.refresh_from_db()
    assert (hit.outcome, hit.handled_by, hit.case) == ("dismissed", mod, None)
    entry = Entry.objects.get(kind="word_hit_handled")
    assert (entry.actor, entry.subject) == (mod.pk, f"room:{room.pk}")
    assert entry.data == {"hit": hit.pk, "word": hit.word_id, "outcome": "dismissed"}
    assert text_of(entry) == "Word of the list in captions: not a violation"
    assert "Somebody has looked at this already." in press_text(client, hit.pk)
    assert Entry.objects.filter(kind="word_hit_handled").count() == 1
    party = room.host
    assert not visible_entries(party.pk).filter(kind="word_hit_handled").exists()


def press_text(client: Client, hit: int) -> str:
    return client.post(f"{LIVE}word/{hit}/dismiss/", follow=True).content.decode()


def test_clients_that_cheat(spoken: Spoken) -> None:
    """Foreign rooms, rooms whose hour is over, no such place, GET in place of POST, roles without the right."""
    room, bert = spoken
    hit, user = laid_hit(room, bert), staff("senior")
    client = signed_in(user)
    for what in ("dismiss", "case"):
        assert "There is no such place" in client.post(f"{LIVE}word/{hit.pk}/{what}/", follow=True).content.decode()
        assert client.get(f"{LIVE}word/{hit.pk}/{what}/").status_code == 405
        assert signed_in(staff("auditor")).post(f"{LIVE}word/{hit.pk}/{what}/").status_code == 403
        assert Client().post(f"{LIVE}word/{hit.pk}/{what}/").status_code == 302
        assert press(client, 10**12, what).status_code == 302
    assert client.get(f"{LIVE}open/").status_code == client.get(f"{LIVE}close/").status_code == 405
    assert client.post(LIVE).status_code == client.post(PARTS).status_code == 405
    report(person(), long_room("carl"))
    assert refused(dismiss, hit.pk, staff()) == refused(open_case_on, hit.pk, staff()) == "unknown_hit"
    grant_live_view(user, REASON)
    SafetyGrant.objects.update(until=timezone.now(), at=timezone.now() - timedelta(hours=1))
    assert refused(dismiss, hit.pk, user) == "unknown_hit"
    hit.refresh_from_db()
    assert hit.outcome == "" and not Case.objects.exclude(room__host__handle="carl").exists()


def test_nobody_opens_a_case_where_they_reported_something_themselves(spoken: Spoken) -> None:
    room, bert = spoken
    user = staff("senior")
    report(user, room, subject=room.host)
    grant_live_view(user, REASON)
    assert refused(open_case_on, laid_hit(room, bert).pk, user) == "reported_oneself"


def test_a_draft_that_was_written_before_a_press_is_shown_again(spoken: Spoken) -> None:
    """As where a report joins: what a decision rests on has changed."""
    room, bert = spoken
    case = report(person(), room, subject=bert).case
    mod = staff()
    worked_on(case, mod)
    before = stamp_of(case)
    open_case_on(laid_hit(room, bert).pk, staff())
    assert stamp_of(case) != before


# --- what came of it --------------------------------------------------------------------------------------------------


def test_the_accuracy_of_a_word_is_what_moderators_did_with_it() -> None:
    user, reader = staff("senior"), staff()
    word = listed("fool")
    grant_live_view(user, REASON)
    cases = []
    for n in range(3):
        room, speaker = spoken_room(f"host{n}", f"guest{n}")
        cases.append(open_case_on(laid_hit(room, speaker, word=word).pk, user))
        laid_hit(room, speaker, 2, word)
    dismiss(WordHit.objects.filter(outcome="").earliest("pk").pk, user)
    assert accuracies(reader)[word.pk] == Accuracy(hits=6, opened=3, dismissed=1)
    violation(cases[0])
    no_violation(cases[1])
    known = accuracies(reader)[word.pk]
    assert known == Accuracy(hits=6, opened=3, dismissed=1, violations=1, no_violations=1)
    assert known.decided == 3 and known.share == 33 and Accuracy().share is None
    page = " ".join(signed_in(reader).get(WORDS).content.decode().split())
    cells = "".join(f"<td>{cell}</td>" for cell in (6, 3, 1, 1, 1, "33 %"))
    assert cells in re.sub(r"> <", "><", page)
    assert "1 of 3 decided were violations (33 %)" in text_on(signed_in(user))


def test_live_rooms_count_the_accuracy_once_a_minute(spoken: Spoken, monkeypatch: Any) -> None:
    room, bert = spoken
    report(person(), room)
    client, hit = signed_in(staff()), laid_hit(room, bert)
    assert "nothing decided yet" in text_on(client)
    laid_hit(room, bert, 2)
    dismiss(hit.pk, staff())
    monkeypatch.setattr("moderation.queries.word_hits.accuracies", lambda _reader: 1 / 0)
    assert "nothing decided yet" in text_on(client)
    monkeypatch.undo()
    assert "0 of 1 decided were violations" in text_on(signed_in(staff())), "another reader has numbers of their own"


def test_what_a_reader_was_part_of_is_in_no_number_of_theirs() -> None:
    user, word = staff("senior"), listed("fool")
    grant_live_view(user, REASON)
    room, speaker = spoken_room("anna", "bert")
    reader = staff()
    Seat.objects.create(room=room, user=reader, role=Seat.Role.SPEAKER, place=3)
    other, ada = spoken_room("carl", "ada")
    case = open_case_on(laid_hit(other, ada, word=word).pk, user)
    laid_hit(room, speaker, word=word)
    assert accuracies(reader)[word.pk] == Accuracy(hits=1, opened=1)
    assert accuracies(staff("child_safety"))[word.pk] == Accuracy(hits=2), "an ordinary case is not for that role"
    case.for_seniors = True
    case.save()
    assert accuracies(reader)[word.pk] == Accuracy(hits=1), "as if nobody had opened it"
    assert accuracies(staff("senior"))[word.pk] == Accuracy(hits=2, opened=1)
    case.for_seniors = False
    case.save()
    case.parties.create(user=reader)
    assert accuracies(reader)[word.pk] == Accuracy(hits=1), "as if nobody had opened it"


def test_a_statement_says_that_a_program_pointed_at_it(spoken: Spoken) -> None:
    room, bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    found = violation(open_case_on(laid_hit(room, bert).pk, user), ("no_stage", 7))
    statement = found.statement
    assert statement.body["export"]["automated_detection"] == "Yes"
    assert statement.body["export"]["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    line = "A program had found a word of a list in the captions; a moderator judged what was said."
    assert line in decided_by(found)
    plain = open_on_own_initiative(user, room, "person", room.host, "Heard it.")
    other = violation(plain, ("no_stage", 7))
    assert other.statement.body["export"]["automated_detection"] == "No" and line not in decided_by(other)
    assert export_of(other, [], timezone.now()) is None


def test_a_statement_says_so_too_where_a_press_joined_a_case_and_where_that_was_split(spoken: Spoken) -> None:
    room, bert = spoken
    case, mod = report(person(), room).case, staff()
    open_case_on(laid_hit(room, bert).pk, mod)
    case.refresh_from_db()
    worked_on(case, mod)
    split = split_case(case, mod, bert)
    assert case.suggested and split.suggested and split.source == "notice"
    opened = Entry.objects.filter(kind="case_opened").latest("seq")
    assert opened.data == {"from": case.pk, "suggested": True}
    export = violation(split, ("no_stage", 7)).statement.body["export"]
    assert export["automated_detection"] == "Yes"
