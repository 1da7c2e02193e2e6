"""Queues of their own: what waits for a dead mail server keeps neither the rooms' clock nor other work waiting."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from config.celery import app
from deploy.local.process import wait_for
from mail.models import Mail
from mail.tasks import send_mails
from people.models import ApiToken
from people.tasks import tidy
from rooms.models import Room
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room

HARD_ENDS = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]


@contextmanager
def silent() -> Generator[int]:
    """A server that takes every connection and never says a word: its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield server.getsockname()[1]


@contextmanager
def full() -> Generator[int]:
    """A server whose queue is full, so that what comes to it is dropped on the floor: its port."""
    waiting = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _number in range(20):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        with pytest.raises(TimeoutError):
            socket.create_connection(server.getsockname(), timeout=0.5)
        yield server.getsockname()[1]
        for client in waiting:
            client.close()


@pytest.mark.parametrize("server", [silent, full])
def test_a_dead_mail_server_stops_neither_clock_nor_work(site: Site, server: Callable[[], Generator[int]]) -> None:
    rooms = [open_room(f"host{number}") for number in range(2)]
    token = ApiToken.objects.create(
        user=person("guest"), name="old", hash="0" * 64, prefix="x", expires_at=timezone.now() - timedelta(days=365)
    )
    source = b"From: a@example.org\r\n\r\nHello"
    Mail.objects.bulk_create(Mail(to=f"b{n}@example.org", subject="Hello", source=source) for n in range(200))
    with server() as port:  # type: ignore[attr-defined]
        for _number in range(6):  # as six people who sign up at once do
            send_mails.delay()
        site.start("clock", "work", "beat", EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(port), EMAIL_USE_TLS="false")
        wait_for("the first mail to be tried", lambda: Mail.objects.filter(attempts=1).exists(), seconds=60)
        for room in rooms:
            Room.objects.filter(pk=room.pk).update(ends_by=timezone.now())
            wait_for("its end", partial(has_ended, room), seconds=60)
        tidy.delay()
        wait_for("other work", lambda: not ApiToken.objects.filter(pk=token.pk).exists(), seconds=60)
    assert Mail.objects.filter(attempts__gt=0).count() < 20, "each mail waited for the server"
    assert [room.end_reason for room in Room.objects.all()] == [Room.EndReason.TIME_UP] * 2


def has_ended(room: Room) -> bool:
    return not Room.objects.get(pk=room.pk).is_live


def test_every_task_has_its_limits() -> None:
    """A soft one before the hard one, and both before the broker gives a message to somebody else."""
    app.loader.import_default_modules()
    names = {name for name in app.tasks if not name.startswith("celery.")} - {"transcripts.jobs.run"}
    assert names >= {"rooms.tasks.sweep", "mail.tasks.send_mails", "rooms.recording.finishing.finish"}
    for name in names:
        task = app.tasks[name]
        assert task.soft_time_limit and task.soft_time_limit < task.time_limit < HARD_ENDS, name
    assert app.tasks["transcripts.jobs.run"].time_limit is None, "in a solo pool nobody would keep it"


def test_what_beat_asks_for_is_there_and_does_not_pile_up() -> None:
    app.loader.import_default_modules()
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        assert entry["task"] in app.tasks and entry["options"]["expires"] <= entry["schedule"]
    queue = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks}
    assert (queue["rooms.tasks.sweep"], queue["mail.tasks.send_mails"]) == ("clock", "mail")
    assert [name for name in queue if queue[name] == "speech"] == ["transcripts.jobs.run"]
