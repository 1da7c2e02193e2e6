"""One rule at every way in: forms, API, admin, actions and commands keep the same text and refuse the same one."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from core.refusals import Refused
from core.text import count
from people.actions.account import update_profile
from people.actions.credentials import make_token
from people.actions.standing import close_account, impose_sanction
from people.creators.actions import add_wave, ask_for_creator
from people.models import ApiToken, Creator, Sanction, User
from people.refusals import PeopleRefused
from rooms.actions import open_room
from rooms.models import Room
from tests.support.people import api_client, person
from tests.support.staff import sign_in_staff
from tests.support.ways_in import entered

pytestmark = pytest.mark.django_db
UNSEEN, TURNED = "\u3164", "An\u202ena"
BAD = pytest.mark.parametrize("bad", [UNSEEN, TURNED, "Z" + "\u0301" * 9])
LINES = "ab\r\n" * 166 + "ab"  # 500 characters as people count them


def host(handle: str = "host") -> User:
    user = person(handle)
    Creator.objects.create(user=user, added_at=user.date_joined)
    return user


def staff() -> Client:
    return sign_in_staff(Client(), person("boss", is_staff=True, is_superuser=True))


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@BAD
def test_a_name_and_a_page_text(bad: str) -> None:
    anna = person("anna")
    form = {"display_name": bad, "about": bad, "language": "en", "time_zone": "UTC"}
    page = browser(anna).post("/settings/", form)
    assert page.status_code == 400 and page.content.count(b'class="wrong" id=') == 2
    answer = api_client(anna).patch("/api/v1/me/", {"name": bad, "about": bad}, "application/json")
    assert answer.status_code == 400 and set(answer.json()["error"]["fields"]) == {"name", "about"}
    sentence = answer.json()["error"]["fields"]["name"]
    assert "place" in sentence and "U+" in sentence and "place" in page.content.decode()
    with pytest.raises(ValidationError):
        update_profile(anna, display_name=bad)
    with pytest.raises(ValidationError):
        User.objects.create_user("new", "new@example.org", display_name=bad)
    assert Client().post("/accounts/signup/", entered(display_name=bad)).status_code == 200
    boss = staff()
    path = f"/admin/people/user/{anna.pk}/change/"
    fields = {"handle": "anna", "display_name": bad, "about": "x", "language": "en", "time_zone": "UTC", "email": ""}
    assert b"errornote" in boss.post(path, fields).content
    anna.refresh_from_db()
    assert (anna.display_name, anna.about, User.objects.filter(handle__in=["new", "Anna-de-Wit"]).count()) == (
        "Anna",
        "",
        0,
    )


@BAD
def test_a_title_and_a_topic(bad: str) -> None:
    me = host()
    form = {"title": bad, "topic": bad, "language": "en", "speak_policy": "everyone", "entry_policy": "anyone"}
    page = browser(me).post("/rooms/open/", form)
    assert page.content.count(b'class="wrong" id=') == 2
    answer = api_client(me).post("/api/v1/rooms/", {"title": bad, "topic": bad}, "application/json")
    assert answer.status_code == 400 and set(answer.json()["error"]["fields"]) == {"title", "topic"}
    with pytest.raises(Refused) as refused:
        open_room(me, title=bad, topic=bad)
    assert refused.value.code == "bad_value" and set(refused.value.fields) == {"title", "topic"}
    assert not Room.objects.exists()


@BAD
def test_plans_waves_labels_and_reasons(bad: str) -> None:
    anna = person("anna")
    assert browser(anna).post("/creators/", {"plan": bad}).status_code == 400
    answer = api_client(anna).post("/api/v1/creators/application/", {"plan": bad}, "application/json")
    assert answer.status_code == 400
    for act in (
        lambda: ask_for_creator(anna, bad),
        lambda: add_wave(1, bad, None),
        lambda: make_token(anna, bad),
        lambda: close_account(anna, None, bad),
        lambda: impose_sanction(anna, "warning", None, bad),
    ):
        with pytest.raises(PeopleRefused) as refused:
            act()
        assert refused.value.code == "bad_value" and "U+" in str(refused.value.fields)
    with pytest.raises(CommandError, match=r"U\+"):
        call_command("account", "close", "anna", "--why", bad, stdout=StringIO())
    anna.refresh_from_db()
    assert anna.is_active and not Sanction.objects.exists() and not Creator.objects.exists()
    assert ApiToken.objects.filter(user=anna).count() == 1, "the test's own"


def test_what_is_kept_is_the_same_by_every_way() -> None:
    typed, kept = "  Zoe\u0308\t\u00ad de\u2003Wit\r\n", "Zoë de Wit"
    anna = person("anna")
    api_client(anna).patch("/api/v1/me/", {"name": typed}, "application/json")
    assert User.objects.get(handle="anna").display_name == kept
    form = {"display_name": typed + "2", "about": typed, "language": "en", "time_zone": "UTC"}
    assert browser(anna).post("/settings/", form).status_code == 302
    assert User.objects.values_list("display_name", "about").get(handle="anna") == (f"{kept} 2", "Zoë de Wit")
    me = host()
    assert open_room(me, title=typed, topic="One.\r\nTwo.").title == kept
    assert Room.objects.get().topic == "One.\nTwo."


def test_enter_in_about_you_and_five_hundred_characters_of_lines() -> None:
    anna = person("anna")
    form = {"display_name": "Anna", "about": LINES, "language": "en", "time_zone": "UTC"}
    page = browser(anna).post("/settings/", form)
    assert page.status_code == 302, page.content.decode()
    anna.refresh_from_db()
    assert (count(anna.about), anna.about) == (500, LINES.replace("\r\n", "\n"))
    assert api_client(anna).patch("/api/v1/me/", {"about": LINES}, "application/json").status_code == 200
    for more in (LINES + "!", LINES.replace("\r\n", "\n") + "!"):
        assert browser(anna).post("/settings/", {**form, "about": more}).status_code == 400
        answer = api_client(anna).patch("/api/v1/me/", {"about": more}, "application/json")
        assert answer.json()["error"]["fields"] == {"about": "At most 500 characters; this has 501."}
    couples = "\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3ff" * 500
    assert browser(anna).post("/settings/", {**form, "about": couples}).status_code == 302
    browser(anna).post("/creators/", {"plan": LINES})
    assert count(Creator.objects.get(user=anna).plan) == 500


def test_a_name_of_before_stays_readable_and_keeps_nobody_out() -> None:
    """Nothing is refused by having been there: the account works, its page opens, other values can be changed."""
    anna = person("anna")
    User.objects.filter(pk=anna.pk).update(display_name=f"{UNSEEN}\u202e\U000e0041")
    anna.refresh_from_db()
    anna.save()
    assert update_profile(anna, language="nl").language == "nl"
    for path in ("/", "/settings/", "/people/anna/", "/api/v1/me/", "/api/v1/people/anna/"):
        assert browser(anna).get(path).status_code == 200
    assert staff().get(f"/admin/people/user/{anna.pk}/change/").status_code == 200


def test_the_database_keeps_no_empty_name_and_none_that_is_too_long() -> None:
    anna = person("anna")
    with pytest.raises(IntegrityError, match="user_has_a_name"), transaction.atomic():
        User.objects.filter(pk=anna.pk).update(display_name="")
    assert User._meta.get_field("display_name").max_length == 600


def test_lists_of_the_admin_keep_the_lines_of_a_page_text() -> None:
    anna = person("anna", about="One.\nTwo.")
    page: Any = staff().get(f"/admin/people/user/{anna.pk}/change/").content.decode()
    assert ">\nOne.\nTwo.</textarea>" in page


def test_the_search_of_the_admin_finds_what_is_typed_in_another_form() -> None:
    person("zoe", display_name="Zoë de Wit")
    boss = staff()
    for typed in ("Zoë", "Zoe\u0308", " Zoe\u0308\u200b ", "\u202eZoë"):
        assert b">zoe</a>" in boss.get("/admin/people/user/", {"q": typed}).content
    assert b">zoe</a>" not in boss.get("/admin/people/user/", {"q": "Zoa"}).content
