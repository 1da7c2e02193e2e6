"""How often one client may ask for pages; sound, static files and signs of life have no part in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.people import api_client, person

pytestmark = pytest.mark.django_db
THERE, HERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def _short(settings: Any) -> None:
    settings.PAGES_PER_ADDRESS = settings.PAGES_PER_PERSON = 3
    settings.HLS_PER_ADDRESS, settings.SIGNUPS_PER_ADDRESS = 5, 2


def codes(client: Client, path: str, count: int, **extra: str) -> list[int]:
    return [client.get(path, **extra).status_code for _number in range(count)]  # type: ignore[arg-type]


def test_an_address_has_its_pace_and_others_have_theirs(client: Client) -> None:
    assert codes(client, "/", 4, REMOTE_ADDR=THERE) == [200, 200, 200, 429]
    assert codes(client, "/", 1, REMOTE_ADDR=HERE) == [200]
    answer = client.get("/accounts/login/", REMOTE_ADDR=THERE)
    assert answer.status_code == 429 and 1 <= int(answer["Retry-After"]) <= 20
    assert "wait some minutes" in answer.text and "no-store" in answer["Cache-Control"]
    answer = client.get("/api/v1/rooms/", REMOTE_ADDR=THERE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_fast")
    for free in ("/healthz", "/static/nothing.css", "/pictures/nothing.webp"):
        assert client.get(free, REMOTE_ADDR=THERE).status_code in (200, 404)
    assert codes(client, "/r/nowhere/live.m3u8", 6, REMOTE_ADDR=THERE) == [404] * 5 + [429]
    assert codes(client, "/hls/x/y/z", 1, REMOTE_ADDR=THERE) == [429]


def test_who_is_signed_in_is_counted_wherever_they_are(client: Client) -> None:
    client.force_login(person("ada"))
    assert codes(client, "/", 2, REMOTE_ADDR=THERE) + codes(client, "/", 2, REMOTE_ADDR=HERE) == [200] * 3 + [429]
    assert codes(Client(), "/", 3, REMOTE_ADDR=THERE) == [200] * 3, "a person takes nothing from the address"


def test_behind_nginx_it_is_the_client_that_counts(client: Client, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    from_there = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": f"{HERE}, 2001:db8:1:2:3::1"}
    same_network = {**from_there, "HTTP_X_FORWARDED_FOR": "2001:db8:1:2:9::9"}
    assert codes(client, "/", 3, **from_there) + codes(client, "/", 1, **same_network) == [200] * 3 + [429]
    assert codes(client, "/", 1, **{**from_there, "HTTP_X_FORWARDED_FOR": "2001:db8:1:3::1"}) == [200]


def test_sign_ups_are_fewer(client: Client, settings: Any) -> None:
    settings.PAGES_PER_ADDRESS = 100
    answers = [client.post("/accounts/signup/", {"username": "x"}, REMOTE_ADDR=THERE) for _number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 600


def test_programs_of_one_person_share_a_pace_wherever_they_run(settings: Any) -> None:
    settings.PAGES_PER_PERSON = 3
    anna = person("anna")
    programs = [api_client(anna), api_client(anna)]
    answers = [programs[n % 2].get("/api/v1/me/", REMOTE_ADDR=f"127.0.0.{n + 2}").status_code for n in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert api_client(person("bert")).get("/api/v1/me/").status_code == 200
