"""A signed-out stranger by HTTP: doors of development, mails, the admin, addresses that can be counted or made up."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core import signing
from django.test import override_settings

from deploy.local.throwaway import Throwaway
from people import demo
from people.models import User
from rooms import actions
from rooms.models import Recording, Room
from rooms.recording.delivery import links
from tests.attacks.managed.attackers import Browser, Socket, host_of, socket_of, somebody
from tests.support.managed import Managed
from tests.support.people import PASSWORD
from tests.support.rooms import open_room
from tests.support.waiting import wait_until

PAGES = ("/dev/", "/dev/mail/", "/dev/mail/x.log:0/", "/dev//", "//dev/", "/dev/./", "/DEV/", "/%64ev/", "/dev/?x=1")


@pytest.fixture(scope="module")
def demo_people(site: Managed, services: Throwaway) -> None:
    """The accounts that script/server makes, and staff's codes."""
    with override_settings(DEV_KEY=services.instance.keys["DEV_KEY"]):
        demo.ensure_people()  # without the demo's rooms, which take longer than most attacks


def test_no_development_door_opens(site: Managed, services: Throwaway, demo_people: None) -> None:
    """The critical fault: a reset was asked for the admin, and its link read at /dev/mail/."""
    key = services.instance.keys["DEV_KEY"]
    stranger = Browser()
    assert stranger.post("/accounts/password/reset/", {"email": "sanne@stamtafel.example"}).status == 302
    for page in PAGES:
        for query in ("", "?key=", "?key=true", f"?key={key[:-1]}", f"?key={key}x", "?key=%00", "?key[]=" + key):
            for method in ("GET", "POST", "HEAD", "OPTIONS"):
                answer = stranger.send(method, page + query if "?" not in page else page)
                assert answer.status in (301, 400, 403, 404, 405), (method, page, query)
                assert "development" not in stranger.cookies and demo.password() not in answer.text
    for value in (key, "in", signing.TimestampSigner(salt="config.development").sign("in")):
        stranger.cookies["development"] = value
        assert {stranger.get(page).status for page in PAGES} <= {301, 404}, "the cookie is not the key"
    for path in (
        "/nowhere/",
        "/r/nowhere/",
        "/__debug__/",
        "/silk/",
        "/static/../.local/env",
        "/static/%2e%2e/manage.py",
    ):
        answer = stranger.get(path)
        assert answer.status in (400, 404) and "urlpatterns" not in answer.text and "Traceback" not in answer.text, path
    opened = stranger.get(f"/dev/?key={key}", Sec_Fetch_Site="cross-site")
    assert opened.status == 404, "led there by the page of another site"


def test_readyz_tells_states_alone(site: Managed) -> None:
    for headers in ({}, {"X_Readyz_Key": ""}, {"X_Readyz_Key": "x" * 40}, {"X_Readyz_Key": settings.READYZ_KEY[:-1]}):
        parts = json.loads(Browser().get("/readyz", **headers).text)["parts"]
        assert parts and all(set(part) == {"state"} for part in parts.values()), headers


FORGED = (
    {"Host": "localhost:6666"},
    {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "https", "X_Forwarded_Port": "6666"},
    {
        "Forwarded": "host=evil.example;proto=https",
        "X_Original_URL": "//evil.example/",
        "X_Rewrite_URL": "//evil.example",
    },
)


def test_mails_lead_to_this_site_alone(site: Managed, demo_people: None) -> None:
    for headers in FORGED:
        text = mail_after(headers)
        assert set(re.findall(r"https?://[^/\s\"]+", text)) == {settings.SITE_URL}, headers
        assert "evil" not in text and ":6666" not in text
    before = mails()
    for host in ("evil.example", "localhost@evil.example", "localhost:1@evil.example", "evil.example#localhost", ""):
        status = Browser().send("GET", "/accounts/password/reset/", Host=host).status
        assert status == 400, host
    # A name that only some rules of case make the same is another mailbox; a domain is the same where IDNA says so, and
    # then the mail goes to the address that the account has.
    # (Another account than above: mails to one address are limited.)
    for email in ("ai\u017fha@stamtafel.example", "aisha@\u017ftamtafel.example", "AISHA@STAMTAFEL.EXAMPLE\u0130"):
        Browser().post("/accounts/password/reset/", {"email": email})
    sent = wait_until(lambda: len(mails() - before) >= 2 and mails() - before, what="the mails of all three")
    resets = [text for text in sent if "/accounts/password/reset/key/" in text]
    assert [re.findall(r"^To: (.*)$", text, re.M) for text in resets] == [["aisha@stamtafel.example"]]


def mail_after(headers: dict[str, str]) -> str:
    """The mail that a reset asked for with these headers sends to the admin."""
    before = mails()
    Browser().post("/accounts/password/reset/", {"email": "sanne@stamtafel.example"}, **headers)
    (text,) = wait_until(lambda: mails() - before, what="a mail")
    return str(text)


def mails() -> set[str]:
    """All that was sent so far."""
    return {path.read_text() for path in Path(settings.MAIL_FOLDER).glob("*")}


def test_the_admin_s_password_alone_opens_nothing(site: Managed, demo_people: None) -> None:
    thief = Browser()
    answer = thief.post("/accounts/login/", {"login": "sanne", "password": demo.password()})
    assert answer.where == "/accounts/2fa/authenticate/"
    assert not thief.is_in()
    for path in ("/admin/", "/admin/people/user/", "/staff/second-step/", "/settings/", "/accounts/2fa/"):
        answer = thief.get(path)
        assert answer.status == 302 and "login" in answer.where, path
    for code in ("000000", "123456", "", "111111", "\u0660" * 6):
        thief.post("/accounts/2fa/authenticate/", {"code": code})
    assert not thief.is_in()


def test_a_code_works_once(site: Managed, demo_people: None, services: Throwaway) -> None:
    """Read over a shoulder, and typed by somebody else who has the password too, in the same half minute."""
    browsers = [Browser(f"127.0.0.{number}") for number in (20, 21, 22, 23)]
    for browser in browsers:
        browser.post("/accounts/login/", {"login": "ruben", "password": demo.password()})

    def try_code(browser: Browser) -> bool:
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        return browser.is_in()

    got_in: list[bool] = []
    while not any(got_in) and len(got_in) < 3 * len(browsers):  # a half minute may end in between
        with override_settings(DEV_KEY=services.instance.keys["DEV_KEY"]):
            code = next(shown.code for shown in demo.shown_accounts() if shown.account.handle == "ruben")
        with ThreadPoolExecutor(4) as pool:
            got_in += pool.map(try_code, browsers)
    assert got_in.count(True) == 1, got_in


ELSEWHERE = (
    *("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
    *("http:evil.example", "\t//evil.example", "http://localhost:6666/", "///evil.example", "/\t/evil.example"),
)


def test_nobody_is_led_elsewhere(site: Managed) -> None:
    user, browser = somebody(), Browser("127.0.0.30")
    for wanted in ELSEWHERE:
        browser.cookies.clear()
        form = {"login": user.handle, "password": PASSWORD, "next": wanted}
        for path, values in (("/accounts/login/", form), ("/accounts/logout/", {"next": wanted})):
            where = browser.post(path, values).where
            assert stays(where), (path, where, wanted)
        where = browser.post("/i18n/setlang/", {"language": "nl", "next": wanted}, page="/accounts/login/").where
        assert stays(where.removeprefix(settings.SITE_URL)), (where, wanted)


def stays(where: str) -> bool:
    """Whether a browser stays on this site."""
    return where.startswith("/") and not where.startswith(("//", "/\\"))


def test_what_is_signed_for_one_thing_opens_no_other(site: Managed, room: Room) -> None:
    """Files, tickets and cookies made up from one another."""
    signed_out = Browser()
    signed_out.get(f"/r/{room.slug}/")
    claim = f"{room.pk}.mix.everybody.0.99999999999"
    right = signing.Signer(salt="rooms.recording.delivery.links").sign(claim)
    assert links.parse_token(right) is not None
    tokens = [
        signed_out.cookies["stamtafel_listener"],
        claim,
        f"{claim}:",
        signing.Signer().sign(claim),
        signing.Signer(salt="rooms.listener").sign(claim),
        signing.TimestampSigner(salt="rooms.recording.delivery.links").sign(claim),
        right.replace(f"{room.pk}.mix", f"{room.pk + 1}.mix"),
        right.replace(".mix.", ".all-" + "0" * 32 + "."),
        right.replace("everybody", str(room.host_id)),
        right.replace("99999999999", "99999999998"),
    ]
    for token in tokens:
        assert signed_out.get(f"/files/{token}/mix.m4a").status == 404, token
    assert signed_out.get(f"/files/{right}/mix.m4a").status == 404, "a right one of a room that is not over"
    epoch = room.epoch.hex
    for mark in ("0" * 32, signing.Signer().sign(epoch)[-32:], "x", ""):
        assert signed_out.get(f"/hls/{room.pk}-{epoch}/{mark}/0-0.m4s").status == 404


def test_live_pieces_end_with_a_tighter_policy_and_with_the_room(site: Managed, room: Room) -> None:
    stranger = Browser()
    listed = wait_until(lambda: pieces_of(stranger, room), what="live sound")
    assert stranger.get(listed[-1]).status == 200
    number = re.compile(r"(\d+)-(\d+)\.m4s$")
    run, last = map(int, number.search(listed[-1]).groups())  # type: ignore[union-attr]
    for other in (last + 1, last + 2, max(0, last - 1), 0):
        if (path := number.sub(f"{run}-{other}.m4s", listed[-1])) not in listed:
            assert stranger.get(path).status == 404, "counted to from another"
    actions.set_entry_policy(room.pk, room.host, "signed_in")
    wait_until(lambda: {stranger.get(path).status for path in listed} == {404}, what="the end of old addresses")
    assert stranger.get(f"/r/{room.slug}/live.m3u8").status in (401, 403)
    insider = Browser("127.0.0.4", somebody())
    listed = wait_until(lambda: pieces_of(insider, room), what="live sound")
    actions.end_room(room.pk, room.host)
    wait_until(lambda: {insider.get(path).status for path in listed} == {404}, what="the end of all addresses")
    assert insider.get(f"/r/{room.slug}/live.m3u8").status >= 400


def pieces_of(browser: Browser, room: Room) -> list[str]:
    """The addresses in the live list, as somebody gets it."""
    text = browser.get(f"/r/{room.slug}/live.m3u8").text
    return [line for line in text.splitlines() if line.startswith("/hls/")]


def test_a_room_is_not_found_by_counting(site: Managed) -> None:
    """Slugs have no order, and rooms that do not admit everybody tell a stranger nothing but that."""
    room = open_room(host_of(), title="A secret title", topic="A secret topic", entry_policy="invited")
    for path in (f"/r/{room.pk}/", f"/r/{room.pk + 1}/", "/r/1/", f"/api/v1/rooms/{room.pk}/", f"/r/{room.slug[:-1]}/"):
        assert Browser().get(path).status == 404, path
    for browser in (Browser(), Browser("127.0.0.5", somebody())):
        for path in (
            f"/r/{room.slug}/",
            f"/api/v1/rooms/{room.slug}/",
            f"/r/{room.slug}/live.m3u8",
            "/",
            "/api/v1/rooms/",
        ):
            text = browser.get(path).text
            assert "secret title" not in text and "secret topic" not in text, path
        with socket_of(room, browser) as socket:
            assert_told_nothing(socket)


def assert_told_nothing(socket: Socket) -> None:
    """A socket that was turned away."""
    assert socket.closed() == 4403
    assert "secret" not in json.dumps(socket.seen)


def test_guessers_behind_many_made_up_addresses(site: Managed) -> None:
    """A header that claims to come from elsewhere buys no tries; its owner comes in from another address.

    More tries than an address has at an account, and fewer than all addresses have at it: beyond that the right
    password would come too late anyway.
    """
    owner: User = somebody("owner")
    guesser = Browser("127.0.0.40")
    page = guesser.get("/accounts/login/")
    assert page.status == 200
    tries = 4 * settings.SIGN_IN_TRIES
    assert tries < settings.SIGN_IN_TRIES_ACCOUNT
    for number in range(tries):
        claimed = f"198.51.100.{number}"
        guesser.post(
            "/accounts/login/",
            {"login": owner.handle if number % 2 else owner.email, "password": f"wrong {number}"},
            X_Forwarded_For=claimed,
            X_Real_IP=claimed,
            Forwarded=f"for={claimed}",
        )
    assert not guesser.sign_in(owner.handle, X_Forwarded_For="203.0.113.9"), "the right one comes too late"
    assert Browser("127.0.0.41").sign_in(owner.handle)
    assert Browser("127.0.0.42").sign_in("@" + owner.handle)


def test_methods_and_types_that_are_not_offered(site: Managed, room: Room) -> None:
    """A form of another site cannot speak to the API, nor a program to a page without its token."""
    user = somebody()
    victim = Browser(user=user)
    seq = Room.objects.get(pk=room.pk).seq
    for path in (f"/api/v1/rooms/{room.slug}/seat/", f"/api/v1/rooms/{room.slug}/consent/", "/api/v1/rooms/"):
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
            "",
            "text/json",
        ):
            for headers in ({}, {"X_CSRFToken": "k" * 32}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
                answer = victim.send("POST", path, '{"title":"x"}', Content_Type=kind, **headers)
                assert answer.status in (400, 403, 415), (path, kind, headers, answer.status)
    for path in (f"/people/{room.host.handle}/follow/", "/settings/", f"/r/{room.slug}/entry/", "/accounts/logout/"):
        answer = victim.send("POST", path, "x=1", Content_Type="application/x-www-form-urlencoded")
        assert answer.status == 403, path
    for method in ("TRACE", "CONNECT", "PUT", "DELETE", "PROPFIND"):
        answer = victim.send(method, f"/r/{room.slug}/", X_HTTP_Method_Override="POST")
        assert answer.status in (400, 403, 404, 405, 501), method
        assert victim.cookies["sessionid"] not in answer.text, "a cookie comes back"
    assert victim.is_in() and Room.objects.get(pk=room.pk).seq == seq
    assert not Recording.objects.filter(room__host=user).exists()
