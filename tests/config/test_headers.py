"""Headers of every kind of response: pages, refusals, failures, the admin, the API, files."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config.headers import ASKED_AGAIN, NOT_KEPT, PERMISSIONS_POLICY
from config.urls import urlpatterns as ours
from tests.support.people import person
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


urlpatterns = [path("fails/", fails), *ours]


@pytest.mark.urls(__name__)
def test_every_response_says_what_our_pages_may_use(client: Client) -> None:
    room = open_room()
    client.raise_request_exception = False
    expected = {
        "/": 200,
        f"/r/{room.slug}/": 200,
        "/r/nosuchroom/": 404,
        "/nowhere": 404,
        "/fails/": 500,
        "/settings/": 302,
        "/admin/": 302,
        "/admin/login/": 302,
        "/accounts/login/": 200,
        "/api/v1/me/": 401,
        "/api/v1/schema/": 200,
        "/healthz": 200,
        f"/r/{room.slug}/live.m3u8": 503,
        "/pictures/people/" + "0" * 32 + ".webp": 404,
    }
    for address, status in expected.items():
        answer = client.get(address)
        assert answer.status_code == status, address
        check(answer, address)
    check(client.post("/accounts/login/", {}), "a refused form")
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/accounts/login/", {})
    assert refused.status_code == 403
    check(refused, "a form without its token")
    elsewhere = client.get("/", headers={"Host": "evil.example"})
    assert elsewhere.status_code == 400
    check(elsewhere, "another host")


def check(answer: Any, what: str) -> None:
    assert answer["Permissions-Policy"] == PERMISSIONS_POLICY, what
    assert "microphone=(self)" in PERMISSIONS_POLICY and "camera=()" in PERMISSIONS_POLICY
    assert answer["X-Content-Type-Options"] == "nosniff", what
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin", what
    assert answer["Referrer-Policy"], what
    assert answer["Cache-Control"], what


def test_what_depends_on_who_reads_it_is_kept_nowhere(client: Client) -> None:
    room = open_room()
    assert client.get("/")["Cache-Control"] == client.get("/rules/")["Cache-Control"] == ASKED_AGAIN
    for address in ("/api/v1/me/", "/api/v1/live/", "/admin/login/", "/accounts/login/", "/accounts/signup/"):
        assert "no-store" in client.get(address)["Cache-Control"], address
    client.force_login(person("anna", is_staff=True, is_superuser=True))
    for address in ("/", "/rules/", "/settings/", "/people/anna/", f"/r/{room.slug}/", "/admin/", "/api/v1/me/"):
        assert "no-store" in client.get(address)["Cache-Control"], address
        assert "private" in client.get(address)["Cache-Control"], address
    assert client.get("/settings/")["Cache-Control"] == NOT_KEPT


def said(**env: str) -> str:
    """The HSTS header's age as a fresh process with these settings has it."""
    words = "from django.conf import settings; print(settings.SECURE_HSTS_SECONDS)"
    clean = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **env}
    done = subprocess.run([sys.executable, "-c", words], env=clean, text=True, capture_output=True, check=False)
    return done.stdout.strip() or done.stderr


def test_only_a_name_of_its_own_is_pinned_to_https() -> None:
    year = str(365 * 24 * 3600)
    assert said(SITE_URL="https://rooms.example.org") == year
    for address in (
        "http://rooms.example.org",
        "https://localhost:8000",
        "https://192.0.2.7:8000",
        "https://box.local",
        "https://[2001:db8::1]:8000",
    ):
        assert said(SITE_URL=address) == "0", address
    assert said(SITE_URL="https://localhost", HSTS_SECONDS="60") == "60"
    assert "write a whole number" in said(HSTS_SECONDS="for ever")


def test_https_is_demanded_where_it_is_spoken(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    assert Client().get("/healthz", secure=True)["Strict-Transport-Security"] == "max-age=60"
    assert "Strict-Transport-Security" not in Client().get("/healthz")
    assert site_settings.SECURE_CONTENT_TYPE_NOSNIFF
