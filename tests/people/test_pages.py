"""Settings, rules, tokens; the reader's language and time zone on every page."""

from typing import Any

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from pytest_django.asserts import assertHTMLEqual

from people.creators.actions import add_creators
from people.hooks import LiveLink, live_links
from people.middleware import ReaderMiddleware
from people.models import COLOURS, User
from people.zones import ZoneSelect, is_zone, zone_choices, zone_names
from tests.support.people import person

pytestmark = pytest.mark.django_db


def settings_form(**changes: str) -> dict[str, str]:
    return {"display_name": "Anna", "about": "", "language": "en", "time_zone": "UTC", **changes}


def test_settings_are_saved_and_answered_in_the_new_language(client: Client) -> None:
    anna = person("anna")
    client.force_login(anna)
    answer = client.post(
        "/settings/", settings_form(display_name="Anna ♪", about="Sings.", language="nl", time_zone="Europe/Amsterdam")
    )
    assert answer.status_code == 302
    anna.refresh_from_db()
    assert (anna.display_name, anna.about) == ("Anna ♪", "Sings.")
    assert (anna.language, anna.time_zone) == ("nl", "Europe/Amsterdam")
    page = client.get("/settings/")
    assert '<html lang="nl"' in page.content.decode() and page["Content-Language"] == "nl"


@pytest.mark.parametrize(
    "changes",
    [
        {"display_name": ""},
        {"display_name": "x" * 61},
        {"display_name": "An\u200bna"},
        {"about": "y" * 501},
        {"language": "xx"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
    ],
)
def test_refused_settings_change_nothing_and_keep_what_was_typed(client: Client, changes: dict[str, str]) -> None:
    anna = person("anna")
    client.force_login(anna)
    before = User.objects.values().get()
    answer = client.post("/settings/", settings_form(**{"about": "Typed here.", **changes}))
    assert answer.status_code == 400
    after = User.objects.values().get()
    assert {**after, "last_login": None} == {**before, "last_login": None}
    assert changes.get("about", "Typed here.") in answer.content.decode()
    assert anna.display_name in answer.content.decode()


def test_staff_fields_cannot_be_slipped_in(client: Client) -> None:
    anna = person("anna")
    client.force_login(anna)
    client.post("/settings/", {**settings_form(), "is_staff": "on", "is_superuser": "on", "handle": "boss"})
    anna.refresh_from_db()
    assert (anna.handle, anna.is_staff, anna.is_superuser) == ("anna", False, False)


def read_by(request: HttpRequest) -> tuple[str, str]:
    """(language, time zone) as a view finds them."""
    seen: list[tuple[str, str]] = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append((translation.get_language() or "", timezone.get_current_timezone_name()))
        return HttpResponse()

    with translation.override("en"):
        ReaderMiddleware(view)(request)
    return seen[0]


def test_the_account_decides_and_the_cookie_helps_those_without_one(rf: RequestFactory) -> None:
    from django.contrib.auth.models import AnonymousUser

    def request(user: Any, **cookies: str) -> HttpRequest:
        made = rf.get("/")
        made.user = user
        made.COOKIES.update(cookies)
        return made

    anna = person(language="nl", time_zone="Asia/Tokyo")
    assert read_by(request(anna, sessionid="x", tz="Europe/Paris")) == ("nl", "Asia/Tokyo")
    assert read_by(request(AnonymousUser(), tz="Europe/Paris")) == ("en", "Europe/Paris")
    assert read_by(request(AnonymousUser(), tz="Mars/Olympus")) == ("en", "UTC")
    assert read_by(request(AnonymousUser())) == ("en", "UTC")
    anna.time_zone = "Gone/Away"  # as a later zone database may leave it
    assert read_by(request(anna, sessionid="x", tz="Europe/Paris")) == ("nl", "Europe/Paris")
    assert timezone.get_current_timezone_name() == "UTC"


def test_those_without_an_account_choose_their_language(client: Client) -> None:
    assert '<html lang="nl"' in client.get("/rules/", headers={"accept-language": "nl-BE,nl;q=0.9"}).content.decode()
    client.post("/i18n/setlang/", {"language": "nl", "next": "/rules/"})
    assert '<html lang="nl"' in client.get("/rules/", headers={"accept-language": "en"}).content.decode()


def test_time_zones_are_all_that_browsers_send() -> None:
    places = ["UTC", "Europe/Amsterdam", "America/Argentina/Ushuaia", "Asia/Calcutta", "Europe/Kiev"]
    others = ["Etc/GMT-3", "Etc/GMT+12", "Etc/UTC", "CET", "EST5EDT", "US/Pacific", "Japan"]
    assert all(map(is_zone, places + others))
    assert not any(map(is_zone, ["", "GMT+3", "../x", "Europe/Nowhere", "localtime", "Factory", "etc/gmt-3", "UTC "]))
    assert zone_choices()[0] == ("UTC", "UTC")
    listed = [name for _group, names in zone_choices()[1:] for name, _label in names]  # type: ignore[attr-defined]
    assert sorted(["UTC", *listed]) == sorted(zone_names()), "whatever zone an account has, its settings can be saved"


@pytest.mark.parametrize("chosen", ["Europe/Amsterdam", "UTC", "nowhere", None])
def test_the_select_of_zones_is_django_s_own(chosen: str | None) -> None:
    choices = [('"<this>', [("UTC", "<&>")]), *zone_choices()]
    ours, theirs = (
        kind(attrs={"required": True, "class": '"'}, choices=choices) for kind in (ZoneSelect, forms.Select)
    )
    assertHTMLEqual(*(select.render("time_zone", chosen, {"id": "zone"}) for select in (ours, theirs)))


def test_the_profile_shows_where_one_is_live(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = person("anna")
    monkeypatch.setattr(live_links, "_registered", {})
    live_links.register("test")(lambda user, _: LiveLink("/r/abc/", "Bread & <b>salt</b>") if user == anna else None)
    page = client.get("/people/anna/").content.decode()
    assert 'href="/r/abc/"' in page and "Bread &amp; &lt;b&gt;salt&lt;/b&gt;" in page
    person("bert")
    assert "live-now" not in client.get("/people/bert/").content.decode()


def test_a_profile_costs_the_same_however_many_follow(client: Client, django_assert_max_num_queries: Any) -> None:
    person("anna")
    with django_assert_max_num_queries(8):
        assert client.get("/people/anna/").status_code == 200


def test_generated_pictures_are_stable_and_legible() -> None:
    anna = User(handle="Anna", display_name="Anna de Wit")
    assert anna.initials == "AW" and User(handle="anna").colour == anna.colour in COLOURS
    assert User(handle="bo1", display_name="*** ♪").initials == "B"
    assert User(handle="bo1", display_name="Élodie").initials == "É"
    for colour in COLOURS:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        light = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        contrast = 1.05 / (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05)
        assert contrast >= 4.5, colour


def test_the_rules_are_there_for_everybody(client: Client) -> None:
    page = client.get("/rules/").content.decode()
    assert "30 days" in page and "90 days" in page and "16 or older" in page


def test_members_see_so_in_their_settings(client: Client) -> None:
    anna = person("anna")
    client.force_login(anna)
    assert "how to ask" in client.get("/settings/").content.decode()
    add_creators([anna], by=None)
    assert "You can open rooms" in client.get("/settings/").content.decode()
