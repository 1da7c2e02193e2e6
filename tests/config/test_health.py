"""/healthz and /readyz against real parts that are there, and that are not."""

import json
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from config import health
from deploy.local.process import wait_for
from deploy.local.throwaway import Throwaway
from rooms.models import Recording, Room
from tests.support.people import person
from tests.support.processes import Site
from tests.support.staff import sign_in_staff
from tests.support.traces import marked_room


def readyz(site: Site) -> tuple[int, dict[str, Any]]:
    asked = urllib.request.Request(f"{site.url}/readyz", headers={"X-Readyz-Key": settings.READYZ_KEY})
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_healthz_asks_nobody(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_readyz_names_each_part_that_is_missing(client: Client) -> None:
    answer = client.get("/readyz", headers={"X-Readyz-Key": settings.READYZ_KEY})
    parts = answer.json()["parts"]
    assert answer.status_code == 503
    failed = {name for name, part in parts.items() if part["state"] == "failed"}
    assert failed >= {"janus", "supervisor", "clock", "mail", "work", "speech", "beat"}
    assert not failed & {"database", "redis"}
    assert all(part["detail"] for part in parts.values())


@pytest.mark.django_db
def test_readyz_tells_everybody_the_state_and_operators_why(client: Client) -> None:
    """Versions, counts and free space are nobody else's business."""
    helper, operator = person("helper", is_staff=True), person("operator")
    operator.user_permissions.add(Permission.objects.get(codename="view_health"))

    def keys(asking: Client, **headers: str) -> set[str]:
        answer = asking.get("/readyz", headers=headers)
        assert set(answer.json()) == {"ready", "parts"} and answer.json()["ready"] is False
        return set().union(*(part.keys() for part in answer.json()["parts"].values()))

    assert (
        keys(client) == keys(client, **{"X-Readyz-Key": "wrong"}) == keys(client, **{"X-Readyz-Key": ""}) == {"state"}
    )
    client.force_login(helper)
    assert keys(client) == {"state"}
    client.force_login(operator)
    assert keys(client) == {"state"}, "the permission is there after a second step alone"
    assert keys(sign_in_staff(Client(), operator)) == {"state", "detail", "ms"}
    assert keys(Client(), **{"X-Readyz-Key": settings.READYZ_KEY}) == {"state", "detail", "ms"}


def test_readyz_follows_the_real_processes(site: Site, services: Throwaway) -> None:
    site.start("media", "clock", "work", "speech", "beat", "web")
    wait_for("readiness", lambda: readyz(site)[0] == 200, seconds=90)
    services.kill("janus")
    try:
        wait_for("the news of Janus' end", lambda: readyz(site)[1]["parts"]["janus"]["state"] == "failed", seconds=60)
        assert readyz(site)[0] == 503
    finally:
        services.restart("janus")
    wait_for("Janus' return", lambda: readyz(site)[0] == 200, seconds=90)
    site.kill("work")
    assert readyz(site)[1]["parts"]["work"]["state"] == "failed"


@pytest.mark.django_db
def test_recordings_that_wait_for_space_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "space", lambda: {"paused": False, "why": "", "free": 2**30})
    room = marked_room("word")
    ended = timezone.now() - timedelta(minutes=6)
    Room.objects.filter(pk=room.pk).update(started_at=ended - timedelta(minutes=6), ended_at=ended)
    Recording.objects.filter(room=room).update(state=Recording.State.FINISHING)
    assert health.run_check(health.disk)["state"] == "ok", "a worker is at it"
    Recording.objects.filter(room=room).update(error="5 MB free, 8 MB needed beyond the reserve")
    found = health.run_check(health.disk)
    assert found["state"] == "degraded" and "wait for space to be finished: 1 " in found["detail"]
    Room.objects.filter(pk=room.pk).update(ended_at=timezone.now() - timedelta(minutes=1))
    assert health.run_check(health.disk)["state"] == "ok", "it may be over in a moment"
