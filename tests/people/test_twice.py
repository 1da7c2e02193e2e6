"""Repeated requests of a person (double click, second tab, reload, back) act once, and the page says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client

from people.creators.actions import add_creators
from people.models import ApiToken, Creator, Sanction, User
from rooms.models import Room
from social.models import Follow
from tests.support.people import PASSWORD, person
from tests.support.staff import use_second_step
from tests.support.ways_in import confirm, entered, link_in, signed_in

pytestmark = pytest.mark.django_db
NEW = "another long enough password"


@dataclass(frozen=True)
class Act:
    """A form as a browser sends it: the page on which it stands, where it goes, its fields."""

    page: str
    to: str
    fields: dict[str, Any]


def words(answer: Any) -> str:
    """Return the text of a page."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", "", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def browser(user: User | None = None) -> Client:
    """One that has to send the mark against forged forms, as real ones have."""
    client = Client(enforce_csrf_checks=True)
    if user is not None:
        client.force_login(user)
    return client


def fields_of(client: Client, act: Act) -> dict[str, Any]:
    """The form's fields with what the page hid in it."""
    page = client.get(act.page).content.decode()
    hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|once)" value="([^"]+)"', page))
    return {**hidden, **act.fields}


def twice(client: Client, act: Act) -> list[Any]:
    """Send the same form twice, follow where each leads, and give both pages."""
    fields = fields_of(client, act)
    return [client.post(act.to, fields, follow=True) for _time in range(2)]


def anna(**facts: Any) -> User:
    return person("anna", **facts)


def host() -> User:
    user = person("host")
    add_creators([user], by=None)
    return user


def one_room() -> bool:
    return Room.objects.filter(status="live").count() == 1


ROOM = {"title": "Bread", "language": "en", "speak_policy": "everyone", "entry_policy": "anyone", "transcription": "on"}
SIGNED_IN: dict[str, tuple[Callable[[], User], Act, str, Callable[[], bool]]] = {
    "follow": (
        lambda: (person("bert"), anna())[1],
        Act("/people/bert/", "/people/bert/follow/", {}),
        "Unfollow",
        lambda: Follow.objects.count() == 1,
    ),
    "open a room": (host, Act("/rooms/open/", "/rooms/open/", ROOM), "Bread", one_room),
    "ask to host": (
        anna,
        Act("/creators/", "/creators/", {"plan": "Bread, each week."}),
        "You asked",
        lambda: Creator.objects.count() == 1,
    ),
    "settings": (
        anna,
        Act("/settings/", "/settings/", {"display_name": "Ann", "language": "en", "time_zone": "Etc/GMT-3"}),
        "Saved",
        lambda: User.objects.get(handle="anna").time_zone == "Etc/GMT-3",
    ),
    "change the password": (
        anna,
        Act(
            "/accounts/password/change/",
            "/accounts/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
        ),
        "Your password is changed",
        lambda: User.objects.get(handle="anna").check_password(NEW) and len(mail.outbox) == 1,
    ),
}


@pytest.mark.parametrize("name", SIGNED_IN)
def test_done_twice_it_is_done_once(name: str) -> None:
    who, act, said, right = SIGNED_IN[name]
    pages = twice(browser(who()), act)
    assert [page.status_code for page in pages] == [200, 200]
    for page in pages:
        assert said in words(page), words(page)
    assert right()


def test_signing_in_twice() -> None:
    """In the language of the account, too: it was another one before."""
    anna(language="nl")
    client = browser()
    act = Act("/accounts/login/?next=/settings/", "/accounts/login/?next=/settings/", {})
    fields = fields_of(client, Act(act.page, act.to, {"login": " @ANNA ", "password": PASSWORD}))
    first = client.post(act.to, fields)
    again = client.post(act.to, fields, follow=True)
    assert first["Location"] == "/settings/" and again.redirect_chain == [("/settings/", 302)]
    assert '<html lang="nl"' in again.content.decode() and "Instellingen" in words(again)


@pytest.mark.parametrize("login", ["@anna", " @Anna ", "ANNA\u00a0", "anna@example.org ", "@anna@example.org"])
def test_a_login_as_people_write_it(login: str) -> None:
    anna()
    right = not login.startswith("@anna@")  # that is neither a handle nor an address of hers
    assert (Client().post("/accounts/login/", {"login": login, "password": PASSWORD}).status_code == 302) is right


def test_a_zone_that_is_not_known_is_told() -> None:
    client = browser()
    client.cookies["tz"] = "Mars/Olympus<b>"
    page = twice(client, Act("/accounts/signup/", "/accounts/signup/", entered()))[0]
    assert "Your time zone, “Mars/Olympus&lt;b&gt;”, is not known here" in page.content.decode()
    client = browser()
    client.cookies["tz"] = "Etc/GMT-3"
    page = twice(client, Act("/accounts/signup/", "/accounts/signup/", entered(username="bert", email="b@x.org")))[0]
    assert "time zone" not in words(page) and User.objects.get(handle="bert").time_zone == "Etc/GMT-3"


def test_a_forged_form_leads_nowhere_else() -> None:
    client = browser(anna())
    for path in ("/accounts/login/?next=https://evil.example/", "/accounts/login/?next=//evil.example"):
        assert client.post(path, {"login": "x"})["Location"] == "/"
    assert client.post("/settings/", {"display_name": "Eve"}).status_code == 403


def test_signing_up_twice() -> None:
    client = browser()
    pages = twice(client, Act("/accounts/signup/", "/accounts/signup/", entered()))
    for page in pages:
        assert page.status_code == 200 and "Look in your mail" in words(page)
    assert User.objects.count() == len(mail.outbox) == 1
    other = twice(client, Act("/accounts/signup/", "/accounts/signup/", entered(password1="another password of hers")))
    assert all("Somebody has this handle already" in words(page) for page in other), "that is another sign-up"


def test_signing_up_again_in_a_browser_that_lost_the_first_answer() -> None:
    """Two clicks at once: the answer that the browser shows is the one to the second."""
    client = browser()
    act = Act("/accounts/signup/", "/accounts/signup/", entered())
    fields = fields_of(client, act)
    Client().post(act.to, entered())
    answer = client.post(act.to, fields, follow=True)
    assert "Look in your mail" in words(answer) and len(mail.outbox) == 1
    confirmed = client.post(link_in(mail.outbox[0]), fields, follow=True)
    assert signed_in(client), words(confirmed)
    assert EmailAddress.objects.get().verified


def test_confirming_an_address_twice() -> None:
    for client in (browser(), browser()):  # the one that signed up, and another one, which chooses a password first
        User.objects.all().delete()
        mail.outbox.clear()
        twice(first := browser(), Act("/accounts/signup/", "/accounts/signup/", entered()))
        link = link_in(mail.outbox[0])
        at = first if client is not None and not client.cookies else client
        pages = twice(at, Act(link, link, {}))
        assert all(page.status_code == 200 for page in pages)
        assert pages[0].request["PATH_INFO"] == pages[1].request["PATH_INFO"]
        client.cookies["seen"] = "yes"


def test_signing_out_twice() -> None:
    """The page after signing out is in the visitor's language, not in that of the account."""
    client = browser(anna(language="nl"))
    for page in twice(client, Act("/accounts/logout/", "/accounts/logout/", {})):
        assert page.status_code == 200 and "Sign in" in words(page)
    assert "/accounts/logout/" not in words(client.get("/"))


def test_making_a_token_twice_makes_one_and_shows_it_twice() -> None:
    client = Client()
    client.force_login(anna())
    confirm(client)
    act = Act("/settings/token/", "/settings/token/", {"name": "bot"})
    pages = twice(client, act)
    keys = [re.search(r"stf_[\w-]{43}", page.content.decode()) for page in pages]
    assert keys[0] and keys[1] and keys[0][0] == keys[1][0]
    token = ApiToken.objects.get()
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Token {keys[0][0]}"}).status_code == 200

    client.post(f"/settings/token/{token.pk}/end/")
    fields = fields_of(client, act)
    assert ApiToken.objects.count() == 0
    client.post(act.to, fields)
    ApiToken.objects.all().delete()
    assert client.post(act.to, fields).status_code == 409, "a token that was taken back does not come back"
    assert ApiToken.objects.count() == 0
    client.post(act.to, {"name": "bot", "once": "forged:mark"})
    assert ApiToken.objects.count() == 1, "a form without a mark of ours makes a token of its own"


def staff() -> Client:
    boss = person("boss", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    session = client.session
    use_second_step(session, boss)
    session.save()
    return client


def test_what_staff_do_twice() -> None:
    client, user = staff(), anna()
    place = f"/admin/people/user/{user.pk}/"
    for page in twice(client, Act(place, f"{place}act/sanction/", {"kind": "no_stage", "why": "noise"})):
        assert page.status_code == 200, words(page)
    assert Sanction.objects.count() == 1
    closed = twice(client, Act(place, f"{place}act/close/", {"why": "spam"}))
    assert "Done." in words(closed[0]) and "Done already" in words(closed[1])
    user.refresh_from_db()
    assert not user.is_active


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_open_one_room_and_lead_to_it() -> None:
    user = host()
    clients = [browser(user), browser(user)]
    act = Act("/rooms/open/", "/rooms/open/", ROOM)
    fields = [fields_of(client, act) for client in clients]

    def send(number: int) -> Any:
        try:
            return clients[number].post(act.to, fields[number])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(send, range(2)))
    room = Room.objects.get()
    assert [answer["Location"] for answer in answers] == [room.get_absolute_url()] * 2
