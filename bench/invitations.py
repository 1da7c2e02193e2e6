"""Seconds to invite 1,000 people to listen, compared with the plain way: one after another, as an ORM tutorial has it.

    python bench/invitations.py [--people 1000] [--rounds 3]

Starts a PostgreSQL (with fsync, as in production) and a Redis of its own, and takes turns. Both ways write an
invitation, a thread, its two sides and a message for each person, who may write asked before. Delivery is measured
apart: it runs in a worker.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.purge import parts
from deploy.local.postgres import Postgres


def timed(work: Callable[[], Any]) -> tuple[float, int]:
    """Seconds that the work takes, and the number of its statements."""
    from django.db import connection

    statements = 0

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*args)

    begun = time.perf_counter()
    with connection.execute_wrapper(count):
        work()
    return time.perf_counter() - begun, statements


def one_by_one(room: Any, users: Sequence[Any]) -> None:
    """Invite in the plain way: every question and every row for each person."""
    from django.db import transaction

    from rooms.models import Invitation
    from social.models import Message, Thread, ThreadSide
    from social.reach import why_not_write

    host = room.host
    for user in users:
        with transaction.atomic():
            if why_not_write(host, [user])[user.pk] or Invitation.objects.filter(room=room, user=user).exists():
                continue
            invitation = Invitation.objects.create(room=room, user=user, by=host, by_helper=True, kind="listen")
            low, high = sorted((host, user), key=lambda person: person.pk)
            thread, _made = Thread.objects.get_or_create(low=low, high=high)
            for person in (low, high):
                ThreadSide.objects.get_or_create(thread=thread, user=person)
            data = {"invitation": invitation.pk}
            Message.objects.create(thread=thread, sender=host, receiver=user, kind="invitation", data=data)


def invite(room: Any, users: Sequence[Any]) -> None:
    from rooms import actions

    lines = actions.invite(room.pk, room.host, [user.handle for user in users], "listen")
    assert {line.result for line in lines} == {"invited"}


def deliver(room: Any) -> None:
    from social.actions.messages import BATCH, deliver_messages
    from social.models import Message

    waiting = list(Message.objects.filter(sender=room.host, delivered_at=None).values_list("pk", flat=True))
    for start in range(0, len(waiting), BATCH):
        deliver_messages(waiting[start : start + BATCH])


def prepare(number: int, many: int) -> tuple[Any, list[Any]]:
    """A live room, and people whom its host never wrote to."""
    from people.models import User
    from tests.support.people import people, person
    from tests.support.rooms import open_room

    users = people(many)
    User.objects.filter(pk__in=[user.pk for user in users]).update(messages_from="everyone")
    return open_room(person(f"host{number}", creator=True)), list(User.objects.filter(pk__in=[u.pk for u in users]))


def measure(options: argparse.Namespace, postgres: Postgres) -> None:
    import django

    django.setup()

    from tests.support.migrated import migrate

    migrate(postgres)
    ours, plain, delivery = [], [], []
    for number in range(options.rounds):
        room, users = prepare(2 * number, options.people)
        plain.append(timed(lambda: one_by_one(room, users)))  # noqa: B023
        room, users = prepare(2 * number + 1, options.people)
        ours.append(timed(lambda: invite(room, users)))  # noqa: B023
        delivery.append(timed(lambda: deliver(room)))  # noqa: B023
        seconds = ", ".join(f"{found[-1][0]:.3f} s" for found in (ours, plain, delivery))
        print(f"invite, one by one, delivery: {seconds}   load {os.getloadavg()[0]:.1f}", flush=True)
    for name, found in (("invite", ours), ("one by one", plain), ("delivery", delivery)):
        median = statistics.median(seconds for seconds, _statements in found)
        print(f"{name:12}{median:8.3f} s   {found[0][1]:6,} statements for {options.people:,} people")
    ratio = statistics.median(seconds for seconds, _statements in ours) / statistics.median(s for s, _n in plain)
    print(f"invite / one by one      {ratio:.3f}   load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with parts() as postgres:
        measure(options, postgres)


if __name__ == "__main__":
    main()
