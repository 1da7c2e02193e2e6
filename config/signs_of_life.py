"""Signs of life of Celery's processes: a key in Redis for each queue and for beat, for /readyz.

A thread writes it, because a worker that transcribes for minutes in its only thread is alive all the same.
"""

import threading

import redis
from celery.signals import beat_init, worker_ready
from django.conf import settings

from core import loops

EVERY = 3.0  # seconds between signs
KEPT = 10  # seconds after which a silent process counts as gone

NAMES = ("clock", "mail", "work", "speech", "beat")


def key(name: str) -> str:
    """The key under which this process shows that it lives."""
    return f"{settings.REDIS_PREFIX}alive:{name}"


def beat_forever(name: str) -> None:
    """Write the sign again and again; while Redis is away there is nobody to tell."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    stop = threading.Event()
    while True:
        try:
            client.set(key(name), "1", ex=KEPT)
        except redis.RedisError:
            client.connection_pool.disconnect()
        stop.wait(EVERY)


def show_life(name: str) -> None:
    """Begin to write signs, in a thread that ends with the process."""
    loops.keep_thread(f"signs-of-life-{name}", lambda: beat_forever(name))


@worker_ready.connect
def on_worker_ready(sender: object, **_signal: object) -> None:
    """A worker shows life for each queue it serves."""
    served = sender.app.amqp.queues.consume_from  # type: ignore[attr-defined]  # Celery has no types
    for queue in set(served) & set(NAMES):
        show_life(queue)


@beat_init.connect
def on_beat_init(**_signal: object) -> None:
    """Beat shows life once its schedule is loaded."""
    show_life("beat")
