"""Heartbeats of Celery's processes: a key in Redis for each queue and for beat, checked by /readyz.

A thread writes them, because a worker may transcribe for minutes in its only other thread.
"""

import threading

import redis
from celery.signals import beat_init, worker_ready
from django.conf import settings

from core import loops

EVERY = 3.0  # seconds between heartbeats
KEPT = 10  # seconds until a heartbeat expires

NAMES = ("clock", "mail", "work", "speech", "beat")


def key(name: str) -> str:
    """Return the key of a process' heartbeat."""
    return f"{settings.REDIS_PREFIX}alive:{name}"


def write_heartbeats(name: str) -> None:
    """Write the heartbeat again and again; errors of Redis are ignored, because /readyz fails then anyway."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    stop = threading.Event()
    while True:
        try:
            client.set(key(name), "1", ex=KEPT)
        except redis.RedisError:
            client.connection_pool.disconnect()
        stop.wait(EVERY)


def start_heartbeat(name: str) -> None:
    """Start writing heartbeats, in a daemon thread."""
    loops.keep_thread(f"signs-of-life-{name}", lambda: write_heartbeats(name))


@worker_ready.connect
def on_worker_ready(sender: object, **_signal: object) -> None:
    """Start a heartbeat for each queue that this worker serves."""
    served = sender.app.amqp.queues.consume_from  # type: ignore[attr-defined]  # Celery has no types
    for queue in set(served) & set(NAMES):
        start_heartbeat(queue)


@beat_init.connect
def on_beat_init(**_signal: object) -> None:
    """Start beat's heartbeat once its schedule is loaded."""
    start_heartbeat("beat")
