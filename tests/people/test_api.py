"""/api/v1/: people. The same actions as the pages, refusals with codes."""

import pytest
from django.core.management import call_command
from django.test import Client

from people.creators.actions import add_creators
from people.models import User
from social.models import Follow
from tests.support.people import api_client as signed
from tests.support.people import person

pytestmark = pytest.mark.django_db


def test_the_own_account_is_read_and_changed() -> None:
    anna = person("anna")
    api = signed(anna)
    me = api.get("/api/v1/me/").json()
    assert (me["handle"], me["email"], me["may_host"]) == ("anna", "anna@example.org", False)
    answer = api.patch("/api/v1/me/", {"name": "Anna W", "time_zone": "Asia/Tokyo"}, "application/json")
    assert (answer.json()["name"], answer.json()["time_zone"]) == ("Anna W", "Asia/Tokyo")
    add_creators([anna], by=None)
    assert api.get("/api/v1/me/").json()["may_host"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"name": "x" * 61}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"about": "x" * 501}, "about"),
    ],
)
def test_wrong_values_are_named_and_change_nothing(change: dict[str, str], field: str) -> None:
    anna = person("anna")
    answer = signed(anna).patch("/api/v1/me/", change, "application/json")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], list(error["fields"])) == (400, "bad_value", [field])
    assert error["text"]
    anna.refresh_from_db()
    assert (anna.display_name, anna.language, anna.time_zone) == ("Anna", "en", "UTC")


def test_what_may_not_be_changed_is_left_alone() -> None:
    anna = person("anna")
    wanted = {"handle": "boss", "email": "x@example.org", "is_staff": True, "may_host": True}
    assert signed(anna).patch("/api/v1/me/", wanted, "application/json").status_code == 200
    anna.refresh_from_db()
    assert (anna.handle, anna.email, anna.is_staff) == ("anna", "anna@example.org", False)


def test_a_person_as_everybody_sees_them(client: Client) -> None:
    person("anna", about="Sings.")
    answer = client.get("/api/v1/people/ANNA/").json()
    assert (answer["handle"], answer["about"], answer["followers"], answer["live"]) == ("anna", "Sings.", 0, "")
    assert "email" not in answer and "example.org" not in str(answer)


def test_follow_and_unfollow() -> None:
    anna = person("anna")
    person("bert")
    api = signed(anna)
    for _twice in range(2):
        answer = api.post("/api/v1/people/bert/follow/").json()
        assert (answer["followers"], answer["followed_by_you"]) == (1, True)
    assert api.delete("/api/v1/people/bert/follow/").json()["followed_by_you"] is False
    assert not Follow.objects.exists()


def test_refusals_have_codes(client: Client) -> None:
    anna = person("anna")
    person("gone", is_active=False)
    api = signed(anna)
    cases = [
        (client.get("/api/v1/me/"), 401, "not_signed_in"),
        (client.post("/api/v1/people/anna/follow/"), 401, "not_signed_in"),
        (Client(headers={"authorization": "Token nonsense"}).get("/api/v1/me/"), 401, "not_signed_in"),
        (api.get("/api/v1/people/nobody/"), 404, "unknown_person"),
        (api.get("/api/v1/people/gone/"), 404, "unknown_person"),
        (api.post("/api/v1/people/anna/follow/"), 409, "not_oneself"),
        (api.put("/api/v1/me/", {}, "application/json"), 405, "not_available"),
        (api.patch("/api/v1/me/", "{not json", "application/json"), 400, "bad_value"),
        (api.patch("/api/v1/me/", "<x/>", "application/xml"), 415, "bad_format"),
        (api.post("/api/v1/creators/application/", {"plan": " "}, "application/json"), 400, "bad_value"),
        (api.post("/api/v1/creators/application/", {}, "application/json"), 400, "bad_value"),
    ]
    for number, (answer, status, code) in enumerate(cases):
        assert (number, answer.status_code, answer.json()["error"]["code"]) == (number, status, code)


def test_a_session_needs_the_page_s_token() -> None:
    anna = person("anna")
    person("bert")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(anna)
    assert browser.post("/api/v1/people/bert/follow/").status_code == 403
    assert not Follow.objects.exists()


def test_a_closed_account_s_token_is_worth_nothing() -> None:
    anna = person("anna")
    api = signed(anna)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    answer = api.get("/api/v1/me/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_closed")


def test_too_much_at_once_says_when_it_works_again() -> None:
    api = signed(person("anna"))
    person("bert")
    answers = (api.post("/api/v1/people/bert/follow/") for _number in range(600))
    answer = next(answer for answer in answers if answer.status_code == 429)
    assert answer.json()["error"]["code"] == "too_fast" and 1 <= int(answer["Retry-After"]) <= 3


def test_asking_to_host() -> None:
    api = signed(person("anna"))
    assert api.get("/api/v1/creators/application/").json()["state"] == "none"
    asked = api.post("/api/v1/creators/application/", {"plan": "Poems."}, "application/json").json()
    assert asked == {"state": "waiting", "plan": "Poems.", "number": 1, "of": 1}
    assert api.delete("/api/v1/creators/application/").json()["state"] == "none"
    add_creators([User.objects.get()], by=None)
    assert api.get("/api/v1/creators/application/").json()["state"] == "member"
    again = api.post("/api/v1/creators/application/", {"plan": "More."}, "application/json")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_a_creator")


def test_the_description_of_the_api_has_no_warnings(tmp_path: object) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", f"{tmp_path}/schema.yml")
