"""Live rooms along which staff read: which rooms and words for whom, and an hour of all of them for a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ledger.hooks import line_checks
from ledger.models import Entry, Text
from ledger.queries import text_of, visible_entries
from moderation.actions.listed_words import change_word
from moderation.actions.reading_along import note_reading
from moderation.actions.safety_grants import end_live_view, grant_live_view
from moderation.actions.word_hits import dismiss, open_case_on
from moderation.models import SafetyGrant, WordHit
from moderation.queries.live_rooms import hits_in_reach, open_grant
from people.actions.standing import impose_sanction
from people.hooks import polled
from people.models import User
from rooms import actions as room_actions
from rooms.models import CaptionsOff, Removal, Room, Seat
from tests.support.cases import refused, staff
from tests.support.people import person
from tests.support.reports import report
from tests.support.staff import sign_in_staff
from tests.support.word_hits import (
    LIVE,
    PARTS,
    REASON,
    Spoken,
    confirm,
    laid_hit,
    listed,
    long_room,
    shown,
    signed_in,
    spoken_room,
    text_on,
)
from transcripts.models import CaptionedRoom

pytestmark = pytest.mark.django_db


# --- which rooms ------------------------------------------------------------------------------------------------------


def test_moderators_see_the_rooms_of_cases_that_they_see_and_nobody_else_any(spoken: Spoken) -> None:
    room, bert = spoken
    other = long_room("carl")
    mod, child_safety = signed_in(staff()), signed_in(staff("child_safety"))
    assert shown(mod) == shown(child_safety) == []
    report(person(), room, subject=bert)
    assert shown(mod) == shown(mod, LIVE) == [room.slug] and shown(child_safety) == []
    report(person(), other, category="child_safety")
    assert shown(mod) == [room.slug] and shown(child_safety) == [other.slug]
    room_actions.end_room(room.pk, room.host)
    assert shown(mod) == [], "it is over"
    for role in ("auditor", "administrator", "outside", "nobody"):
        assert signed_in(staff(role)).get(PARTS).status_code == 403
    assert Client().get(PARTS).status_code == 302
    listener = Client()
    listener.force_login(person("dora"))
    assert listener.get(PARTS).status_code == 302 and listener.get(LIVE).status_code == 302


def test_seniors_see_all_live_rooms_for_an_hour_after_a_reason(spoken: Spoken) -> None:
    room, _bert = spoken
    user = staff("senior")
    client = signed_in(user)
    assert shown(client) == [] and "See all live rooms" in client.get(LIVE).content.decode()
    assert client.post(f"{LIVE}open/", {"reason": REASON}).status_code == 302
    assert shown(client) == [room.slug] and "you are a fool" in text_on(client)
    grant = SafetyGrant.objects.get()
    assert grant.until - grant.at == timedelta(hours=1)
    client.post(f"{LIVE}open/", {"reason": "Once more, for all of them."})
    entry = Entry.objects.get(kind="live_view_granted")
    assert (entry.actor, entry.data["grant"], Text.objects.get(entry_seq=entry.seq).text) == (user.pk, grant.pk, REASON)
    assert text_of(entry) == "All live rooms opened for an hour"
    SafetyGrant.objects.update(at=timezone.now() - timedelta(hours=1), until=timezone.now())
    assert shown(client) == [] and open_grant(user, timezone.now()) is None
    grant_live_view(user, REASON)
    assert shown(client) == [room.slug]
    assert client.post(f"{LIVE}close/").status_code == 302
    assert shown(client) == [] and Entry.objects.filter(kind="live_view_ended").count() == 1
    client.post(f"{LIVE}close/")
    assert not end_live_view(user) and Entry.objects.filter(kind="live_view_ended").count() == 1
    assert [fault for check in line_checks.values() for fault in check()] == []


def test_a_superuser_needs_the_reason_too_and_a_role_that_is_taken_ends_the_hour(spoken: Spoken) -> None:
    room, _bert = spoken
    boss = person("boss", is_staff=True, is_superuser=True)
    client = signed_in(boss)
    assert shown(client) == []
    client.post(f"{LIVE}open/", {"reason": REASON})
    assert shown(client) == [room.slug]
    User.objects.filter(pk=boss.pk).update(is_superuser=False)
    boss.user_permissions.add(*staff().user_permissions.all())
    assert shown(client) == [], "a moderator now"
    assert client.post(f"{LIVE}open/", {"reason": REASON}).status_code == 403
    boss.user_permissions.clear()
    assert client.get(PARTS).status_code == 403


def test_a_page_that_is_left_open_ends_as_any_other_pause(settings: Any) -> None:
    """The script asks every two seconds: that is no use of it, and the next page after such a pause is refused."""
    settings.STAFF_IDLE_MINUTES = 30
    client = sign_in_staff(Client(), staff("senior"), ago=10 * 60)
    assert shown(client) == [] and "staff_seen_at" not in client.session
    assert client.get(LIVE).status_code == 200
    session = client.session
    session["staff_seen_at"] -= 29 * 60
    session["account_authentication_methods"][0]["at"] -= 60 * 60
    session.save()
    before = session["staff_seen_at"]
    assert shown(client) == [] and client.session["staff_seen_at"] == before
    session["staff_seen_at"] -= 2 * 60
    session.save()
    assert client.get(PARTS).status_code == client.get(LIVE).status_code == 302


@pytest.mark.parametrize("name", sorted(name for names in polled.values() for name in names()))
def test_nothing_that_a_script_asks_for_is_a_use_of_a_session(name: str) -> None:
    client = sign_in_staff(Client(), staff("senior"), ago=10 * 60)
    assert client.get(reverse(name)).status_code == 200 and "staff_seen_at" not in client.session


def test_a_suspended_senior_sees_nothing(spoken: Spoken) -> None:
    user = staff("senior")
    client = signed_in(user)
    grant_live_view(user, REASON)
    assert shown(client)
    impose_sanction(user, "suspended", None, "because")
    answer = client.get(PARTS)
    assert answer.status_code == 403 and "fool" not in answer.content.decode()


@pytest.mark.parametrize("reason", ["", "x" * 9, " " * 20 + "x" * 9, "x" * 501, "\u200b" * 30])
def test_a_reason_is_10_to_500_characters(reason: str) -> None:
    user = staff("senior")
    client = signed_in(user)
    assert client.post(f"{LIVE}open/", {"reason": reason}).status_code == 400
    assert refused(grant_live_view, user, reason) == "bad_value"
    assert not SafetyGrant.objects.exists() and not Entry.objects.filter(kind__startswith="live_view").exists()


@pytest.mark.parametrize("reason", ["x" * 10, "x" * 500, "🧑‍🚀" * 10])
def test_reasons_that_are_long_enough_and_short_enough(reason: str) -> None:
    assert grant_live_view(staff("senior"), reason).ended_at is None
    assert refused(grant_live_view, staff(), reason) == "not_allowed"


def test_rooms_in_which_the_reader_took_part_are_not_shown(spoken: Spoken) -> None:
    room, _bert = spoken
    user, host = staff("senior"), staff("senior", "hostess", creator=True)
    own = long_room(host)
    for one in (user, host):
        grant_live_view(one, REASON)
    assert shown(signed_in(host)) == [room.slug] and set(shown(signed_in(user))) == {room.slug, own.slug}
    Seat.objects.create(
        room=room, user=user, role=Seat.Role.SPEAKER, place=2, left_at=timezone.now(), left_reason="left"
    )
    assert shown(signed_in(user)) == [own.slug]
    hit = laid_hit(room, room.host)
    assert refused(dismiss, hit.pk, user) == "unknown_hit"


def test_a_listener_who_was_reported_sees_the_room_as_if_they_were_not(spoken: Spoken) -> None:
    room, _bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    client = signed_in(user)
    before = text_on(client)
    report(person(), room, subject=user)
    assert text_on(client) == before
    assert "Case" in text_on(signed_in(staff("senior"))), "somebody else does"


def test_a_seat_taken_a_moment_ago_counts(spoken: Spoken) -> None:
    room, _bert = spoken
    mod = staff()
    report(person(), room)
    client = signed_in(mod)
    assert shown(client) == [room.slug]
    Seat.objects.create(room=room, user=mod, role=Seat.Role.SPEAKER, place=4)
    assert shown(client) == []


def test_reported_rooms_come_first_then_the_newest(spoken: Spoken) -> None:
    room, _bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    old, new = long_room("carl", minutes=30), long_room("dora", minutes=1)
    assert shown(signed_in(user)) == [new.slug, room.slug, old.slug]
    report(person(), old)
    assert shown(signed_in(user)) == [old.slug, new.slug, room.slug]


def test_a_place_of_the_last_words_of_a_room_can_be_handled_for_an_hour(spoken: Spoken) -> None:
    room, bert = spoken
    user = staff("senior")
    grant_live_view(user, REASON)
    client, hit, later = signed_in(user), laid_hit(room, bert), laid_hit(room, bert, 2)
    room_actions.end_room(room.pk, room.host)
    page = text_on(client)
    assert shown(client) == [room.slug] and "over since" in page and "data-hit" in page and "?staff=1" not in page
    dismiss(hit.pk, user)
    hour_ago = timezone.now() - timedelta(hours=1)
    Room.objects.filter(pk=room.pk).update(started_at=hour_ago - timedelta(minutes=10), ended_at=hour_ago)
    assert shown(client) == [] and refused(dismiss, later.pk, user) == "unknown_hit", "no case, and over for an hour"
    report(person(), room)
    dismiss(later.pk, user)
    Room.objects.filter(pk=room.pk).update(ended_at=timezone.now())
    assert shown(client) == [], "nothing waits"


# --- reading is in the ledger -----------------------------------------------------------------------------------------


def test_reading_along_is_in_the_ledger_once_in_ten_minutes_for_a_reader_and_a_room(spoken: Spoken) -> None:
    room, bert = spoken
    mod, silent = staff(), long_room("carl")
    for one in (room, silent):
        report(person(), one)
    client, entries = signed_in(mod), Entry.objects.filter(kind="staff_reading").order_by("seq")
    for path in (PARTS, LIVE, PARTS):
        assert set(shown(client, path)) == {room.slug, silent.slug}
    entry = entries.get()
    assert (entry.actor, entry.subject) == (mod.pk, f"room:{room.pk}") and entry.data["room_ms"] >= 600_000
    assert text_of(entry) == "Captions of the live room read along"
    shown(signed_in(staff()))
    assert len(set(entries.values_list("actor", flat=True))) == entries.count() == 2
    note_reading(mod, [room], entry.at + timedelta(minutes=10) - timedelta(seconds=1))
    assert entries.count() == 2
    note_reading(mod, [room, silent], entry.at + timedelta(minutes=10))
    assert list(entries.values_list("subject", flat=True)[2:]) == [f"room:{room.pk}", f"room:{silent.pk}"]
    for party in (room.host, bert):
        assert not visible_entries(party.pk).filter(kind="staff_reading", subject=f"room:{room.pk}").exists()


def test_nothing_is_shown_that_cannot_be_recorded(spoken: Spoken, monkeypatch: Any) -> None:
    room, _bert = spoken
    report(person(), room)
    client = signed_in(staff())
    client.raise_request_exception = False
    monkeypatch.setattr("moderation.actions.reading_along.record_all", lambda *_args, **_named: 1 / 0)
    answer = client.get(PARTS)
    assert answer.status_code == 500 and "fool" not in answer.content.decode()


# --- which words ------------------------------------------------------------------------------------------------------


def test_words_of_those_who_want_no_captions_or_were_removed_are_not_shown(spoken: Spoken) -> None:
    room, bert = spoken
    mod = staff()
    report(person(), room)
    client, hit = signed_in(mod), laid_hit(room, bert)
    confirm(room, room.host, 2, "good evening")
    assert "fool" in text_on(client) and "good evening" in text_on(client)
    off = CaptionsOff.objects.create(room=room, user=bert)
    assert "fool" not in text_on(client) and "Bert" not in text_on(client) and "good evening" in text_on(client)
    assert refused(dismiss, hit.pk, mod) == "unknown_hit"
    off.until = timezone.now()
    off.save()
    assert "fool" in text_on(client)
    removal = Removal.objects.create(room=room, user=bert, by=room.host)
    assert "fool" not in text_on(client) and not hits_in_reach(mod, timezone.now()).exists()
    removal.delete()
    Room.objects.filter(pk=room.pk).update(transcription=False)
    text = text_on(client)
    assert "No captions in this room." in text and "fool" not in text and "good evening" not in text
    assert refused(open_case_on, hit.pk, mod) == "unknown_hit"


def test_a_room_whose_captions_nobody_writes_says_so(spoken: Spoken) -> None:
    room, _bert = spoken
    report(person(), room)
    client = signed_in(staff())
    late = "Captions are not written at the moment."
    assert late not in text_on(client)
    CaptionedRoom.objects.filter(room=room).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert late in text_on(client)


def test_the_last_lines_in_order_with_names_and_the_words_of_the_list_marked(
    spoken: Spoken, say: Callable[..., None]
) -> None:
    room, bert = spoken
    report(person(), room)
    listed("utter fools")
    for number in range(2, 11):
        say(room, room.host if number % 2 else bert, number, f"line {number} of it", 60_000 + number * 2000)
    say(room, bert, 11, "you utter fools, <b>here", 90_000)
    page = text_on(signed_in(staff()))
    kept = re.findall(r'data-keep="line-(\d+)"', page)
    assert kept == ["6", "7", "8", "9", "10", "11"]
    label = "Suggested by a word list. Automatic, may be wrong."
    assert f'you <mark title="{label}">utter fools,</mark> &lt;b&gt;here' in page
    assert "Suggested by a word list" in page and "Automatic, may be wrong." in page and "Hate" in page


def test_a_noisy_room_or_word_hides_no_suggestion_of_another(spoken: Spoken, say: Callable[..., None]) -> None:
    noisy, bert = spoken
    quiet, ada = spoken_room("carl", "ada")
    for room in (noisy, quiet):
        report(person(), room)
    word = listed("noise")
    lay: dict[str, Any] = {"word": word, "room": noisy, "speaker": bert, "from_ms": 500_000, "to_ms": 500_350}
    WordHit.objects.bulk_create([WordHit(line=line, **lay) for line in range(100, 400)])
    listed("rotten")
    say(quiet, ada, 1, "what a rotten thing")
    client = signed_in(staff())
    page = text_on(client)
    assert page.count("data-hit") == 21 and ">rotten</mark>" in page
    change_word(staff("senior"), word, "hate", "", active=False)
    page = text_on(client)
    assert page.count("data-hit") == 1 and ">rotten</mark>" in page, "a word that is out of use suggests nothing"


@pytest.mark.parametrize("granted", [False, True])
def test_ten_rooms_take_as_many_queries_as_one(say: Callable[..., None], granted: bool) -> None:
    user = staff("senior")
    if granted:
        grant_live_view(user, REASON)
    client, numbers = signed_in(user), []
    listed("fool")
    for some in (range(1), range(1, 10)):
        for n in some:
            room, speaker = spoken_room(f"host{n}", f"guest{n}")
            report(person(), room, subject=speaker)
            say(room, speaker, 1, "what a fool")
        client.get(PARTS)
        with CaptureQueriesContext(connection) as queries:
            found = shown(client)
        numbers.append(len(queries))
    assert len(found) == 10 and text_on(client).count("data-hit") == 10
    assert numbers[0] == numbers[1] <= 30, numbers
