"""/api/v1/: rooms. Every operation by session and by token; refusals with codes; a description without warnings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from people.models import User
from rooms import actions
from rooms.api.urls import urlpatterns
from rooms.models import Recording, RecordingFile, Room, RoomEvent, Seat
from social.models import Follow
from tests.support.people import api_client as by_token
from tests.support.people import person
from tests.support.rooms import consented, make_public, open_room, seated

pytestmark = pytest.mark.django_db
JSON = "application/json"


def by_session(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture(params=[by_token, by_session])
def api(request: pytest.FixtureRequest) -> Callable[[User], Client]:
    way: Callable[[User], Client] = request.param
    return way


def at(room: Room | str, what: str = "") -> str:
    slug = room if isinstance(room, str) else room.slug
    return f"/api/v1/rooms/{slug}/{what}/" if what else f"/api/v1/rooms/{slug}/"


def code(answer: Any, status: int) -> str:
    """The code of a refusal; its status and sentence are looked at too."""
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    assert error["text"]
    return str(error["code"])


def test_a_room_from_opening_to_end(api: Callable[[User], Client]) -> None:
    host, guest = person("host", creator=True), person("guest")
    hosts, guests = api(host), api(guest)
    opened = hosts.post("/api/v1/rooms/", {"title": "Tables", "topic": "Chairs", "language": "nl"}, JSON)
    assert opened.status_code == 201 and opened.json()["you"]["may"]["end"] is True
    slug = opened.json()["room"]["slug"]
    room = Room.objects.get(slug=slug)
    assert (room.title, room.topic, room.language, room.host) == ("Tables", "Chairs", "nl", host)

    listed = guests.get("/api/v1/rooms/").json()["rooms"]
    assert [(one["room"]["slug"], one["speakers"], one["host_followed"]) for one in listed] == [(slug, 1, False)]
    seen = guests.get(at(slug)).json()
    assert (seen["you"]["user"], seen["seq"], [seat["user"] for seat in seen["seats"]]) == ("guest", 2, ["host"])

    assert code(guests.post(at(slug, "seat")), 403) == "not_consented"
    agreed = guests.post(at(slug, "consent"), {"version": settings.CONSENT_VERSION}, JSON)
    assert agreed.status_code == 200 and agreed.json()["you"]["consented"] is True
    sat = guests.post(at(slug, "seat"))
    assert (sat.status_code, sat.json()) == (201, {"place": 1})

    assert guests.post(at(slug, "unmute")).json()["seats"][1]["muted"] is False
    assert guests.post(at(slug, "mute"), {}, JSON).json()["seats"][1]["muted"] is True
    assert code(guests.post(at(slug, "mute"), {"user": "host"}, JSON), 403) == "not_host"
    guests.post(at(slug, "unmute"))
    muted = hosts.post(at(slug, "mute"), {"user": "GUEST"}, JSON)
    assert muted.status_code == 200 and muted.json()["seats"][1]["muted"] is True

    assert code(guests.post(at(slug, "unseat"), {"user": "host"}, JSON), 403) == "not_host"
    assert len(hosts.post(at(slug, "unseat"), {"user": "guest"}, JSON).json()["seats"]) == 1
    assert guests.post(at(slug, "seat")).status_code == 201
    assert guests.delete(at(slug, "seat")).status_code == 200
    assert code(guests.delete(at(slug, "seat")), 409) == "not_on_stage"

    assert code(guests.post(at(slug, "end")), 403) == "not_host"
    ended = hosts.post(at(slug, "end")).json()
    assert (ended["room"]["status"], ended["room"]["end_reason"], ended["seats"]) == ("ended", "host", [])
    assert guests.get("/api/v1/rooms/").json()["rooms"] == []
    for what in ("seat", "unmute", "end"):
        assert code(hosts.post(at(slug, what)), 410) == "room_ended", what
    log = list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", flat=True))
    assert log == list(range(1, len(log) + 1))


OPERATIONS = [
    ("post", "", {"title": "Mine"}),
    ("post", "end", {}),
    ("post", "consent", {"version": "1"}),
    ("post", "seat", {}),
    ("delete", "seat", {}),
    ("post", "mute", {}),
    ("post", "unmute", {}),
    ("post", "mute-all", {}),
    ("post", "hold-mute", {"user": "host"}),
    ("post", "lift-mute", {"user": "host"}),
    ("post", "ask-unmute", {"user": "host"}),
    ("post", "cohosts", {"user": "host"}),
    ("post", "demote", {"user": "host"}),
    ("post", "hand-over", {"user": "host"}),
    ("post", "unseat", {"user": "host"}),
    ("get", "recording", {}),
    ("put", "replay", {"published": True}),
    ("post", "download", {}),
]


@pytest.mark.parametrize(("method", "what", "body"), OPERATIONS)
def test_who_is_not_signed_in_is_told_so(method: str, what: str, body: dict[str, Any]) -> None:
    room = open_room()
    path = at(room, what) if what else "/api/v1/rooms/"
    for client in (Client(), Client(headers={"authorization": "Token forged"})):
        call = getattr(client, method)
        answer = call(path, body) if method == "get" else call(path, body, JSON)
        assert code(answer, 401) == "not_signed_in"
    assert RoomEvent.objects.filter(room=room).count() == 2


@pytest.mark.parametrize(("method", "what", "body"), OPERATIONS[1:])
def test_a_room_that_is_none(method: str, what: str, body: dict[str, Any]) -> None:
    call = getattr(by_token(person("guest")), method)
    answer = call(at("nosuchroom", what), body) if method == "get" else call(at("nosuchroom", what), body, JSON)
    assert code(answer, 404) == "unknown_room"


def test_reading_needs_no_account() -> None:
    room = open_room()
    assert len(Client().get("/api/v1/rooms/").json()["rooms"]) == 1
    seen = Client().get(at(room)).json()
    assert seen["you"] == {
        "user": None,
        "may": {
            "take_seat": False,
            "why_not": "not_signed_in",
            "never_speak": "not_signed_in",
            "speak_under": [],
            "manage": False,
            "end": False,
        },
        "consented": False,
        "captions_off": False,
        "parts": {},
    }
    assert code(Client().get(at("nosuchroom")), 404) == "unknown_room"
    assert code(Client().get(at(room, "replay")), 404) == "not_found"


def test_a_session_needs_the_page_s_token() -> None:
    room = open_room()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(room.host)
    assert browser.post(at(room, "end")).status_code == 403
    room.refresh_from_db()
    assert room.is_live


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["title"]),
        ({"title": ""}, ["title"]),
        ({"title": "x" * 121}, ["title"]),
        ({"title": "Fine", "topic": "x" * 281}, ["topic"]),
        ({"title": "Fine", "language": "xx"}, ["language"]),
        ({"title": "Fine", "speak_policy": "nobody"}, ["speak_policy"]),
        ({"title": "Fine", "transcription": "perhaps"}, ["transcription"]),
        ({"title": ["Fine"], "topic": {}}, ["title", "topic"]),
    ],
)
def test_a_room_that_cannot_be_opened(body: dict[str, Any], fields: list[str]) -> None:
    answer = by_token(person("host", creator=True)).post("/api/v1/rooms/", body, JSON)
    assert code(answer, 400) == "bad_value" and sorted(answer.json()["error"]["fields"]) == fields
    assert not Room.objects.exists()


def test_text_that_cannot_be_kept_is_refused_before_a_room_is_thought_of() -> None:
    answer = by_token(person("host", creator=True)).post("/api/v1/rooms/", {"title": "a\x00b"}, JSON)
    assert code(answer, 400) == "bad_value" and not Room.objects.exists()


def test_who_opens_no_room() -> None:
    body = {"title": "Mine"}
    assert code(by_token(person("guest")).post("/api/v1/rooms/", body, JSON), 403) == "not_a_creator"
    hosts = by_token(open_room().host)
    assert code(hosts.post("/api/v1/rooms/", body, JSON), 409) == "already_hosting"


def test_bodies_that_cannot_be_read() -> None:
    room = open_room()
    hosts = by_token(room.host)
    for what in ("consent", "unseat", "mute"):
        assert code(hosts.post(at(room, what), "{not json", JSON), 400) == "bad_value"
        assert hosts.post(at(room, what), "x", "text/plain").status_code == 415
    bodies: list[Any] = [
        {},
        {"user": ""},
        {"user": "no handle"},
        {"user": 7.5},
        {"user": None},
        {"user": "x" * 31},
        [],
        "x",
    ]
    for body in bodies:
        assert code(hosts.post(at(room, "unseat"), body, JSON), 400) == "bad_value", body
    assert code(hosts.post(at(room, "unseat"), {"user": "nobody"}, JSON), 409) == "not_on_stage"
    assert code(hosts.post(at(room, "consent"), {"version": "1999"}, JSON), 400) == "bad_value"
    assert code(hosts.get(at(room, "seat")), 405) == "not_available"


def test_what_the_stage_refuses(settings: Any) -> None:
    settings.ROOM_MAX_SPEAKERS = 1
    room = open_room()
    seated("first", room)
    late = consented(person("late"), room)
    assert code(by_token(late).post(at(room, "seat")), 409) == "stage_full"
    assert code(by_token(late).post(at(room, "unmute")), 409) == "not_on_stage"
    hosts = by_token(room.host)
    assert code(hosts.post(at(room, "unseat"), {"user": "host"}, JSON), 403) == "not_allowed"
    assert code(hosts.post(at(room, "unmute")), 403) == "not_consented"
    actions.end_room(room.pk, room.host)
    picky = actions.open_room(room.host, title="Friends", speak_policy="followed")
    assert code(by_token(consented(late, picky)).post(at(picky, "seat")), 403) == "not_allowed_to_speak"
    Follow.objects.create(follower=room.host, followed=late)
    assert by_token(late).post(at(picky, "seat")).status_code == 201


def test_rooms_that_not_everybody_enters() -> None:
    room = open_room()
    Room.objects.filter(pk=room.pk).update(entry_policy=Room.EntryPolicy.FOLLOWERS)
    guest = person("guest")
    assert code(Client().get(at(room)), 401) == "not_signed_in"
    assert code(by_token(guest).get(at(room)), 403) == "not_allowed"
    assert code(by_token(guest).post(at(room, "consent"), {"version": "1"}, JSON), 403) == "not_allowed"
    assert by_token(guest).get("/api/v1/rooms/").json()["rooms"] == []
    Follow.objects.create(follower=guest, followed=room.host)
    assert by_token(guest).get(at(room)).status_code == 200


def test_the_copy_while_it_is_made(api: Callable[[User], Client]) -> None:
    room = open_room()
    copy = api(room.host).get(at(room, "recording")).json()
    assert (copy["state"], copy["files"]) == ("running", [])
    assert "kept_until" not in copy, "how long it is kept is asked in one place: retention/"
    assert code(api(person("guest")).get(at(room, "recording")), 403) == "not_host"
    assert code(api(room.host).post(at(room, "download")), 409) == "no_recording"
    assert code(api(room.host).put(at(room, "replay"), {"published": True}, JSON), 409) == "no_recording"
    assert code(api(room.host).put(at(room, "replay"), {}, JSON), 400) == "bad_value"
    assert code(api(User.objects.get(handle="guest")).post(at(room, "download")), 403) == "not_host"


def spoke(user: User, room: Room) -> None:
    """A track of this person's with sound in it."""
    seat = Seat.objects.get(room=room, user=user)
    about = {"start_ms": 0, "duration_ms": 1000, "size": 1, "sha256": "0" * 64, "has_sound": True}
    recording = Recording.objects.get(room=room)
    RecordingFile.objects.create(recording=recording, kind="track", seat=seat, path=f"{room.pk}/{seat.pk}", **about)


def test_a_replay_is_for_who_may_hear_it(api: Callable[[User], Client]) -> None:
    room = open_room()
    anna = seated("anna", room)
    stranger = person("stranger")
    actions.end_room(room.pk, room.host)
    Recording.objects.filter(room=room).update(state=Recording.State.READY, duration_ms=1000)
    assert code(api(anna).get(at(room, "replay")), 404) == "not_found", "she sat there, and said nothing"
    spoke(anna, room)
    heard = api(anna).get(at(room, "replay"))
    assert heard.status_code == 200 and heard.json()["mix"] and heard.json()["published"] is False
    assert code(api(stranger).get(at(room, "replay")), 404) == "not_found"
    assert code(api(anna).put(at(room, "replay"), {"published": True}, JSON), 403) == "not_host"
    published = api(room.host).put(at(room, "replay"), {"published": True}, JSON)
    assert published.json()["published_at"] is not None
    assert code(Client().get(at(room, "replay")), 404) == "not_found", "a day's notice"
    make_public(room)
    assert Client().get(at(room, "replay")).json()["published"] is True
    hidden = api(room.host).put(at(room, "replay"), {"published": False}, JSON)
    assert hidden.json()["published_at"] is None
    assert code(Client().get(at(room, "replay")), 404) == "not_found"


def test_ice_servers(api: Callable[[User], Client], settings: Any) -> None:
    settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET = ["stun:s.example"], ["turn:t.example"], "secret"
    guest = person("guest")
    stun, turn = api(guest).get("/api/v1/ice/").json()["servers"]
    assert stun["urls"] == ["stun:s.example"] and turn["urls"] == ["turn:t.example"]
    assert turn["username"].endswith(f"u-{guest.pk}") and "secret" not in turn["credential"]
    assert code(Client().get("/api/v1/ice/"), 401) == "not_signed_in"


def test_the_list_costs_the_same_for_2_and_for_12_rooms() -> None:
    reader = by_token(person("reader"))

    def fill(number: int) -> None:
        for _ in range(number):
            n = Room.objects.count()
            seated(f"guest{n}", open_room(f"host{n}"))

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert reader.get("/api/v1/rooms/").status_code == 200
        return len(seen)

    fill(2)
    cost()
    few = cost()
    fill(10)
    assert cost() == few
    assert len(reader.get("/api/v1/rooms/").json()["rooms"]) == 12


def test_hosts_one_follows_come_first() -> None:
    for name in ("first", "second", "third"):
        open_room(name)
    reader = person("reader")
    Follow.objects.create(follower=reader, followed=User.objects.get(handle="second"))
    listed = by_token(reader).get("/api/v1/rooms/").json()["rooms"]
    assert [one["room"]["host"] for one in listed] == ["second", "third", "first"]
    assert [one["host_followed"] for one in listed] == [True, False, False]


def test_the_description_is_whole_and_has_no_warnings(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    call_command("spectacular", "--fail-on-warn", "--validate", "--format", "openapi-json", "--file", str(file))
    text = file.read_text()
    assert get_resolver() is not None and urlpatterns
    for pattern in urlpatterns:
        path = "/api/v1/" + str(pattern.pattern).replace("<slug:slug>", "{slug}").replace("<str:key>", "{key}")
        assert f'"{path}"' in text, path
    assert Client().get("/api/v1/schema/").status_code == 200


def test_seats_are_never_taken_for_somebody_else() -> None:
    room = open_room()
    guest = consented(person("guest"), room)
    body = {"user": "host", "place": 7, "role": "host"}
    assert by_token(guest).post(at(room, "seat"), body, JSON).json() == {"place": 1}
    assert Seat.objects.get(room=room, place=1).user == guest


def test_who_may_come_in_over_the_api(api: Callable[[User], Client]) -> None:
    host, guest = person("host", creator=True), person("guest")
    opened = api(host).post("/api/v1/rooms/", {"title": "Tables", "entry_policy": "followers"}, JSON)
    slug = opened.json()["room"]["slug"]
    assert opened.json()["room"]["entry_policy"] == "followers"
    assert code(Client().get(at(slug)), 401) == "not_signed_in"
    for call in (api(guest).get, api(guest).delete):
        assert code(call(at(slug, "" if call.__name__ == "get" else "seat")), 403) == "not_allowed"
    assert code(api(guest).put(at(slug, "entry"), {"policy": "anyone"}, JSON), 403) == "not_allowed"
    listed: Callable[[Client], list[Any]] = lambda client: client.get("/api/v1/rooms/").json()["rooms"]  # noqa: E731
    assert [len(listed(client)) for client in (Client(), api(guest), api(host))] == [0, 0, 1]
    Follow.objects.create(follower=guest, followed=host)
    assert api(guest).get(at(slug)).status_code == 200 and len(listed(api(guest))) == 1
    assert code(api(guest).put(at(slug, "entry"), {"policy": "anyone"}, JSON), 403) == "not_host"
    assert code(api(host).put(at(slug, "entry"), {"policy": "friends"}, JSON), 400) == "bad_value"
    changed = api(host).put(at(slug, "entry"), {"policy": "anyone"}, JSON)
    assert changed.status_code == 200 and changed.json()["room"]["entry_policy"] == "anyone"
    assert Client().get(at(slug)).status_code == 200 and len(listed(Client())) == 1
