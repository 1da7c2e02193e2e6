"""Entry after a hand-over: the new host's followers at the door, and nobody who is inside is put out."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async as run
from redis.exceptions import RedisError

from rooms import actions, presence
from rooms.models import Hand, HandOver, Room, StayingFollower
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from social.models import Block, Follow
from tests.rooms.test_sweep import come, go
from tests.support.client import Page, code
from tests.support.cohosts import fresh, stage, with_cohosts
from tests.support.people import person
from tests.support.processes import Site
from tests.support.races import refused

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@db
def test_nobody_is_put_out_by_the_new_hosts_policies() -> None:
    room, (cora,) = with_cohosts("cora")
    actions.set_entry_policy(room.pk, room.host, "followers")
    Room.objects.filter(pk=room.pk).update(speak_policy="followed")
    hosts = [person(handle) for handle in ("here", "reloads", "asks", "elsewhere", "blocked")]
    here, reloads, asks, _elsewhere, blocked = hosts
    coras, strange = person("coras"), person("strange")
    Follow.objects.bulk_create(Follow(follower=follower, followed=room.host) for follower in hosts)
    Follow.objects.create(follower=coras, followed=cora)
    Follow.objects.create(follower=room.host, followed=here)
    Block.objects.create(blocker=cora, blocked=blocked)
    Hand.objects.create(room=room, user=asks)
    for user in (here, reloads, blocked):
        come(room, user)
    go(room, reloads)
    everybody = (*hosts, coras, strange)

    def admitted() -> set[str]:
        now = fresh(room)
        return {user.handle for user in everybody if permissions.may_enter(facts_of(now, user)) is None}

    assert admitted() == {user.handle for user in hosts}
    assert permissions.may_speak(facts_of(fresh(room), here)) is None
    actions.hand_over(room.pk, cora, by=room.host)
    inside = {"here", "reloads", "asks"}
    assert admitted() == {*inside, "coras"}, "at the door the new host's followers count; a block is no policy"
    assert permissions.may_speak(facts_of(fresh(room), here)) == "not_allowed_to_speak", "whom the new host follows"
    go(room, here)
    Follow.objects.filter(follower=here).delete()
    assert admitted() == {*inside, "coras"}, "who was inside may come back"
    actions.leave_seat(room.pk, room.host)
    assert permissions.may_enter(facts_of(fresh(room), room.host)) is None
    seq, epoch = fresh(room).seq, fresh(room).epoch
    actions.set_entry_policy(room.pk, cora, "followers")
    assert admitted() == {"coras"} and (fresh(room).seq, fresh(room).epoch != epoch) == (seq + 1, True)
    actions.set_entry_policy(room.pk, cora, "followers")
    assert fresh(room).seq == seq + 1, "the same once more changes nothing"
    actions.set_entry_policy(room.pk, cora, "invited")
    assert permissions.may_enter(facts_of(fresh(room), room.host)) is None, "the former host is never put out by it"


@db
def test_who_stays_stays_through_the_next_hand_over_and_only_under_that_policy() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    fan, late = person("fan"), person("late")
    for user in (fan, late):
        Follow.objects.create(follower=user, followed=room.host)
    come(room, fan)
    actions.hand_over(room.pk, cora, by=room.host)
    assert not StayingFollower.objects.exists(), "a room for anyone puts nobody out, and lists nobody"
    actions.set_entry_policy(room.pk, cora, "followers")
    assert permissions.may_enter(facts_of(fresh(room), fan)) == "not_allowed", (
        "the new host set it, for their followers"
    )
    actions.hand_over(room.pk, room.host, by=cora)
    assert permissions.may_enter(facts_of(fresh(room), late)) is None
    actions.hand_over(room.pk, carl, by=room.host)
    actions.hand_over(room.pk, room.host, by=carl)
    actions.hand_over(room.pk, cora, by=room.host)
    assert [permissions.may_enter(facts_of(fresh(room), user)) for user in (fan, late)] == [None, "not_allowed"]


@db
def test_without_redis_a_host_does_not_put_out_whom_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(room_pk: int) -> set[int]:
        raise RedisError("away")

    room, (cora,) = with_cohosts("cora")
    actions.set_entry_policy(room.pk, room.host, "followers")
    monkeypatch.setattr(presence, "accounts_around", away)
    Follow.objects.create(follower=cora, followed=room.host)
    assert refused(actions.hand_over, room.pk, cora, by=room.host) == "unavailable"
    assert fresh(room).host == room.host and stage(room)["cora"] == ("cohost", 11) and not HandOver.objects.exists()
    # What must not wait goes on, with those who are known to be here.
    assert actions.hand_over_to_cohost(room.pk, room.host_id, HandOver.Reason.STAFF, {})
    assert fresh(room).host == cora and StayingFollower.objects.get().user == cora


@committed
async def test_the_new_hosts_followers_count_at_the_door_and_nobody_inside_is_put_out(web: Site) -> None:
    room, (cora,) = await run(with_cohosts)("cora")
    await run(actions.set_entry_policy)(room.pk, room.host, "followers")
    fan, late, coras = await run(person)("fan"), await run(person)("late"), await run(person)("coras")
    for follower, followed in ((fan, room.host), (late, room.host), (coras, cora)):
        await run(Follow.objects.create)(follower=follower, followed=followed)
    async with Page(room, fan) as page:
        await page.wait_for("snapshot")
        await run(actions.hand_over)(room.pk, cora, by=room.host)
        await page.wait_for("host_changed")
        async with Page(room, late) as other, Page(room, coras) as third:
            out = await other.wait_for(lambda message: "error" in message)
            assert out["error"]["code"] == "not_allowed" and await other.closed() == 4403
            await third.wait_for("snapshot")
        await page.wait_for("beat", 60)  # rights are checked with each
        await page.wait_for("beat", 60)
        assert code(await page.ask("ping")) == "ok"
    async with Page(room, fan) as again:
        await again.wait_for("snapshot")
