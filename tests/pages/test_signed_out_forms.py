"""Forms that are sent signed out: signing in leads back to their page, which says that nothing was changed and has what
was typed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from core import bus
from moderation.models import Report
from people.models import Creator, User
from people.signed_in import KEPT, OWNER, owner_mark
from rooms.models import Room
from tests.attacks.addresses import addresses
from tests.support.people import PASSWORD, person
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db
NOT_PAGES = ("/api/", "/admin/", "/dev/", "/hls/", "/files/", "/healthz", "/readyz")
LOGIN = "/accounts/login/"
BEFORE, AFTER = "You are signed out, so nothing was changed yet.", "You were signed out, so nothing was changed yet."
WORDS = "quixotryzebra was said at the table"


def pages_of_the_site(room: Room) -> list[str]:
    """One address of each pattern, those for programs and the admin aside."""
    values = {"slug": room.slug, "handle": "host", "receipt": str(uuid4()), "kind": "vtt"}
    return [path for path in addresses(values) if not path.startswith(NOT_PAGES)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def leads_to(answer: Any) -> str:
    """The `next` of a redirect to signing in."""
    where = urlsplit(answer["Location"])
    assert answer.status_code == 302 and where.path == LOGIN, answer["Location"]
    wanted: str = parse_qs(where.query)["next"][0]
    return wanted


def sign_in(client: Client, user: User, answer: Any) -> Any:
    return client.post(answer["Location"], {"login": user.handle, "password": PASSWORD}, follow=True)


def text(answer: Any) -> str:
    content: str = answer.content.decode()
    return content


def test_no_page_of_the_site_answers_a_look_with_405() -> None:
    """Signed out each form leads through signing in to an address that can be looked at."""
    room = open_room()
    host, through = signed_in(room.host), []
    for address in pages_of_the_site(room):
        assert host.get(address).status_code != 405, address
        answer = Client().post(address)
        if answer.status_code == 302 and answer["Location"].startswith(f"{LOGIN}?next="):
            through.append(address)
            assert host.get(leads_to(answer), follow=True).status_code != 405, address
    wanted = {"entry", "speak", "to-audience", "language", "objection", "withdraw", "follow", "unfollow", "picture"}
    assert {address.rstrip("/").rpartition("/")[2] for address in through} > wanted
    assert len(through) > 30, through


def test_a_form_that_was_sent_signed_out_says_afterwards_that_it_did_nothing() -> None:
    room, client = open_room(entry_policy="anyone"), Client()
    page = room.get_absolute_url()
    answer = client.post(f"{page}entry/", {"policy": "signed_in"}, headers={"referer": f"http://testserver{page}?a=b"})
    assert leads_to(answer) == f"{page}?a=b"
    assert BEFORE in text(client.get(answer["Location"]))
    there = sign_in(client, room.host, answer)
    assert there.redirect_chain[-1][0] == f"{page}?a=b" and AFTER in text(there)
    room.refresh_from_db()
    assert room.entry_policy == "anyone"
    assert AFTER not in text(client.get(page)), "said once"
    # Whoever signs in without having sent a form is told nothing.
    assert AFTER not in text(sign_in(Client(), room.host, {"Location": f"{LOGIN}?next={page}"}))


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "https://evil.example/r/x/",
        "http://testserver//evil.example/",
        "http://testserver/\\evil.example",
        "javascript:alert(1)",
        "http://testserver/" + "x" * 600,
        "http://testserver@evil.example/",
    ],
)
def test_the_page_of_a_form_is_on_this_site(referer: str) -> None:
    room = open_room()
    target = f"{room.get_absolute_url()}language/"
    assert leads_to(Client().post(target, {"language": "nl"}, headers={"referer": referer})) == target
    assert signed_in(room.host).get(target)["Location"] == room.get_absolute_url()


def filled(client: Client, path: str, **values: str) -> dict[str, str]:
    """The values of a form with the mark of its owner, as a page has it."""
    mark = re.search(rf'name="{OWNER}" value="([^"]+)"', text(client.get(path)))
    assert mark, path
    return {**values, OWNER: mark[1]}


def test_what_was_typed_is_in_the_form_again_for_its_owner_alone() -> None:
    room, lea, other = open_room(), person("lea"), person("other")
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=5))
    client, path = signed_in(lea), f"/rooms/{room.slug}/report/"
    typed = {"about": "host", "category": "hate", "starts": "1:11", "ends": "2:22", "words": WORDS, "good_faith": "on"}
    form = filled(client, path, **typed)
    client.logout()
    answer = client.post(path, form)
    assert leads_to(answer) == path and not Report.objects.exists()
    assert 0 < bus.client().ttl(bus.key(f"unsent:{lea.pk}")) <= KEPT
    for reader in (Client(), signed_in(other)):
        assert WORDS not in text(reader.get(path, follow=True))
    there = text(sign_in(client, lea, answer))
    assert AFTER in there and WORDS in there and 'value="1:11"' in there and 'value="2:22"' in there
    assert re.search(r'<option value="hate"\s+selected', there) and re.search(r'<option value="host"\s+selected', there)
    assert WORDS not in text(client.get(path)), "given back once"
    assert client.post(path, form).status_code == 302 and Report.objects.get().words == WORDS


def test_nothing_is_kept_for_nobody_and_no_more_than_a_form() -> None:
    room, lea = open_room(), person("lea")
    path = f"/rooms/{room.slug}/report/"
    mark = owner_mark(lea)
    for wrong in ("", str(lea.pk), mark[:-1], mark.replace(str(lea.pk), str(room.host.pk), 1)):
        Client().post(path, {"words": WORDS, OWNER: wrong})
    Client().post(path, {"words": "x" * 20_000, OWNER: mark})
    assert not bus.client().keys(bus.key("unsent:*"))
    Client().post(path, {"words": WORDS, OWNER: mark})
    assert WORDS not in text(signed_in(lea).get("/settings/")), "another form"
    assert WORDS in text(signed_in(lea).get(path))


@pytest.mark.parametrize(
    ("path", "values"),
    [("/rooms/open/", {"title": WORDS}), ("/settings/", {"about": WORDS}), ("/creators/", {"plan": WORDS})],
)
def test_other_forms_keep_what_was_typed(path: str, values: dict[str, str]) -> None:
    user = person("lea", creator=path != "/creators/")
    client = signed_in(user)
    form = filled(client, path, **values)
    client.logout()
    assert leads_to(client.post(path, form)) == path
    client.force_login(user)
    page = text(client.get(path))
    assert WORDS in page and not Room.objects.exists() and not Creator.objects.filter(plan=WORDS).exists()
    if path == "/rooms/open/":
        assert not re.search(r'name="transcription"[^>]* checked', page), "a box that was not ticked stays so"
