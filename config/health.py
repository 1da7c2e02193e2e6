"""/healthz: this process answers. /readyz: whether each part of the site works."""

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
from config.env import is_loopback
from core import bus, loops
from core.lane import DiskHangs, Lane
from retention import purge
from rooms.media import redis_keys
from rooms.media.janus.probe import probe_recording
from rooms.recording import marker
from rooms.recording.tasks import waiting_for_space

log = logging.getLogger(__name__)

SOON = 2.0  # seconds until a part's answer counts as missing
# A disk that hangs blocks this lane's thread, and no page.
_folder = Lane("RECORDINGS_DIR")


class NotReady(Exception):
    """A part does not work; the text says why, without addresses or secrets."""


class Degraded(Exception):
    """A part works with a fault that operators should see; the site stays ready."""


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer, whatever the state of other processes."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Report the state of each part (ok, degraded, failed); 503 while one has failed.

    Details, such as versions, counts and free space, are only for operators: `may_know_why`.
    """
    parts = {name: run_check(check) for name, check in CHECKS.items()}
    if not may_know_why(request):
        parts = {name: {"state": part["state"]} for name, part in parts.items()}
    ready = not any(part["state"] == "failed" for part in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def may_know_why(request: HttpRequest) -> bool:
    """Whether the request has the monitoring key or the permission. False while sessions cannot be read."""
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


def run_check(check: Callable[[], str]) -> dict[str, Any]:
    """Run one check; return the part's state, its detail, and how long the check took (ms)."""
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
    """Make a connection with short time-outs."""
    return redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=SOON, socket_connect_timeout=SOON
    )


def value(name: str) -> str | None:
    """Read a value from Redis; None where the key does not exist or has expired."""
    with client() as connected:
        found = connected.get(name)
    return None if found is None else str(found)


def database() -> str:
    """Check that PostgreSQL answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def redis_server() -> str:
    """Check that Redis answers."""
    with client() as connected:
        return f"Redis {connected.info('server')['redis_version']}"


def janus() -> str:
    """Check, by the supervisor's status, that Janus is connected and recently wrote a probe recording."""
    if not supervisor_status().get("janus"):
        raise NotReady("the supervisor has no connection to Janus")
    if space()["paused"]:
        return "connected; nothing is recorded now"
    ok, why = probe_recording()
    if not ok:
        raise NotReady(f"Janus does not record: {why}")
    return "connected; a probe recording was written"


def disk() -> str:
    """Check that there is room for recordings; without it the site is degraded, not down."""
    found = space()
    if found["paused"]:
        raise Degraded(f"recording is paused: {found['why']}")
    if waiting := waiting_for_space(timezone.now()).count():
        raise Degraded(
            f"recordings that wait for space to be finished: {waiting} (twice what was recorded must be free)"
        )
    return f"{found['free'] // 2**20} MB free for recordings"


def recordings() -> str:
    """Check that RECORDINGS_DIR is the folder named in the database, here and in processes that checked it lately."""
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
    """Return the supervisor's last report on the disk. Raises NotReady once it has expired."""
    return supervisor_json(redis_keys.DISK, "the supervisor has not looked lately")


def supervisor() -> str:
    """Check that the media supervisor wrote its status within the last seconds."""
    sign = supervisor_status()
    return f"rooms with sound: {sign.get('rooms', 0)}; listeners near: {sign.get('near', 0)}"


def supervisor_status() -> dict[str, Any]:
    """Return the supervisor's last status. Raises NotReady once it has expired."""
    return supervisor_json(redis_keys.HEARTBEAT, "the supervisor shows no life")


def supervisor_json(name: str, silent: str) -> dict[str, Any]:
    """Return the JSON that the supervisor last wrote under a key. Raises NotReady(`silent`) once it has expired."""
    told = value(bus.key(name))
    if told is None:
        raise NotReady(f"{silent}: is `manage.py media` running?")
    found: dict[str, Any] = json.loads(told)
    return found


def process(name: str) -> Callable[[], str]:
    """Make the check of one Celery process."""

    def check() -> str:
        if value(signs_of_life.key(name)) is None:
            raise NotReady("no sign of life: is it running?")
        return "shows life"

    return check


def captions() -> str:
    """Check that live captions are written, and say how far behind they are. Rooms go on without: they only degrade."""
    text = value(bus.key("alive:captions"))
    if text is None:
        raise Degraded("no process writes live captions")
    found = json.loads(text)
    if found["trouble"]:
        raise Degraded(found["trouble"])
    engine = found["engine"] or "no model loaded"  # before the first room
    how = f"{found['behind']} s behind; rooms: {found['rooms']}, talking: {found['talking']}; {engine}"
    if found["step"]:
        raise Degraded(f"more speech than can be heard (step {found['step']}): {how}")
    return how


def running_loops() -> str:
    """Check that no loop of any process failed lately. A failed loop was restarted; a permanent fault fails again
    soon."""
    if failed := loops.failing():
        raise Degraded(f"failed lately and started again: {'; '.join(failed)}")
    return "all run"


def purged_on_time() -> str:
    """Check that recordings past their purge date are purged. Being late only degrades the site."""
    if late := len(purge.overdue(timezone.now())):
        raise Degraded(f"{late} overdue: see `manage.py retention`")
    return "0 overdue"


def contact() -> str:
    """Check that people can write to the address on /contact/ where mails are really sent."""
    domain = settings.CONTACT_EMAIL.rpartition("@")[2]
    if settings.EMAIL_HOST and is_loopback(domain):
        raise Degraded(f"set CONTACT_EMAIL: nobody can write to {settings.CONTACT_EMAIL}, which /contact/ names")
    return settings.CONTACT_EMAIL


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "redis": redis_server,
    "janus": janus,
    "supervisor": supervisor,
    "disk": disk,
    "recordings": recordings,
    **{name: process(name) for name in signs_of_life.NAMES},
    "captions": captions,
    "loops": running_loops,
    "retention": purged_on_time,
    "contact": contact,
}
