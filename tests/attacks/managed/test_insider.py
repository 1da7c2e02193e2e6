"""Signed in by HTTP: copied cookies, old tokens, what belongs to others, and what a sanction should have ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from people.actions import standing
from people.actions.credentials import make_token
from people.models import ApiToken, Creator, Session, User
from people.sessions import stored_key
from rooms import actions
from rooms.models import Recording, Room
from rooms.recording.delivery import links
from tests.attacks.managed.attackers import Browser, host_of, socket_of, somebody
from tests.support.managed import Managed
from tests.support.people import PASSWORD, person
from tests.support.rooms import consented, open_room
from tests.support.waiting import wait_until

NEW = "another long walk"


def test_a_copied_cookie_and_a_token_end_with_the_password(site: Managed) -> None:
    user = somebody()
    owner, thief = Browser("127.0.0.50"), Browser("127.0.0.51")
    assert owner.sign_in(user.handle)
    thief.cookies = dict(owner.cookies)
    _row, token = make_token(user, "A program")
    assert thief.is_in() and by_token(token) == 200
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert owner.post("/accounts/password/change/", form).status == 302
    assert owner.is_in() and not thief.is_in()
    assert by_token(token) == 401
    copied = Browser("127.0.0.51")
    copied.cookies = dict(owner.cookies)
    assert owner.post("/accounts/logout/").status == 302
    assert not copied.is_in(), "a cookie of before signing out"


def by_token(token: str, path: str = "/api/v1/me/") -> int:
    return Browser("127.0.0.52").get(path, Authorization=f"Token {token}").status


def test_a_cookie_that_was_planted_is_not_the_one_that_signs_in(site: Managed) -> None:
    """Somebody gives a browser a session of theirs, waits for its owner to sign in, and comes by it."""
    user, attacker, victim = somebody(), Browser("127.0.0.53"), Browser("127.0.0.54")
    attacker.get("/accounts/login/?next=/dashboard/")
    attacker.post("/accounts/signup/", {"username": "x"})
    planted = attacker.cookies.get("sessionid", "planted" * 5)
    victim.cookies["sessionid"] = planted
    assert victim.sign_in(user.handle)
    assert victim.cookies["sessionid"] != planted
    attacker.cookies["sessionid"] = planted
    assert not attacker.is_in()


def test_what_is_of_others_is_not_ended_by_counting(site: Managed) -> None:
    victim, attacker = somebody(), Browser("127.0.0.55", somebody())
    own = Browser("127.0.0.56", victim)
    _row, token = make_token(victim, "A program")
    session = Session.objects.get(session_key=stored_key(own.cookies["sessionid"]))
    pk = ApiToken.objects.get(user=victim).pk
    for path in (
        *(f"/settings/token/{pk + step}/end/" for step in (-1, 0, 1)),
        *(f"/settings/sessions/{key}/end/" for key in (session.session_key, session.ident, victim.pk, "others")),
    ):
        assert attacker.post(path, page="/settings/sessions/").status in (302, 404), path
    assert own.is_in() and by_token(token) == 200
    text = attacker.get("/settings/sessions/").text
    assert session.session_key not in text and token[:8] not in text


def test_a_muted_seat_and_an_empty_microphone_open_nothing_afterwards(site: Managed) -> None:
    """44 ms on a seat; a microphone that was opened and brought nothing; and the host's own links given away."""
    room = open_room(host_of(), title="Overheard")
    muted, empty = (consented(somebody(), room) for _number in range(2))
    wait_until(lambda: Browser().get(f"/r/{room.slug}/live.m3u8").status == 200, what="live sound")
    for user in (muted, empty):
        actions.take_seat(room.pk, user)
    actions.set_muted(room.pk, empty, False, by=empty)
    for user in (muted, empty):
        actions.leave_seat(room.pk, user)
    actions.end_room(room.pk, room.host)
    assert replays(room, muted) == replays(room, None) == {404}, "while it is being made"
    wait_until(lambda: Recording.objects.filter(room=room, state=Recording.State.READY).exists(), 90, "the recording")
    for reader in (muted, empty, somebody(), None):
        assert replays(room, reader) == {404}, reader
    host = Browser("127.0.0.57", room.host)
    assert host.get(f"/api/v1/rooms/{room.slug}/replay/").status == 200
    for reader in (muted, empty, None):
        link = links.address(room.pk, "mix", reader, "mix.m4a")
        assert host.get(link).status == 404, "a link is its own person's, whoever uses it"
    given = links.address(room.pk, "mix", room.host, "mix.m4a")
    assert Browser("127.0.0.58").get(given).status == 200
    standing.close_account(room.host, None, "asked for it")
    assert Browser("127.0.0.58").get(given).status == 404, "the link outlives the account"


def replays(room: Room, user: User | None) -> set[int]:
    """How every way to what was kept is answered."""
    browser = Browser("127.0.0.59", user)
    own = f"/api/v1/rooms/{room.slug}"
    paths = ["replay/", "transcript/", "transcript/cues/", "transcript/files/vtt/", "transcript/files/json/"]
    found = {browser.get(f"{own}/{path}").status for path in paths}
    return found - {401} | {browser.get(links.address(room.pk, "mix", user, "mix.m4a")).status}


def test_a_suspended_account_finds_no_way_round(site: Managed, room: Room) -> None:
    user = consented(somebody(), room)
    Creator.objects.create(user=user, added_at=user.date_joined)
    _row, token = make_token(user, "A program")
    browser = Browser("127.0.0.80", user)
    assert browser.is_in()
    standing.impose_sanction(user, "suspended", None, "shouting")
    for path in ("/", "/dashboard/", f"/r/{room.slug}/", f"/people/{room.host.handle}/", "/settings/", "/rooms/open/"):
        assert browser.get(path).status == 403, path
    for path in ("//settings/", "/static/../settings/", "/pictures/../settings/", "/healthz/../settings/"):
        assert browser.get(path).status in (301, 400, 403, 404), path
    for method, path in (("POST", "/rooms/"), ("POST", f"/rooms/{room.slug}/seat/"), ("GET", "/me/"), ("GET", "/ice/")):
        assert browser.api(method, path, {"title": "x"}).status == 403
        answer = Browser("127.0.0.81").api(method, path, {"title": "x"}, Authorization=f"Token {token}")
        assert (answer.status, answer.code) == (403, "account_suspended"), path
    assert browser.get(f"/r/{room.slug}/live.m3u8").status == 403
    again = Browser("127.0.0.82")
    again.sign_in(user.handle)
    assert again.get("/settings/").status == 403
    with socket_of(room, again) as socket:
        assert socket.closed() == 4403 and socket.refusal() == "account_suspended"
    assert not Room.objects.filter(host=user).exists()


def test_suspended_staff_work_no_more(site: Managed) -> None:
    """A moderator with a second step of a moment ago."""
    boss = person("boss", is_staff=True, is_superuser=True)
    browser = Browser("127.0.0.83", boss)
    assert browser.get("/admin/people/user/").status == 200
    standing.impose_sanction(boss, "suspended", None, "shouting")
    for path in ("/admin/", "/admin/people/user/", "/retention/", "/api/v1/retention/"):
        assert browser.get(path).status in (403, 404), path


@pytest.mark.parametrize("kind", ["no_hosting", "no_stage"])
def test_hosting_that_was_taken_away(site: Managed, kind: str) -> None:
    host = somebody("host")
    Creator.objects.create(user=host, added_at=host.date_joined)
    _row, token = make_token(host, "A program")
    standing.impose_sanction(host, kind, None, "shouting")
    browser = Browser("127.0.0.84", host)
    browser.post("/rooms/open/", {"title": "x", "language": "en", "speak_policy": "everyone", "entry_policy": "anyone"})
    assert browser.api("POST", "/rooms/", {"title": "x"}).code == kind
    assert Browser("127.0.0.84").api("POST", "/rooms/", {"title": "x"}, Authorization=f"Token {token}").code == kind
    browser.post("/rooms/demo/", page="/")
    assert not Room.objects.filter(host=host).exists()


def test_what_is_counted_cannot_be_raced(site: Managed) -> None:
    """One live room, and so many tokens, however many requests come at once."""
    host = somebody("host")
    Creator.objects.create(user=host, added_at=host.date_joined)
    browser = Browser("127.0.0.85", host)
    browser.get("/settings/")
    browser.cookies["csrftoken"] = "k" * 32
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _n: browser.api("POST", "/rooms/", {"title": "x"}).status, range(6)))
    assert answers.count(201) == 1 and Room.objects.filter(host=host, status="live").count() == 1, answers


def test_names_and_titles_are_never_code(site: Managed) -> None:
    """Titles in pages, in the snapshot that a page holds as JSON, and in headers."""
    nasty = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    room = open_room(host_of(), title=nasty, topic=nasty)
    for path in ("/", f"/r/{room.slug}/", "/dashboard/"):
        answer = Browser("127.0.0.86", room.host).get(path)
        assert answer.status == 200 and "<script>alert" not in answer.text and "<img src=x" not in answer.text, path
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy and "script-src 'self' 'nonce-" in policy
    assert settings.SESSION_COOKIE_HTTPONLY
