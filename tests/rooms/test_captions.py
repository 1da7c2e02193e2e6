"""Captions of a room and of one's own words: who says so, what others see of it, and who was not asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from people.models import User
from rooms import actions
from rooms.actions.locking import locked
from rooms.models import CaptionsOff, Consent, Room, RoomEvent, Seat
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from tests.support.people import api_client, person
from tests.support.races import refused
from tests.support.rooms import consented, open_room, seated
from transcripts.captions.actions import Claim, Line, keep_line
from transcripts.captions.consent import may_caption
from transcripts.models import CaptionedRoom
from transcripts.speech.stitch import Word

JSON = "application/json"


def told(room: Room, *types: str) -> list[tuple[str, dict[str, Any]]]:
    rows = RoomEvent.objects.filter(room=room, type__in=types).order_by("seq")
    return [(row.type, row.data) for row in rows]


def is_off(room: Room, user: User) -> bool:
    return facts_of(Room.objects.get(pk=room.pk), user).captions_off


@pytest.mark.django_db
def test_ones_own_words() -> None:
    """Refused and allowed again by oneself, before or after one sits down; it goes on at the next seat."""
    room = open_room()
    bert = consented(person("bert"), room)
    assert may_caption(room, bert)
    actions.set_own_captions(room.pk, bert, True, by=bert)
    assert not may_caption(room, bert) and may_caption(room, room.host)
    assert told(room, "seat_captioned") == [], "whether a listener is here is their own affair"
    assert snapshot(room.pk, Who.of_user(bert))["you"]["captions_off"]
    actions.take_seat(room.pk, bert)
    assert [(seat["user"], seat["captions_off"]) for seat in snapshot(room.pk, Who(None, "a:x"))["seats"]] == [
        ("host", False),
        ("bert", True),
    ]
    for _each in range(2):
        actions.set_own_captions(room.pk, bert, False, by=bert)
    assert told(room, "seat_captioned") == [("seat_captioned", {"user": "bert", "off": False})]
    assert may_caption(room, bert)
    for _each in range(2):
        actions.set_own_captions(room.pk, bert, True, by=bert)
    actions.leave_seat(room.pk, bert)
    actions.take_seat(room.pk, bert)
    assert Seat.objects.get(room=room, user=bert, left_at=None).captions_off
    assert CaptionsOff.objects.filter(room=room, user=bert).count() == 2
    actions.end_room(room.pk, room.host)
    assert refused(actions.set_own_captions, room.pk, bert, False, bert) == "room_ended"


@pytest.mark.django_db
def test_nobody_switches_anothers() -> None:
    """Neither host nor co-host, whatever their client sends; what they send changes nothing of their own either."""
    room = open_room()
    sam, cora = seated("sam", room), seated("cora", room)
    actions.name_cohost(room.pk, cora, by=room.host)
    actions.set_own_captions(room.pk, sam, True, by=sam)
    at = f"/api/v1/rooms/{room.slug}/own-captions/"
    for user in (room.host, cora):
        client = api_client(user)
        for off in (False, True):
            answer = client.put(at, {"off": off, "user": "sam"}, JSON)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
        assert not is_off(room, user)
    wrong: Any
    for wrong in (None, "perhaps", []):
        assert api_client(sam).put(at, {"off": wrong}, JSON).status_code == 400
    assert is_off(room, sam) and not may_caption(room, sam)
    actions.set_captions(room.pk, room.host, False)
    actions.set_captions(room.pk, room.host, True)
    assert is_off(room, sam), "captions of the room are nobody's yes"


@pytest.mark.django_db
def test_captions_of_the_room() -> None:
    """Switched on, they are of nobody who agreed to a recording without them, but of whoever switches."""
    room = open_room(transcription=False)
    ada, bert = seated("ada", room), consented(person("bert"), room)
    assert set(Consent.objects.filter(room=room).values_list("captioned", flat=True)) == {False}
    assert refused(actions.set_captions, room.pk, ada, True) == "not_host"
    assert not may_caption(room, ada)
    consented(room.host, room)
    actions.set_captions(room.pk, room.host, True)
    late = seated("late", room)
    assert [is_off(room, user) for user in (ada, bert, room.host, late)] == [True, True, False, False]
    assert told(room, "captions_set", "seat_captioned") == [
        ("captions_set", {"on": True}),
        ("seat_captioned", {"user": "ada", "off": True}),
    ]
    everybody = CaptionsOff.objects.get(room=room, user=None)
    assert everybody.since == room.started_at and everybody.until is not None, "what was said before stays out"
    actions.set_own_captions(room.pk, ada, False, by=ada)
    actions.set_captions(room.pk, room.host, False)
    assert not may_caption(room, late)
    actions.set_captions(room.pk, room.host, True)
    assert [is_off(room, user) for user in (ada, bert, late)] == [False, True, False], (
        "who was asked is not asked again"
    )
    assert CaptionsOff.objects.filter(room=room, user=None).count() == 2
    latest = CaptionsOff.objects.filter(room=room, user=None).order_by("-pk")[0]
    assert latest.until is not None and latest.until - latest.since < timedelta(minutes=1)


@pytest.mark.django_db
def test_consent_and_captions_that_come_on_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """One who agrees while captions come on, agrees with them, or is asked: never neither."""
    room = open_room(transcription=False)
    nora = person("nora")

    @contextmanager
    def later(room_id: int) -> Iterator[Room]:
        Room.objects.filter(pk=room_id).update(transcription=True)  # by whoever had the lock before
        with locked(room_id) as now:
            yield now

    monkeypatch.setattr("rooms.actions.consent.locked", later)
    assert actions.record_consent(nora, room, settings.CONSENT_VERSION).captioned


@pytest.mark.django_db
def test_the_language_and_the_forms_without_script(client: Any) -> None:
    room = open_room()
    assert refused(actions.set_language, room.pk, room.host, "xx") == "bad_value"
    client.force_login(room.host)
    client.post(f"/r/{room.slug}/captions/language/", {"language": "nl"})
    client.post(f"/r/{room.slug}/captions/set/", {"on": "no"})
    room.refresh_from_db()
    assert (room.language, room.transcription) == ("nl", False)
    assert told(room, "language_set", "captions_set") == [
        ("language_set", {"language": "nl"}),
        ("captions_set", {"on": False}),
    ]
    client.force_login(seated("sam", room))
    client.post(f"/r/{room.slug}/captions/set/", {"on": "yes"})
    room.refresh_from_db()
    assert not room.transcription


@pytest.mark.django_db
def test_the_database_knows_the_times() -> None:
    room = open_room()
    now = timezone.now()
    CaptionsOff.objects.create(room=room, user=room.host)
    for values in (
        {"user": room.host},
        {"user": None},
        {"user": None, "since": now, "until": now - timedelta(seconds=1)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            CaptionsOff.objects.create(room=room, **values)


@pytest.mark.django_db
def test_the_page_of_captions_alone_asks_as_the_room_does(client: Any) -> None:
    room = open_room(entry_policy="signed_in")
    at = f"/r/{room.slug}/captions/"
    assert client.get(at).status_code == client.get(f"/r/{room.slug}/").status_code == 401
    client.force_login(person("ada"))
    assert client.get(at).status_code == 200
    actions.remove_person(room.pk, User.objects.get(handle="ada"), by=room.host)
    assert client.get(at).status_code == 403
    actions.end_room(room.pk, room.host)
    client.force_login(room.host)
    assert client.get(at)["Location"] == f"/r/{room.slug}/"
    assert client.get("/r/nothing/captions/").status_code == 404


def page(**asked: Any) -> Any:
    command = ["node", str(Path(__file__).with_name("captions.mjs"))]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def line(number: int, words: str, draft: str = "", *, final: bool = False, at: int = 0) -> dict[str, Any]:
    confirmed = [[word, at + 500 * n, at + 500 * n + 400] for n, word in enumerate(words.split())]
    start = {"type": "caption", "person": "ada", "line": number, "at": at}
    return {**start, "confirmed": confirmed, "draft": draft, "final": final}


def after(room: Room, *messages: Any) -> list[list[dict[str, Any]]]:
    """Return the page's lines of captions after each message, from a snapshot on."""
    start: Any = snapshot(room.pk, Who(None, "a:reader"))
    events, seq = [], start["seq"]
    for message in messages:
        if isinstance(message, tuple):
            seq += 1
            message = {"type": message[0], "seq": seq, "at": 0, "data": message[1]}
        events.append({**start, "seq": seq} if message == "snapshot" else message)
    command = ["node", str(Path(__file__).with_name("reduce.mjs"))]
    asked = json.dumps(
        {"snapshot": start, "events": [{**each, "seq": seq} if each is start else each for each in events]}
    )
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    steps: list[list[dict[str, Any]]] = [step["state"]["captions"]["lines"] for step in json.loads(done.stdout)]
    return steps


@pytest.mark.django_db
def test_lines_of_who_wants_none_do_not_come_back() -> None:
    """Neither once the seat is gone, nor by a line on its way, nor with a snapshot."""
    room = open_room()
    ada = seated("ada", room)
    claim = Claim(room.pk, 1)
    CaptionedRoom.objects.create(room=room, token=1, lease_until=timezone.now())
    words = (Word(" heard", 0, 400, 1.0),)
    keep_line(claim, ada, Line(1, words, "", 0, True))
    keep_line(claim, room.host, Line(2, words, "", 0, True))
    off, gone = ("seat_captioned", {"user": "ada", "off": True}), ("seat_left", {"user": "ada", "reason": "left"})
    steps = after(room, line(3, "one", "two"), off, line(3, "one two"), gone)
    assert [[each["line"] for each in step] for step in steps] == [[1, 2, 3], [2], [2], [2]]
    actions.set_own_captions(room.pk, ada, True, by=ada)
    assert [each["line"] for each in after(room, line(1, "heard", final=True), "snapshot")[-1]] == [2]


@pytest.mark.django_db
def test_a_draft_goes_with_the_seat_and_what_is_confirmed_stays() -> None:
    room = open_room()
    seated("ada", room)
    gone = ("seat_left", {"user": "ada", "reason": "unseated"})
    steps = after(room, line(1, "one", "two"), line(2, "", "three"), gone, line(1, "one two", "three", final=True))
    assert [[(each["line"], len(each["confirmed"]), each["draft"]) for each in step] for step in steps[1:]] == [
        [(1, 1, "two"), (2, 0, "three")],
        [(1, 1, "")],
        [(1, 2, "")],
    ]


def test_words_are_read_out_when_they_are_heard() -> None:
    for playing, words in ((None, 3), (1_000_900, 2), (999_000, 0)):
        clock = {"playing": playing, "startedAt": 1_000_000}
        assert len(page(heard=[line(1, "one two three"), clock])["heard"]) == words


def test_confirmed_words_are_never_taken_back() -> None:
    whole = line(3, "one two three")
    known = page(lines=[line(3, "one"), whole, line(3, "one two", "four"), line(1, "zero", final=True)])["lines"]
    assert [(each["line"], len(each["confirmed"]), each["draft"]) for each in known] == [(1, 1, ""), (3, 3, "")]
    known = page(lines=[line(2, "ended", final=True), line(2, "ended", "more")])["lines"]
    assert known[0]["final"] and not known[0]["draft"]
    assert [each["line"] for each in page(lines=[line(n, "x") for n in range(20)])["lines"]] == list(range(8, 20))


@pytest.mark.parametrize(
    ("playing", "seen"),
    [
        (None, ["one two three", "four"]),  # near: at once
        (1_000_900, ["one two", ""]),  # a word when its sound is heard, and no draft
        (1_001_100, ["one two three", ""]),
        (1_005_000, ["one two three", "four"]),
        (999_000, None),
        (1_020_000, None),  # stood long enough
    ],
)
def test_words_are_seen_when_they_are_heard(playing: int | None, seen: list[str] | None) -> None:
    clock = {"now": 1_004_500, "playing": playing, "startedAt": 1_000_000}
    found = page(shown=[line(1, "one two three", "four"), 1_004_000, clock])["shown"]
    assert (found and [" ".join(found["words"]), " ".join(found["draft"])]) == seen


@pytest.mark.parametrize(("playing", "wait"), [(None, 250), (1_000_420, 80), (1_000_900, 100), (1_002_000, 250)])
def test_a_page_looks_again_when_the_next_word_is_heard(playing: int | None, wait: int) -> None:
    clock = {"playing": playing, "startedAt": 1_000_000}
    assert page(wait=[[line(1, "one two three")], clock, 250])["wait"] == wait


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "From fairest creatures we desire increase, that thereby beauty’s rose might never die.",
            ["From fairest creatures", "we desire increase,", "that thereby beauty’s", "rose might never die."],
        ),
        ("Zij gingen vroeg naar huis omdat het regende", ["Zij gingen vroeg", "naar huis", "omdat het regende"]),
        ("Donaudampfschifffahrtsgesellschaft is long", ["Donaudampfschifffahrtsgesellschaft", "is long"]),
        ("", []),
    ],
)
def test_lines_break_where_people_read_on(text: str, lines: list[str]) -> None:
    words = text.split()
    found = page(broken=[words, 24])["broken"]
    assert [" ".join(each) for each in found] == lines
    assert all(len(" ".join(each)) <= 24 or len(each) == 1 for each in found)


def test_a_full_line_stays_as_it_is_whatever_follows() -> None:
    words = [
        "so",
        "we",
        "took",
        "the",
        "early",
        "train",
        "to",
        "the",
        "coast,",
        "because",
        "nobody",
        "had",
        "told",
        "us",
        "that",
        "the",
        "road",
        "along",
        "the",
        "river",
        "was",
        "open",
        "again",
        "and",
        "the",
        "buses",
        "were",
        "running",
        "as",
        "they",
        "always",
        "did",
    ]
    whole = page(broken=[words, 37])["broken"]
    for most in range(1, len(words)):
        part = page(broken=[words[:most], 37])["broken"]
        assert part[:-1] == whole[: len(part) - 1]
