"""/healthz: the process lives. /readyz: the site can do its work, part by part."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import signs_of_life
from core import bus, loops
from core.lane import DiskHangs, Lane
from retention import purge
from rooms.media import redis_keys
from rooms.media.janus.probe import probe_recording
from rooms.recording import marker
from rooms.recording.tasks import waiting_for_space

log = logging.getLogger(__name__)

SOON = 2.0  # seconds a part may take to answer
# A disk that hangs keeps this one thread, and no page.
_folder = Lane("RECORDINGS_DIR")


class NotReady(Exception):
    """A part cannot do its work; the text says why, without addresses or secrets."""


class Degraded(Exception):
    """A part does less than it should. Operators are to see it; nobody needs to be sent elsewhere."""


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers, whatever the state of the others."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with its state (ok, degraded, failed); 503 as long as one of them cannot do its work.

    Versions, counts and free space are for operators alone: `may_know_why`.
    """
    parts = {name: look(check) for name, check in CHECKS.items()}
    if not may_know_why(request):
        parts = {name: {"state": part["state"]} for name, part in parts.items()}
    ready = not any(part["state"] == "failed" for part in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def may_know_why(request: HttpRequest) -> bool:
    """Whether somebody has the key of monitoring, or the permission. Nobody has while sessions cannot be read."""
    key = request.headers.get("X-Readyz-Key", "")
    if settings.READYZ_KEY and constant_time_compare(key, settings.READYZ_KEY):
        return True
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    try:
        return bool(request.user.has_perm("moderation.view_health"))
    except (DatabaseError, redis.RedisError, OSError) as error:
        log.warning("who asks for readiness is not known: %s", type(error).__name__)
        return False


def look(check: Callable[[], str]) -> dict[str, Any]:
    """The state of one part, how long the look took (ms), and why where it fails."""
    began = time.monotonic()
    try:
        found: dict[str, Any] = {"state": "ok", "detail": check()}
    except Degraded as error:
        found = {"state": "degraded", "detail": str(error)}
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
    """Janus is connected and wrote a probe recording lately: the supervisor, who alone talks to it, tells."""
    if not sign_of_supervisor().get("janus"):
        raise NotReady("the supervisor has no connection to Janus")
    if space()["paused"]:
        return "connected; nothing is recorded now"
    ok, why = probe_recording()
    if not ok:
        raise NotReady(f"Janus does not record: {why}")
    return "connected; a probe recording was written"


def disk() -> str:
    """There is room for recordings. Rooms go on without it."""
    found = space()
    if found["paused"]:
        raise Degraded(f"recording is paused: {found['why']}")
    if waiting := waiting_for_space(timezone.now()).count():
        raise Degraded(
            f"recordings that wait for space to be finished: {waiting} (twice what was recorded must be free)"
        )
    return f"{found['free'] // 2**20} MB free for recordings"


def recordings() -> str:
    """RECORDINGS_DIR is the folder that the database names: for this process, and for those that looked lately."""
    wanted = marker.wanted_folder()
    if wanted is None:
        return "not marked yet"
    try:
        why = _folder.run_here(lambda: marker.differs(wanted), within=SOON)
    except DiskHangs as error:
        raise NotReady("RECORDINGS_DIR does not answer") from error
    if why:
        raise NotReady(str(marker.OtherFolder(why)))
    if refused := value(bus.key(marker.REFUSED)):
        raise Degraded(refused)
    return f"folder {wanted}"


def space() -> dict[str, Any]:
    """What the supervisor saw of the disk; raises NotReady when that is too long ago."""
    return lately(redis_keys.DISK, "the supervisor has not looked lately")


def supervisor() -> str:
    """The media supervisor showed life within its last few seconds."""
    sign = sign_of_supervisor()
    return f"rooms with sound: {sign.get('rooms', 0)}; listeners near: {sign.get('near', 0)}"


def sign_of_supervisor() -> dict[str, Any]:
    """What the supervisor last told of itself; raises NotReady when that is too long ago."""
    return lately(redis_keys.HEARTBEAT, "the supervisor shows no life")


def lately(name: str, silent: str) -> dict[str, Any]:
    """What stands under a key of the supervisor's, as long as it stands; raises NotReady, which says it is `silent`."""
    told = value(bus.key(name))
    if told is None:
        raise NotReady(f"{silent}: is `manage.py media` running?")
    found: dict[str, Any] = json.loads(told)
    return found


def process(name: str) -> Callable[[], str]:
    """The check for one of Celery's processes."""

    def check() -> str:
        if value(signs_of_life.key(name)) is None:
            raise NotReady("no sign of life: is it running?")
        return "shows life"

    return check


def running_loops() -> str:
    """No loop of any process failed lately. One that did was started again; who fails for good fails again soon."""
    if failed := loops.failing():
        raise Degraded(f"failed lately and started again: {'; '.join(failed)}")
    return "all run"


def forgotten_on_time() -> str:
    """Copies whose time is over are gone. Being late is told, and takes no listener away."""
    if late := len(purge.overdue(timezone.now())):
        raise Degraded(f"{late} overdue: see `manage.py retention`")
    return "0 overdue"


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "redis": in_memory,
    "janus": janus,
    "supervisor": supervisor,
    "disk": disk,
    "recordings": recordings,
    **{name: process(name) for name in signs_of_life.NAMES},
    "loops": running_loops,
    "retention": forgotten_on_time,
}
