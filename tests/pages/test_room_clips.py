"""Making clips, having them and taking them back: pages, API and links, also by clients that cheat."""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from people.models import User
from rooms import actions
from rooms.ledger_texts import unrecorded_clips
from rooms.models import Clip, ReplayObjection, Room
from rooms.recording.delivery import links
from rooms.rules import clips as rules
from rooms.rules import limits
from tests.support.clips import asked, file_of, fresh, made
from tests.support.messages import deliver
from tests.support.people import api_client, person
from tests.support.races import refused
from tests.support.recordings import talked_room
from tests.support.rooms import ended_room, open_room, published

pytestmark = pytest.mark.django_db
State = Clip.State


@pytest.fixture(autouse=True)
def _streams_are_read_at_once() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
        yield


@pytest.fixture
def room() -> Room:
    return talked_room()


def user(handle: str) -> User:
    return User.objects.filter(handle=handle).first() or person(handle)


def signed_in(handle: str) -> Client:
    client = Client()
    client.force_login(user(handle))
    return client


def seen_by(client: Client, room: Room) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/rooms/{room.slug}/clips/")
    return list(answer.json()["clips"]) if answer.status_code == 200 else []


def address_for(client: Client, room: Room) -> str:
    [clip] = seen_by(client, room)
    return str(clip["address"] or "")


def ask(client: Client, room: Room, **values: Any) -> Any:
    body = json.dumps({"kind": "sound", "from_ms": 9_000, "to_ms": 16_000, **values})
    return client.post(f"/api/v1/rooms/{room.slug}/clips/", body, content_type="application/json")


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


# --- as public as the replay, and no more -----------------------------------------------------------------------------


def test_until_the_replay_is_public_host_and_co_hosts_alone_have_it(room: Room) -> None:
    made(room)
    host, ada, eva, nobody = signed_in("host"), signed_in("ada"), signed_in("eva"), Client()
    path = address_for(host, room)
    content = b"".join(host.get(path))
    assert content == file_of(Clip.objects.get()).read_bytes()
    # Ada speaks in it: she knows of it and may take it back, but does not get it yet.
    assert [(one["address"], one["may_take_back"]) for one in seen_by(ada, room)] == [(None, True)]
    assert seen_by(eva, room) == seen_by(nobody, room) == []
    actions.set_published(room.pk, room.host, True, "anyone")
    assert address_for(ada, room) == "" and seen_by(nobody, room) == [], "the 24 hours run"
    published(room, "anyone")
    for client in (ada, eva, nobody):
        assert client.get(address_for(client, room)).status_code == 200
    given = address_for(nobody, room)
    ReplayObjection.objects.create(recording=room.recording, user=user("bob"))
    assert nobody.get(given).status_code == 404 and seen_by(nobody, room) == []
    ReplayObjection.objects.all().delete()
    actions.set_published(room.pk, room.host, False)
    assert nobody.get(given).status_code == 404 and host.get(path).status_code == 200


def test_ranges_captions_names_and_one_entry_an_hour(room: Room) -> None:
    made(room)
    host = signed_in("host")
    [clip] = seen_by(host, room)
    assert host.head(clip["address"]).status_code == 200 and not Entry.objects.filter(kind="clip_handed_out").exists()
    part: Any = host.get(clip["address"], headers={"range": "bytes=0-99"})
    assert (part.status_code, len(b"".join(part))) == (206, 100)
    assert "attachment" in host.get(clip["address"] + "?save")["Content-Disposition"]
    assert Entry.objects.filter(kind="clip_handed_out", actor=room.host_id).count() == 1
    text = b"".join(host.get(clip["captions"])).decode()
    assert text.startswith("WEBVTT") and "ill-disposed young man" in text
    assert "00:00:01.000 --> " in text, "in the time of the clip: Ada begins at 0:10 of the room"
    assert not list(unrecorded_clips())


def test_a_link_is_for_one_person_one_clip_and_some_hours(room: Room) -> None:
    clip = made(room)
    host, other = signed_in("host"), made(room, from_ms=1_000, to_ms=4_000)
    link = links.address(room.pk, f"clip-{clip.pk}", user("eva"), "x.m4a")
    assert Client().get(link).status_code == 404, "Eva may not"
    path = links.address(room.pk, f"clip-{clip.pk}", room.host, "x.m4a")
    assert Client().get(path).status_code == 200
    # Counting up: another clip in the same token is another signature.
    for forged in (
        path.replace(f"clip-{clip.pk}", f"clip-{other.pk}"),
        path.replace(f"/{room.pk}.", f"/{room.pk + 1}."),
    ):
        assert host.get(forged).status_code == 404
    elsewhere = links.address(ended_room("hans").pk, f"clip-{clip.pk}", room.host, "x.m4a")
    assert Client().get(elsewhere).status_code == 404, "signed, but of another room"
    for key in (*map(str, range(clip.pk - 3, clip.pk + 4)), "a" * 22, "switch", clip.key.swapcase()):
        for client in (host, Client()):
            assert client.get(f"/r/{room.slug}/clips/{key}/").status_code in (302, 404), key
            assert client.delete(f"/api/v1/rooms/{room.slug}/clips/{key}/").status_code in (401, 404), key
    User.objects.filter(pk=room.host_id).update(credentials_at=timezone.now())
    assert Client().get(path).status_code == 404, "a new password ends it"


def test_a_restriction_closes_clips_at_once(room: Room) -> None:
    made(room)
    published(room, "anyone")
    host = signed_in("host")
    path = address_for(host, room)
    restriction = actions.restrict(room, "child_safety", None)
    assert host.get(path).status_code == 404 and Client().get(path).status_code == 404
    assert address_for(host, room) == ""
    assert code(ask(host, room)) == "recording_unavailable" and code(ask(signed_in("eva"), room)) == (
        "recording_unavailable"
    )
    assert Client().get(f"/r/{room.slug}/clips/{Clip.objects.get().key}/").status_code == 403
    # Whoever speaks in it can still take it back.
    assert signed_in("ada").get(f"/r/{room.slug}/clips/{Clip.objects.get().key}/").status_code == 200
    actions.lift_restriction(restriction, None)
    assert host.get(path).status_code == 200


# --- taking back, switching off ---------------------------------------------------------------------------------------


def test_a_speaker_takes_it_back_by_the_link_in_the_message(room: Room) -> None:
    clip = made(room)
    published(room, "anyone")
    file, nobody, host = file_of(clip), Client(), signed_in("host")
    paths = [address_for(client, room) for client in (nobody, host)]
    deliver()
    ada = signed_in("ada")
    page = f"/r/{room.slug}/clips/{clip.key}/"
    assert page in ada.get("/messages/official/").content.decode()
    assert "take it back" in ada.get(page).content.decode()
    answer = ada.post(f"{page}take-back/")
    assert answer.status_code == 302 and fresh(clip).state == State.TAKEN_BACK
    for client, path in zip((nobody, host), paths, strict=True):
        assert client.get(path).status_code == 404
    assert [client.get(page).status_code for client in (ada, host, nobody, signed_in("eva"))] == [410, 410, 404, 404]
    entry = Entry.objects.get(kind="clip_taken_back")
    assert (entry.actor, entry.data) == (user("ada").pk, {"clip": clip.pk, "as": "voice"})
    assert not list(unrecorded_clips()) and ada.post(f"{page}take-back/").status_code == 302, "twice is once"
    assert Entry.objects.filter(kind="clip_taken_back").count() == 1
    assert file.name != "", "the file goes with the commit (below)"


def test_the_file_goes_with_the_commit(room: Room, django_capture_on_commit_callbacks: Any) -> None:
    clip = made(room)
    file = file_of(clip)
    with django_capture_on_commit_callbacks(execute=True):
        actions.take_back_clip(clip.key, user("bob"))
    assert not file.exists()


def test_whoever_was_removed_takes_back_their_voice(room: Room) -> None:
    from rooms.models import Removal

    clip = made(room)
    Removal.objects.create(room=room, user=user("ada"), by=room.host)
    assert actions.take_back_clip(clip.key, user("ada")).state == State.TAKEN_BACK


def test_maker_and_host_take_back_and_nobody_else(room: Room) -> None:
    published(room, "anyone")
    by_eva = made(room, by=user("eva").handle, from_ms=30_000, to_ms=34_000)
    assert refused(actions.take_back_clip, by_eva.key, user("fred")) == "not_found"
    assert refused(actions.take_back_clip, by_eva.key, user("ada")) == "not_found", "she is not in it"
    assert refused(actions.take_back_clip, "nothing", room.host) == "not_found"
    assert signed_in("fred").post(f"/r/{room.slug}/clips/{by_eva.key}/take-back/").status_code == 404
    assert actions.take_back_clip(by_eva.key, user("eva")).taken_back_as == "maker"
    again = made(room, by="eva", from_ms=30_000, to_ms=34_000)
    assert actions.take_back_clip(again.key, room.host).taken_back_as == "host"
    with pytest.raises(DatabaseError), transaction.atomic():
        Clip.objects.filter(pk=again.pk).update(state=State.WAITING)


def test_the_host_alone_switches_clips_off(room: Room) -> None:
    clip = made(room)
    published(room, "anyone")
    nobody = Client()
    path = address_for(nobody, room)
    for handle in ("ada", "eva"):
        assert refused(actions.set_clips_off, room.pk, user(handle), True) == "not_host"
        assert signed_in(handle).post(f"/r/{room.slug}/clips/switch/", {"off": "yes"}).status_code == 404
    assert nobody.post(f"/r/{room.slug}/clips/switch/", {"off": "yes"}).status_code == 302
    assert not Room.objects.get(pk=room.pk).clips_off
    host = signed_in("host")
    assert host.post(f"/r/{room.slug}/clips/switch/", {"off": "yes"}).status_code == 302
    assert nobody.get(path).status_code == 404 and host.get(address_for(host, room)).status_code == 200
    for handle in ("host", "eva"):
        assert code(ask(signed_in(handle), room)) == "clips_off"
    assert actions.take_back_clip(clip.key, user("bob")).state == State.TAKEN_BACK, "still"
    host.put(f"/api/v1/rooms/{room.slug}/clips/", '{"off": false}', content_type="application/json")
    assert not Room.objects.get(pk=room.pk).clips_off
    assert [entry.data["off"] for entry in Entry.objects.filter(kind="clips_switched").order_by("seq")] == [True, False]


# --- clients that cheat -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 50_000_000),
        (1_000, 91_001),
        (5_000, 5_000),
        (5_000, 4_000),
        (5_000, 5_999),
        (-1, 5_000),
        (45_000, 70_000),
        (-90_000, 0),
        (2**40, 2**40 + 5_000),
        ("NaN", 5_000),
        (float("nan"), 5_000),
        (0, float("inf")),
        (None, 5_000),
        ([1], 5_000),
        ("1e3", "2e3"),
        (1.5, 5_000.5),
    ],
)
def test_ranges_that_are_none(room: Room, start: Any, end: Any) -> None:
    host = signed_in("host")
    answer = ask(host, room, from_ms=start, to_ms=end)
    assert answer.status_code == 400, answer.content
    form = host.post(f"/r/{room.slug}/clips/", {"kind": "sound", "from": str(start), "to": str(end)})
    assert form.status_code == 302
    assert not Clip.objects.exists()


def test_the_database_has_the_ninety_seconds_too(room: Room) -> None:
    for start, end in ((0, 90_001), (9, 9)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Clip.objects.create(room=room, maker=room.host, kind="sound", from_ms=start, to_ms=end)


def test_a_foreign_room_and_a_clip_s_key_at_another_room(room: Room) -> None:
    clip, other = made(room), ended_room("hans")
    for handle in ("hans", "eva"):
        assert code(ask(signed_in(handle), room)) == "not_found"
        assert signed_in(handle).post(f"/r/{room.slug}/clips/", {"kind": "sound"}).status_code in (302, 404)
    hans = signed_in("hans")
    assert hans.get(f"/r/{other.slug}/clips/{clip.key}/").status_code == 404
    assert hans.post(f"/r/{other.slug}/clips/{clip.key}/take-back/").status_code == 404
    assert hans.delete(f"/api/v1/rooms/{other.slug}/clips/{clip.key}/").status_code == 404
    assert code(ask(hans, Room(slug="nothing-here"))) == "not_found"
    assert ask(Client(), room).status_code == 401 and Clip.objects.count() == 1
    assert fresh(clip).state == State.READY


def test_speakers_and_listeners_make_none_before_publication(room: Room) -> None:
    assert code(ask(signed_in("ada"), room)) == "clip_not_public"
    assert code(ask(signed_in("eva"), room)) == "not_found"
    actions.set_published(room.pk, room.host, True, "anyone")
    assert code(ask(signed_in("ada"), room)) == "clip_not_public"
    published(room, "anyone")
    assert ask(signed_in("eva"), room).status_code == 201


def test_hundreds_of_requests(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    published(room, "anyone")
    eva = signed_in("eva")
    answers = [ask(eva, room, from_ms=second * 10, to_ms=second * 10 + 5_000).status_code for second in range(200)]
    assert answers.count(201) == rules.MOST_UNDER_WAY and set(answers) == {201, 429}
    # Without the pace of requests, the amounts hold by themselves.
    monkeypatch.setattr(type(limits.CLIPS), "check", lambda *_of: None)
    Clip.objects.update(state=State.REFUSED)
    for number in range(60):
        ask(eva, room, from_ms=20 * number, to_ms=20 * number + 4_000)
        Clip.objects.filter(state=State.WAITING).update(state=State.REFUSED)
    assert Clip.objects.count() == rules.MOST_A_DAY
    Clip.objects.update(asked_at=timezone.now() - timedelta(days=2))
    assert ask(eva, room).status_code == 201
    for maker, most in (("eva", rules.MOST_OF_ONE - 1), ("gina", rules.MOST_IN_ROOM)):
        Clip.objects.bulk_create(
            Clip(room=room, maker=user(maker), kind="sound", from_ms=number, to_ms=number + 2_000)
            for number in range(most)
        )
        if maker == "eva":
            assert code(ask(eva, room, to_ms=17_000)) == "clips_yours_full"
    assert code(ask(signed_in("fred"), room)) == "clips_full"
    host = signed_in("host")
    assert ask(host, room).status_code == 201, "theirs do not count with the others'"
    Clip.objects.bulk_create(
        Clip(room=room, maker=room.host, kind="video", from_ms=number, to_ms=number + 2_000)
        for number in range(rules.MOST_IN_ROOM - 1)
    )
    assert code(ask(host, room, to_ms=17_000)) == "clips_full"


def test_the_same_range_twice_is_one_clip(room: Room) -> None:
    assert asked(room).pk == asked(room).pk
    assert asked(room, kind="video").pk != asked(room).pk


def test_kinds_that_are_none(room: Room) -> None:
    assert ask(signed_in("host"), room, kind="gif").status_code == 400
    assert refused(actions.make_clip, room.pk, room.host, "gif", 0, 2_000) == "bad_value"


# --- a live room ------------------------------------------------------------------------------------------------------


def test_the_last_minute_of_a_live_room_is_the_host_s_side_s() -> None:
    room = open_room(host="hans")
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=5))
    room.refresh_from_db()
    hans, eva = api_client(room.host), signed_in("eva")
    answer = ask(hans, room, last_ms=30_000)
    assert answer.status_code == 201, answer.content
    assert abs(answer.json()["to_ms"] - answer.json()["from_ms"]) == 30_000
    assert answer.json()["to_ms"] <= room.room_time() and answer.json()["state"] == "waiting"
    assert code(ask(eva, room)) == "not_host" and eva.get(f"/api/v1/rooms/{room.slug}/clips/").status_code == 404
    assert code(ask(hans, room, last_ms=60_001)) == code(ask(hans, room, last_ms=500)) == "clip_range"
    assert ask(hans, room, last_ms=-5).status_code == 400
    actions.set_clips_off(room.pk, room.host, True)
    assert code(ask(hans, room)) == "clips_off"
    actions.set_clips_off(room.pk, room.host, False)
    actions.restrict(room, "at_once", None)
    assert code(ask(hans, room)) == "recording_unavailable"


def test_pages_show_what_each_may(room: Room) -> None:
    made(room, kind="sound")
    host, ada = signed_in("host"), signed_in("ada")
    page = host.get(f"/r/{room.slug}/replay/").content.decode()
    assert "Download the sound" in page and "Switch clips off" in page and 'data-clip-form="' in page
    page = ada.get(f"/r/{room.slug}/replay/").content.decode()
    assert "Your voice is in it" in page and "Download the sound" not in page and "data-clip-form" not in page
    assert "Take back" in page and "Switch clips off" not in page
    assert host.get(f"/r/{room.slug}/clips/").status_code == 200
    assert Client().get(f"/r/{room.slug}/clips/").status_code == 404
    answer = host.post(f"/r/{room.slug}/clips/", {"kind": "sound", "from": "30", "to": "34.5"}, follow=True)
    assert "is being made" in answer.content.decode()
    assert Clip.objects.filter(from_ms=30_000, to_ms=34_500).exists()
