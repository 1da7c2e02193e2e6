"""Pages about blocks, without script: what is said before one, the list, undoing it; and only the blocker sees it."""

from __future__ import annotations

import pytest
from django.test import Client

from people.models import User
from rooms.models import Removal
from social.actions.blocks import BLOCKS, block
from social.models import Block, Follow
from tests.support.people import person
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_a_look_says_what_a_block_does_and_a_post_does_it() -> None:
    anna, bert = person("anna"), person("bert")
    Follow.objects.create(follower=anna, followed=bert)
    client = signed_in(anna)
    assert 'href="/people/bert/block/"' in text(client, "/people/bert/")
    page = text(client, "/people/bert/block/")
    assert "Block <bdi>Bert</bdi>?" in page and "neither follows nor invitations" in page
    assert "If you are in a room that they host, you leave it at once." in page
    assert not Block.objects.exists(), "a look blocks nobody"
    assert client.post("/people/bert/block/")["Location"] == "/people/bert/"
    assert Block.objects.get().blocked == bert and not Follow.objects.exists()
    page = text(client, "/people/bert/")
    assert "You block this person." in page and 'action="/people/bert/unblock/"' in page
    assert "/follow/" not in page and 'href="/people/bert/block/"' not in page
    assert client.get("/people/bert/block/")["Location"] == "/people/bert/"
    assert client.post("/people/bert/unblock/")["Location"] == "/people/bert/"
    assert not Block.objects.exists() and not Follow.objects.exists()


def test_a_host_who_is_live_and_a_removal_that_stays(django_capture_on_commit_callbacks: object) -> None:
    room = open_room()
    guest, lea = seated("guest", room), person("lea")
    assert "They host “<bdi>Voices at the table</bdi>” now:" in text(signed_in(lea), "/people/host/block/")
    client = signed_in(room.host)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        client.post("/people/guest/block/")
    assert Removal.objects.get().user == guest
    assert "until its" in text(client, "/people/guest/")
    client.post("/people/guest/unblock/")
    assert Removal.objects.get().undone_at is None


def test_the_list_is_the_readers_own_and_undoes_also_closed_accounts() -> None:
    anna, bert, carl = person("anna"), person("bert", name="Bert <b>"), person("carl")
    block(anna, bert)
    block(carl, anna)
    User.objects.filter(pk=bert.pk).update(is_active=False)
    client = signed_in(anna)
    page = text(client, "/settings/blocks/")
    assert "Bert &lt;b&gt;" in page and "@bert" in page and "@carl" not in page
    assert 'href="/settings/blocks/"' in text(client, "/settings/")
    assert "You block nobody." in text(signed_in(bert_open := person("dora")), "/settings/blocks/")
    assert client.post("/people/bert/unblock/", {"next": "/settings/blocks/"})["Location"] == "/settings/blocks/"
    assert list(Block.objects.values_list("blocker", "blocked")) == [(carl.pk, anna.pk)]
    assert client.post("/people/bert/unblock/")["Location"] == "/settings/blocks/", "their page is no more"
    away = client.post("/people/carl/unblock/", {"next": "https://evil.example/"})["Location"]
    assert away == "/people/carl/" and Block.objects.count() == 1, "another's block is not undone"
    assert not Block.objects.filter(blocker=bert_open).exists()


def test_the_blocked_person_and_others_see_the_same_pages_as_before() -> None:
    anna, bert, carl = person("anna"), person("bert"), person("carl")
    readers = [signed_in(bert), signed_in(carl), Client()]

    def look() -> list[str]:
        pages = [client.get(path) for client in readers for path in ("/people/anna/", "/people/bert/")]
        return [str(page.context["shown"]) for page in pages] + [str(page.context["person"]) for page in pages]

    before = look()
    block(anna, bert)
    assert look() == before
    for client in readers:
        for path in ("/people/anna/", "/people/bert/"):
            assert "You block" not in text(client, path), path


def test_rights_and_bad_input() -> None:
    anna = person("anna")
    person("gone", is_active=False)
    client = signed_in(anna)
    for path in ("/people/anna/block/", "/people/anna/unblock/", "/settings/blocks/"):
        assert Client().get(path)["Location"].startswith("/accounts/login/?next="), path
        assert Client().post(path).status_code in (302, 405), path
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(anna)
        assert strict.post(path).status_code == 403, path
    assert client.get("/people/anna/block/")["Location"] == "/people/anna/"
    answer = client.post("/people/anna/block/", follow=True)
    assert "You cannot block yourself." in answer.content.decode()
    for path in ("/people/gone/block/", "/people/nobody-here/block/"):
        assert client.post(path).status_code == 404, path
    for path in ("/people/gone/unblock/", "/people/nobody-here/unblock/"):
        assert client.post(path)["Location"] == "/settings/blocks/", "who is closed is as who never was"
    assert client.get("/people/anna/unblock/").status_code == 302
    assert not Block.objects.exists()


def test_blocks_in_bulk_are_slowed_down_in_words() -> None:
    client = signed_in(person("anna"))
    person("bert")
    for _number in range(BLOCKS.burst + 5):
        client.post("/people/bert/block/")
    answer = client.post("/people/bert/block/", follow=True)
    assert "That was a bit much at once." in answer.content.decode()
