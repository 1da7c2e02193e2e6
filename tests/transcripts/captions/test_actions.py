"""Lines that are kept and shown: under a lease, by people who may be heard, and never changed afterwards."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from core import bus
from people.actions.deletion import delete_account
from people.models import User
from rooms import actions as room_actions
from rooms.models import Room, Seat
from rooms.wire.snapshot import base
from tests.support.rooms import open_room, seated
from transcripts.captions import actions, state
from transcripts.captions.actions import LEASE, Claim, LeaseLost, Line, NotShown
from transcripts.captions.room import RoomCaptions
from transcripts.models import CaptionedRoom, LiveLine, Transcript
from transcripts.speech.stitch import Word

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Messages that went out on a room's channel since the test began."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(bus, "publish", lambda _channel, text: seen.append(json.loads(text)))
    return seen


@pytest.fixture
def room() -> Room:
    return open_room()


@pytest.fixture
def nora(room: Room) -> User:
    return seated("nora", room)


def claimed(room: Room, worker: str = "one") -> Claim:
    claim = actions.claim_room(room.pk, worker)
    assert claim is not None
    return claim


def line(text: str, number: int = 1, *, final: bool = False, draft: str = "") -> Line:
    words = tuple(Word(f" {word}", 1000 + at * 200, 1150 + at * 200, 0.9) for at, word in enumerate(text.split()))
    return Line(number, words, draft, 1000, final)


def expire(claim: Claim) -> None:
    CaptionedRoom.objects.filter(room=claim.room_pk).update(lease_until=timezone.now() - LEASE)


def test_a_room_has_one_process_and_a_late_one_changes_nothing(
    room: Room, nora: User, published: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    first = claimed(room)
    assert room.pk not in actions.free_rooms() and actions.claim_room(room.pk, "two") is None
    actions.keep_line(first, nora, line("well"))
    expire(first)
    assert actions.renew(first), "nobody else took it"
    expire(first)
    assert actions.free_rooms() == [room.pk]
    second = claimed(room, "two")
    assert actions.free_rooms(["one"]) == [] and actions.free_rooms(["two"]) == [room.pk]
    assert actions.claim_room(room.pk, "three", ["one"]) is None
    assert second.token > first.token and not actions.renew(first)
    with pytest.raises(LeaseLost):
        actions.keep_line(first, nora, line("well then"))
    with pytest.raises(LeaseLost):
        actions.show_draft(first, nora, line("", draft="well then"))
    with pytest.raises(LeaseLost):
        actions.tell_state(first, "off", [], changed=[None])
    assert state.room_state(room.pk) == ("off", []) and bus.client().get(state._room_key(room.pk)) is None
    with django_capture_on_commit_callbacks(execute=True):
        actions.keep_line(second, nora, line("well then", draft="so"))
    assert LiveLine.objects.get().words == [["well", 1000, 1150], ["then", 1200, 1350]]
    assert published[-1] == {
        "type": "caption",
        "person": "nora",
        "line": 1,
        "confirmed": [["well", 1000, 1150], ["then", 1200, 1350]],
        "draft": "so",
        "final": False,
        "at": 1000,
    }
    actions.release(second)
    assert actions.free_rooms() == [room.pk]


def test_a_number_is_given_once_whatever_is_kept_of_its_line(room: Room) -> None:
    first = claimed(room)
    assert [actions.next_number(first), actions.next_number(first)] == [1, 2]
    expire(first)
    second = claimed(room, "two")
    assert actions.next_number(second) == 3, "pages saw the line with number 2, and that it was over"
    with pytest.raises(LeaseLost):
        actions.next_number(first)


def test_confirmed_words_are_added_to_and_never_changed(room: Room, nora: User) -> None:
    claim = claimed(room)
    actions.keep_line(claim, nora, line("one two"))
    actions.keep_line(claim, nora, line("one two three", final=True))
    for other in (line("one too three"), line("one"), line("one two three four", final=True)):
        with pytest.raises(ValueError, match="confirmed otherwise"):
            actions.keep_line(claim, nora, other)
    with pytest.raises(ValueError, match="confirmed otherwise"):
        actions.keep_line(claim, room.host, line("one two three", final=True))
    assert [word[0] for word in LiveLine.objects.get().words] == ["one", "two", "three"]


def test_nothing_is_shown_of_who_was_put_off_stage_or_of_a_room_that_is_over(room: Room, nora: User) -> None:
    claim = claimed(room)
    mara, otto = seated("mara", room), seated("otto", room)
    room_actions.leave_seat(room.pk, mara)
    actions.keep_line(claim, mara, line("goodbye all", 1, final=True))
    Seat.objects.filter(user=mara).update(left_at=timezone.now() - timedelta(minutes=1))
    room_actions.remove_person(room.pk, otto, room.host)
    for user in (mara, otto):
        with pytest.raises(NotShown):
            actions.keep_line(claim, user, line("and another thing", 2))
        with pytest.raises(NotShown):
            actions.show_draft(claim, user, line("", 2, draft="and another thing"))
    room_actions.end_room(room.pk, room.host)
    with pytest.raises(NotShown):
        actions.keep_line(claim, nora, line("is it over", 2))
    assert LiveLine.objects.count() == 1 and actions.claim_room(room.pk, "two") is None


def test_who_stood_up_and_may_not_take_part_any_more_has_no_last_words(
    room: Room, published: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    """Removed, suspended or deleted within ten seconds; and a new name counts at once."""
    claim = claimed(room)
    mara, otto, tess, viv = (seated(handle, room) for handle in ("mara", "otto", "tess", "viv"))
    for user in (mara, otto, viv):
        room_actions.leave_seat(room.pk, user)
    room_actions.remove_person(room.pk, mara, room.host)
    User.objects.filter(pk=otto.pk).update(is_active=False)
    delete_account(tess, tess)
    User.objects.filter(pk=viv.pk).update(handle="vivian")
    with django_capture_on_commit_callbacks(execute=True):
        for number, user in enumerate((mara, otto, tess), 1):
            with pytest.raises(NotShown):
                actions.keep_line(claim, user, line("last words", number, final=True))
            with pytest.raises(NotShown):
                actions.show_draft(claim, user, line("", number, draft="last words"))
        actions.keep_line(claim, viv, line("goodbye", 4, final=True))
    captions = [message for message in published if message["type"] == "caption"]
    assert [message["person"] for message in captions] == ["vivian"]
    captioned = RoomCaptions.take(claim)
    assert captioned.refresh() and {user.pk for user in captioned._seats.values()} == {viv.pk, room.host_id}


def test_a_room_without_transcription_has_no_captions() -> None:
    quiet = open_room("quiet", transcription=False)
    assert quiet.pk not in actions.free_rooms() and actions.claim_room(quiet.pk, "one") is None


def test_the_snapshot_has_the_last_lines_and_how_they_are_written(room: Room, nora: User) -> None:
    claim = claimed(room)
    assert base(room.pk).parts["captions"] == {"state": "off", "without": [], "lines": []}
    for number in range(1, 16):
        actions.keep_line(claim, nora, line(f"line {number}", number, final=number < 15))
    actions.tell_state(claim, "slow", ["nora"], changed=[])
    part = base(room.pk).parts["captions"]
    assert (part["state"], part["without"]) == ("slow", ["nora"])
    assert [shown["line"] for shown in part["lines"]] == list(range(4, 16))
    assert part["lines"][0]["confirmed"][1][0] == "4" and not part["lines"][-1]["final"]
    actions.keep_line(claim, room.host, line("indeed", 16, final=True))
    room_actions.set_own_captions(room.pk, nora, True, by=nora)
    assert [shown["line"] for shown in base(room.pk).parts["captions"]["lines"]] == [16], "who wants none now has none"
    room_actions.end_room(room.pk, room.host)
    assert base(room.pk).parts["captions"]["lines"] == []


def test_pages_hear_of_each_change_of_state(
    room: Room, published: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    claim = claimed(room)
    with django_capture_on_commit_callbacks(execute=True):
        actions.tell_state(claim, "drafts_off", ["nora"], changed=["nora", None])
    assert published == [
        {"type": "captions_state", "state": "off", "person": "nora"},
        {"type": "captions_state", "state": "drafts_off", "person": None},
    ]
    assert state.room_state(room.pk) == ("drafts_off", ["nora"])
    assert state.room_state(room.pk + 1) == ("off", [])


def test_live_lines_go_when_the_transcript_is_ready(room: Room, nora: User) -> None:
    from transcripts.jobs.results import refresh_transcript

    actions.keep_line(claimed(room), nora, line("said live", final=True))
    transcript = Transcript.objects.create(room=room, language="en")
    refresh_transcript(transcript.pk)
    transcript.refresh_from_db()
    assert transcript.state == Transcript.State.READY and not LiveLine.objects.exists()


def test_every_language_of_rooms_can_be_told() -> None:
    assert {"en", "nl"} <= set(dict(settings.LANGUAGES))
