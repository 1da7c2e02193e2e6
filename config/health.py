"""/healthz: the process lives. /readyz: the site can do its work, part by part."""

import json
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import heartbeat
from rooms.media import bus

SOON = 2.0  # seconds a part may take to answer


class NotReady(Exception):
    """A part cannot do its work; the text says why, without addresses or secrets."""


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers, whatever the state of the others."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with its state; 503 as long as one of them cannot do its work."""
    parts = {name: look(check) for name, check in CHECKS.items()}
    ready = all(part["state"] == "ok" for part in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def look(check: Callable[[], str]) -> dict[str, Any]:
    """The state of one part, how long the look took (ms), and why where it fails."""
    began = time.monotonic()
    try:
        found: dict[str, Any] = {"state": "ok", "detail": check()}
    except NotReady as error:
        found = {"state": "failed", "detail": str(error)}
    except (DatabaseError, redis.RedisError, OSError) as error:
        found = {"state": "failed", "detail": type(error).__name__}
    return {**found, "ms": round((time.monotonic() - began) * 1000, 1)}


def client() -> redis.Redis:
    """A connection that gives up soon."""
    return redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=SOON, socket_connect_timeout=SOON
    )


def value(name: str) -> str | None:
    """One value out of Redis, or nothing where it has run out."""
    with client() as connected:
        found = connected.get(name)
    return None if found is None else str(found)


def database() -> str:
    """PostgreSQL answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def in_memory() -> str:
    """Redis answers."""
    with client() as connected:
        return f"Redis {connected.info('server')['redis_version']}"


def janus() -> str:
    """Janus made a probe recording not long ago: the supervisor, who alone talks to it, tells."""
    told = value(bus.key(bus.PROBE))
    if told is None:
        raise NotReady("no probe recording was made lately")
    try:
        probe = json.loads(told)
    except ValueError:
        probe = {}
    if not (isinstance(probe, dict) and probe.get("ok") is True):
        why = probe.get("why", "it failed") if isinstance(probe, dict) else "it failed"
        raise NotReady(f"the probe recording was not written: {why}")
    return "a probe recording was written"


def supervisor() -> str:
    """The media supervisor showed life within its last few seconds."""
    if value(bus.key(bus.HEARTBEAT)) is None:
        raise NotReady("no sign of life: is `manage.py media` running?")
    return "shows life"


def process(name: str) -> Callable[[], str]:
    """The check for one of Celery's processes."""

    def check() -> str:
        if value(heartbeat.key(name)) is None:
            raise NotReady("no sign of life: is it running?")
        return "shows life"

    return check


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "redis": in_memory,
    "janus": janus,
    "supervisor": supervisor,
    **{name: process(name) for name in heartbeat.NAMES},
}
