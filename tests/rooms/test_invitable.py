"""People whom one may think of inviting: what each asker is shown, and that searches use their indexes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import User
from rooms import actions
from rooms.models import Room
from rooms.queries.invitable import PAGE, Asked, invitable
from rooms.rules.identity import Who
from social.actions.blocks import block
from social.actions.follows import follow
from social.models import Block, Follow
from tests.support.cohosts import with_cohosts
from tests.support.hands import raised
from tests.support.invitations import ask, invited, reachable
from tests.support.people import api_client, person
from tests.support.races import refused
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db


def names(room: Room, me: User, words: str = "", source: str = "", earlier: str = "") -> list[str]:
    people, _more = invitable(room, me, Asked(words, source, earlier))
    return [one["user"] for one in people]


def states(room: Room, me: User, words: str) -> dict[str, str]:
    return {one["user"]: one["state"] for one in invitable(room, me, Asked(words))[0]}


def test_the_host_side_finds_everybody_by_the_beginning_of_handle_or_name() -> None:
    room, (helper,) = with_cohosts("helper")
    person("pdejong", name="Piet de Jong")
    person("jonge_anna", name="Anna")
    person("closed_jong", name="Jong", is_active=False)
    person("waits_jong", name="Jong", signing_up=True)
    mine = person("jongmine", name="Jong")
    theirs = person("jongtheirs", name="Jong")
    Block.objects.create(blocker=helper, blocked=mine)
    Block.objects.create(blocker=theirs, blocked=helper)
    assert sorted(names(room, helper, "jong")) == ["jonge_anna", "jongtheirs", "pdejong"]
    assert names(room, helper, "piet jo") == ["pdejong"] and names(room, helper, "@JONGE_") == ["jonge_anna"]
    assert "jongmine" in names(room, room.host, "jong"), "a co-host's block is nobody else's"
    for words in ("", "j", "' | !", "%", "__", "jong:* &", "\x00", "\U0001d54f" * 2, "(((", "a" * 60):
        assert isinstance(names(room, room.host, words), list), words
    assert names(room, room.host, "%%") == names(room, room.host, "__") == []


def test_guests_see_followers_and_followed_only_as_they_know_them() -> None:
    room = open_room()
    guest = person("guest")
    fan, idol, hidden_fan, hidden_idol = (reachable(name) for name in ("fan", "idol", "hidden_fan", "hidden_idol"))
    person("stranger")
    follow(fan, guest)
    follow(guest, idol)
    follow(hidden_fan, guest)
    follow(guest, hidden_idol)
    block(hidden_fan, guest)
    block(hidden_idol, guest)
    assert Follow.objects.count() == 2
    assert sorted(names(room, guest)) == ["fan", "hidden_fan", "hidden_idol", "idol"]
    assert sorted(names(room, guest, source="followers")) == ["fan", "hidden_fan"]
    assert sorted(names(room, guest, source="following")) == ["hidden_idol", "idol"]
    assert names(room, guest, "stranger") == [] and sorted(names(room, guest, "ido")) == ["hidden_idol", "idol"]
    assert refused(names, room, guest, source="room", earlier="x") == "not_found"
    assert refused(names, room, guest, source="everybody") == "bad_value"


def test_states_are_what_the_asker_may_know() -> None:
    room = open_room()
    for name in ("an_fresh", "an_out"):
        reachable(name)
    invited("an_pending", room)
    actions.decline(room.pk, invited("an_declined", room))
    seated("an_sits", room)
    actions.remove_person(room.pk, User.objects.get(handle="an_out"), by=room.host)
    assert states(room, room.host, "an_") == {
        "an_fresh": "",
        "an_pending": "pending",
        "an_declined": "declined",
        "an_sits": "on_stage",
        "an_out": "removed",
    }
    guest = person("guest")
    for user in User.objects.filter(handle__startswith="an_"):
        Follow.objects.create(follower=user, followed=guest)
    ask(room, guest, "an_fresh", kind="listen")
    assert states(room, guest, "an_") == {
        "an_fresh": "pending",
        "an_pending": "",
        "an_declined": "",
        "an_sits": "on_stage",
        "an_out": "",
    }, "neither removals nor what the host side asked"


def test_people_of_an_earlier_room_while_its_copy_is_kept() -> None:
    host = person("host", creator=True)
    earlier = open_room(host, speak_policy="followed")
    follow(host, sits := consented(person("sat"), earlier))
    actions.take_seat(earlier.pk, sits)
    raised("waited", earlier)
    actions.set_unseen(earlier, came := invited("came", earlier, "listen"), False)
    actions.admit(earlier, Who.of_user(came))
    invited("stayed_away", earlier, "listen")
    actions.end_room(earlier.pk, host)
    room, (helper,) = with_cohosts("helper", host=host)
    assert sorted(names(room, host, source="room", earlier=earlier.slug)) == ["came", "sat", "waited"]
    assert sorted(names(room, helper, source="room", earlier=earlier.slug)) == ["host", "sat"], "what everybody saw"
    other = open_room("second")
    for slug in (other.slug, "nothing", room.slug):
        assert refused(names, room, host, source="room", earlier=slug) == "not_found"
    assert refused(names, other, other.host, source="room", earlier=earlier.slug) == "not_found"
    Room.objects.filter(pk=earlier.pk).update(purged_at=timezone.now())
    assert refused(names, room, host, source="room", earlier=earlier.slug) == "not_found"


def test_pages_and_what_they_cost() -> None:
    room = open_room()
    for number in range(PAGE + 5):
        person(f"many{number}", name=f"Many {number:02}")
    with CaptureQueriesContext(connection) as seen:
        first, more = invitable(room, room.host, Asked("many"))
    second, end = invitable(room, room.host, Asked("many", page=1))
    assert (len(first), more, len(second), end) == (PAGE, True, 5, False) and len(seen) <= 8
    assert len({one["user"] for one in first + second}) == PAGE + 5
    client = api_client(room.host)

    def get(query: str) -> Any:
        return client.get(f"/api/v1/rooms/{room.slug}/invitable/?{query}")

    assert len(get("q=many&page=1").json()["people"]) == 5
    for query in ("page=-1", "page=x", "page=99999999999999999999", "from=nowhere", "room=../x"):
        assert get(query).status_code == 400, query
    assert api_client(person("guest")).get(f"/api/v1/rooms/{room.slug}/invitable/?q=many").json()["people"] == []


def test_a_search_among_all_uses_indexes() -> None:
    room = open_room()
    with CaptureQueriesContext(connection) as seen:
        names(room, room.host, "jong")
    (search,) = [query["sql"] for query in seen.captured_queries if "to_tsquery" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "user_handle_beginning" in plan and "user_name_words" in plan, plan
