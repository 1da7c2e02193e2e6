"""Reactions from Redis to PostgreSQL: each is written once, whoever is killed; nobody's name; the download."""

from __future__ import annotations

import csv
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from redis.exceptions import RedisError

from core import bus
from rooms import actions, reactions
from rooms.actions import reactions as module
from rooms.hooks import export_texts
from rooms.models import ReactionCount, Recording
from rooms.rules.identity import Who
from tests.support.people import person
from tests.support.reactions import kept, total, written
from tests.support.rooms import open_room

# --- from Redis to PostgreSQL ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_counts_are_written_by_second_and_kind_and_added_to() -> None:
    room = open_room()
    for second, kind, tone, many in ((5, "clap", 0, 3), (5, "clap", 4, 2), (5, "heart", 0, 1), (6, "clap", 0, 1)):
        for _each in range(many):
            reactions.count(room.pk, second, kind, tone)
    assert reactions.due() == [room.pk] and reactions.waiting() == []
    assert written(room) == {(5, "clap"): 5, (5, "heart"): 1, (6, "clap"): 1}
    reactions.count(room.pk, 5, "clap", 1)  # somebody who hears it later
    assert written(room) == {(5, "clap"): 6, (5, "heart"): 1, (6, "clap"): 1}
    assert written(room) == {(5, "clap"): 6, (5, "heart"): 1, (6, "clap"): 1}
    assert reactions.waiting() == reactions.due() == []
    assert list(bus.client().scan_iter(bus.key(f"reactions:{room.pk}:*"))) in (
        [],
        [bus.key(f"reactions:{room.pk}:pace")],
    )


class Killed(BaseException):
    """The process ends here, whatever it would catch."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["before the transaction", "in it", "after it"])
def test_a_killed_clock_loses_nothing_and_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    room = open_room()
    for _each in range(4):
        reactions.count(room.pk, 7, "clap", 0)

    def die(*_args: Any) -> None:
        raise Killed

    def added(*args: Any) -> None:
        add(*args)
        raise Killed

    add = module._add
    with monkeypatch.context() as patch:
        patch.setattr(
            *{
                "before the transaction": (module, "_keep", die),
                "in it": (module, "_add", added),
                "after it": (reactions, "finish_batch", die),
            }[where]
        )
        with pytest.raises(Killed):
            actions.keep_reactions()
    assert total(room) == (4 if where == "after it" else 0)
    reactions.count(room.pk, 7, "clap", 0)
    assert written(room) in ({(7, "clap"): 4}, {(7, "clap"): 5})  # the later one may wait for the next batch
    assert written(room) == {(7, "clap"): 5}
    assert written(room) == {(7, "clap"): 5}


@pytest.mark.django_db(transaction=True)
def test_several_clocks_and_ticks_at_once_count_each_reaction_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactions, "PACE", 1)
    room = open_room()
    shown: Counter[str] = Counter()
    over = threading.Event()

    def clap() -> None:
        for number in range(150):
            reactions.count(room.pk, number % 3, "clap", number % 6)

    def tick() -> None:
        while not over.is_set():
            shown.update({tone: many for tones in reactions.take(room.pk).values() for tone, many in tones.items()})

    def keep() -> None:
        try:
            while not over.is_set():
                actions.keep_reactions()
        finally:
            connection.close()

    with ThreadPoolExecutor(7) as pool:
        others = [pool.submit(work) for work in (tick, keep, keep, keep)]
        for clapping in [pool.submit(clap) for _each in range(3)]:
            clapping.result()
        over.set()
        for other in others:
            other.result()
    for _time in range(2):
        written(room)
    assert kept(room) == {(second, "clap"): 150 for second in range(3)}
    assert sum(shown.values()) <= 450


@pytest.mark.django_db(transaction=True)
def test_what_is_left_at_the_end_is_written_into_the_last_second() -> None:
    room = open_room()
    actions.react(room, Who.of_user(room.host), "clap")
    reactions.count(room.pk, 500, "heart", 0)  # on its way while the room ended
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    last = room.room_time(room.ended_at) // 1000
    assert set(written(room)) == {(0, "clap"), (last, "heart")} and total(room) == 2


@pytest.mark.django_db(transaction=True)
def test_a_purged_room_gets_no_counts_any_more() -> None:
    room = open_room()
    reactions.count(room.pk, 1, "clap", 0)
    assert total(room) == 0 and written(room)
    ReactionCount.objects.all().delete()
    reactions.count(room.pk, 1, "clap", 0)
    actions.end_room(room.pk, room.host)
    Recording.objects.filter(room=room).update(state=Recording.State.PURGED)
    assert written(room) == {} and reactions.due() == reactions.waiting() == []
    assert not list(bus.client().scan_iter(bus.key(f"reactions:{room.pk}:*")))


@pytest.mark.django_db(transaction=True)
def test_a_room_whose_counts_cannot_be_read_does_not_stop_the_others() -> None:
    rooms = [open_room(f"host{number}") for number in range(3)]
    for room in rooms:
        reactions.count(room.pk, 1, "clap", 0)
    broken = bus.key(f"reactions:{rooms[0].pk}:tick")
    bus.client().delete(broken)
    bus.client().set(broken, "no hash")
    actions.keep_reactions()
    assert [total(room) for room in rooms] == [0, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_the_database_holds_to_the_rules_too() -> None:
    room = open_room()
    row = {"room": room, "kind": "clap", "batch": "0" * 32}
    ReactionCount.objects.create(second=1, count=1, **row)
    for wrong in ({"second": 1, "count": 1}, {"second": 2, "count": 0}, {"second": -1, "count": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReactionCount.objects.create(**row, **wrong)


def test_without_redis_the_clock_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[int]:
        raise RedisError("away")

    monkeypatch.setattr(reactions, "due", away)
    assert actions.keep_reactions() == 0


# --- nobody's name, and the download ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nothing_says_whose_reaction_it_was() -> None:
    room = open_room()
    ada = person("adalbertine")
    actions.react(room, Who.of_user(ada), "clap", 4)
    client = bus.client()
    texts = [str(client.hgetall(name)) for name in client.scan_iter(bus.key(f"reactions:{room.pk}:tick"))]
    assert len(texts) == 1 and not any(word in texts[0] for word in ("adalbertine", f"u:{ada.pk}"))
    written(room)
    assert {field.name for field in ReactionCount._meta.fields} == {"id", "room", "second", "kind", "count", "batch"}
    everything = "".join(piece for _name, text in export_texts.items() for piece in text(room) or ())
    assert "adalbertine" not in everything


@pytest.mark.django_db(transaction=True)
def test_they_are_in_the_download() -> None:
    room, text = open_room(), dict(export_texts.items())["reactions.csv"]
    assert text(room) is None
    for second, kind in ((3, "clap"), (3, "clap"), (12, "hundred")):
        reactions.count(room.pk, second, kind, 0)
    written(room)
    rows = list(csv.DictReader("".join(text(room) or ()).removeprefix("\ufeff").splitlines()))
    assert rows == [
        {"second": "3", "kind": "clap", "emoji": "👏", "count": "2"},
        {"second": "12", "kind": "hundred", "emoji": "💯", "count": "1"},
    ]
