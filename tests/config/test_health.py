"""/healthz and /readyz against real parts that are there, and that are not."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from django.test import Client

from deploy.local.process import wait_for
from deploy.local.throwaway import Throwaway
from tests.processes import Site


def readyz(site: Site) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{site.url}/readyz", timeout=10) as answer:
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
    answer = client.get("/readyz")
    parts = answer.json()["parts"]
    assert answer.status_code == 503
    failed = {name for name, part in parts.items() if part["state"] == "failed"}
    assert failed >= {"janus", "supervisor", "work", "speech", "beat"}
    assert not failed & {"database", "redis"}
    assert all(part["detail"] for part in parts.values())


def test_readyz_follows_the_real_processes(site: Site, services: Throwaway) -> None:
    site.start("media", "work", "speech", "beat", "web")
    wait_for("readiness", lambda: readyz(site)[0] == 200, seconds=20)
    services.kill("janus")
    try:
        wait_for("the news of Janus' end", lambda: readyz(site)[1]["parts"]["janus"]["state"] == "failed", seconds=10)
        assert readyz(site)[0] == 503
    finally:
        services.restart("janus")
    wait_for("Janus' return", lambda: readyz(site)[0] == 200, seconds=20)
    site.kill("work")
    assert readyz(site)[1]["parts"]["work"]["state"] == "failed"
