"""Pages of invitations without script: the form, the answers to a card, and the landing page of a personal link."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core import signing
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from pages.js_messages.invitations import ANSWERS, answer, invite_words
from people.models import User
from rooms import actions
from rooms.message_kinds import InvitationKind, RoomKind
from rooms.models import Arrival, Invitation, PersonalLink, Room, ShareLink
from rooms.rules.refusals import TABLE
from social.models import Follow, Message
from tests.support.invitations import invited, reachable
from tests.support.people import person
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def at(room: Room, path: str) -> str:
    return f"{room.get_absolute_url()}{path}"


def new_link(room: Room) -> str:
    return actions.make_link(room.pk, room.host, "Pim")[1]


# --- the form ---------------------------------------------------------------------------------------------------------


def test_each_line_of_a_list_is_answered_and_those_refused_stay_in_the_field() -> None:
    room = open_room()
    people = [reachable(handle) for handle in ("bert", "carl")]
    seated("ada", room)
    lines = "@bert, CARL bert\r\nnobody-here;<b>\nada"
    page = browser(room.host).post(at(room, "invite/"), {"do": "invite", "kind": "speak", "handles": lines})
    text = page.content.decode()
    assert "2 people are invited." in text
    assert "&lt;b&gt;</bdi> <span>This is no handle." in text and "<b>" not in text
    assert "<bdi>@ada</bdi> <span>This person sits at the table already." in text
    assert "nobody-here\n&lt;b&gt;\nada</textarea>" in text, "what was refused can be mended"
    assert set(Invitation.objects.values_list("user", "kind")) == {(user.pk, "speak") for user in people}


def test_a_guest_invites_to_listen_whatever_the_form_says() -> None:
    room = open_room()
    guest, friend = person("guest"), person("friend")
    Follow.objects.create(follower=friend, followed=guest)
    client = browser(guest)
    assert "data-invite-kinds hidden" in client.get(at(room, "invite/")).content.decode()
    page = client.post(at(room, "invite/"), {"do": "invite", "kind": "speak", "handles": "friend"})
    text = page.content.decode()
    assert str(TABLE["not_host"].text) in text and "data-invite-answers hidden" not in text
    assert not Invitation.objects.exists()
    page = client.post(at(room, "invite/"), {"do": "link", "label": "Pim"})
    assert str(TABLE["not_host"].text) in page.content.decode()
    assert not PersonalLink.objects.exists()
    page = client.post(at(room, "invite/"), {"do": "invite", "kind": "listen", "handles": "friend"})
    assert "1 person is invited." in page.content.decode()
    assert Invitation.objects.get().kind == "listen"


def test_a_link_is_shown_once_and_the_address_to_share_is_one_s_own() -> None:
    room = open_room()
    host = browser(room.host)
    page = host.post(at(room, "invite/"), {"do": "link", "label": "  "}).content.decode()
    assert "Say who it is for." in page and not PersonalLink.objects.exists()
    page = host.post(at(room, "invite/"), {"do": "link", "label": "<i>Pim"}).content.decode()
    assert f"/r/{room.slug}/come/" in page and PersonalLink.objects.get().label == "<i>Pim"
    assert "/come/" not in host.get(at(room, "invite/")).content.decode()
    assert not ShareLink.objects.exists(), "looking at the page makes none"
    page = host.post(at(room, "invite/"), {"do": "share"}).content.decode()
    assert f"/r/{room.slug}/?by={ShareLink.objects.get().code}" in page


def test_people_are_searched_and_those_ticked_are_invited() -> None:
    room = open_room()
    fan = reachable("fan", name="Fay <b>")
    reachable("stranger", name="Fay too")
    Follow.objects.create(follower=fan, followed=room.host)
    host = browser(room.host)
    asked = {"do": "search", "kind": "listen", "among": "followers", "q": "fa", "handles": "bert", "user": ["carl"]}
    text = host.post(at(room, "invite/"), asked).content.decode()
    assert 'name="user" value="fan"' in text and "Fay &lt;b&gt;" in text and "stranger" not in text
    assert "1 person" in text and "carl\nbert</textarea>" in text, "who was ticked before is not lost"
    assert 'value="listen" id="invite-listen" checked' in text and not Invitation.objects.exists()
    assert "stranger" in host.post(at(room, "invite/"), {"do": "search", "among": "", "q": "fay"}).content.decode()
    guest = browser(person("guest"))
    text = guest.post(at(room, "invite/"), {"do": "search", "among": "", "q": "fay"}).content.decode()
    assert "Nobody is found." in text and "stranger" not in text
    for wrong in ("everybody", "room unknown", "room"):
        answer = host.post(at(room, "invite/"), {"do": "search", "among": wrong, "q": "fay"})
        assert answer.status_code == 200 and 'name="user"' not in answer.content.decode(), wrong
    page = host.post(at(room, "invite/"), {"do": "invite", "kind": "speak", "user": ["fan"], "handles": ""})
    assert "1 person is invited." in page.content.decode() and Invitation.objects.get().user == fan


def test_what_the_host_s_side_sent_is_taken_back_without_script() -> None:
    room, other = open_room(), open_room("other")
    invited("guest", room)
    invited("theirs", other)
    new_link(room)
    row, foreign = Invitation.objects.get(room=room), Invitation.objects.get(room=other)
    link = PersonalLink.objects.get()
    host, guest = browser(room.host), browser(person("bystander"))
    assert "Invited before" not in guest.get(at(room, "invite/")).content.decode()
    text = host.get(at(room, "invite/")).content.decode()
    assert text.count("Take back") == 2 and "to speak · no answer yet" in text and "@theirs" not in text
    for who, key in ((guest, row.pk), (host, foreign.pk), (host, "x"), (host, "9" * 30), (host, "")):
        answer = who.post(at(room, "invite/"), {"do": "revoke", "key": key})
        assert answer.status_code == 200 and "It is taken back." not in answer.content.decode(), key
    guest.post(at(room, "invite/"), {"do": "revoke_link", "key": link.pk})
    assert set(Invitation.objects.values_list("state", flat=True)) == {"pending"}
    assert not PersonalLink.objects.exclude(revoked_at=None).exists()
    assert b"It is taken back." in host.post(at(room, "invite/"), {"do": "revoke", "key": row.pk}).content
    text = host.post(at(room, "invite/"), {"do": "revoke_link", "key": link.pk}).content.decode()
    row.refresh_from_db()
    assert row.state == "revoked" and not PersonalLink.objects.filter(revoked_at=None).exists()
    assert text.count("taken back") == 3 and "Take back" not in text


def test_a_player_without_script_counts_whoever_came_by_a_link() -> None:
    room = open_room()
    code = actions.share_link(room.pk, room.host).code
    listener, playlist = Client(), f"/r/{room.slug}/live.m3u8"
    page = listener.get(f"{room.get_absolute_url()}?by={code}&x=<b>").content.decode()
    assert f'src="/r/{room.slug}/listen.m3u8?by={code}"' in page and not Arrival.objects.exists()
    for wanted in (code, "unknown", "<b>", "", "x" * 3000):
        for _time in range(2):
            assert listener.get(at(room, "listen.m3u8"), {"by": wanted})["Location"] == playlist
    assert Arrival.objects.get().link.code == code
    assert browser(room.host).get(at(room, "listen.m3u8"), {"by": code}).status_code == 302
    assert Arrival.objects.count() == 1, "never the one who shared it"
    assert f'src="{playlist}"' in listener.get(room.get_absolute_url()).content.decode()


def test_nobody_invites_who_may_not_come_in() -> None:
    room = open_room(entry_policy="followers")
    assert Client().get(at(room, "invite/")).status_code == 302, "to signing in"
    stranger = browser(person("stranger"))
    answer = stranger.post(at(room, "invite/"), {"do": "share"})
    assert answer.status_code == 302 and answer["Location"] == room.get_absolute_url()
    assert not ShareLink.objects.exists()
    actions.end_room(room.pk, room.host)
    assert browser(room.host).get(at(room, "invite/")).status_code == 302


def test_every_answer_has_its_words() -> None:
    assert set(ANSWERS) - {"bad_value"} <= set(TABLE)
    words = invite_words()
    assert all(words[f"answer_{code}"] == answer(code) for code in ("invited", *ANSWERS))


# --- answers to a card ------------------------------------------------------------------------------------------------


def test_accepting_leads_into_the_live_room() -> None:
    room = open_room(speak_policy="invited")
    guest = browser(invited("guest", room))
    assert guest.get(at(room, "invitation/accept/"))["Location"] == room.get_absolute_url()
    assert Invitation.objects.get().state == "pending", "a link that is followed accepts nothing"
    answer = guest.post(at(room, "invitation/accept/"), {"next": "/messages/host/"})
    assert answer["Location"] == room.get_absolute_url()
    assert Invitation.objects.get().state == "accepted"
    assert "data-invited" in guest.get(room.get_absolute_url()).content.decode()


def test_declining_answers_in_place_and_leads_nowhere_else() -> None:
    room = open_room()
    guest = browser(invited("guest", room))
    assert guest.post(at(room, "invitation/decline/"), {"next": "/rules/"})["Location"] == "/rules/"
    assert Invitation.objects.get().state == "declined"
    for wanted in ("https://evil.example/", "//evil.example/", ""):
        answer = guest.post(at(room, "invitation/decline/"), {"next": wanted}, follow=True)
        assert answer.redirect_chain[0][0] == room.get_absolute_url()
        assert str(TABLE["unknown_invitation"].text) in answer.content.decode()


def test_nobody_answers_for_somebody_else() -> None:
    room = open_room()
    invited("guest", room)
    other = browser(person("other"))
    for path in ("invitation/accept/", "invitation/decline/"):
        other.post(at(room, path))
        Client().post(at(room, path))
    assert Invitation.objects.get().state == "pending"


@pytest.mark.parametrize(
    ("state", "own", "said", "forms"),
    [
        ("pending", True, "You are invited to speak.", ["accept", "decline"]),
        ("accepted", True, "You accepted.", ["decline"]),
        ("declined", True, "You declined.", []),
        ("revoked", True, "This invitation is not open any more.", []),
        ("pending", False, "No answer yet.", []),
        ("accepted", False, "Accepted.", []),
    ],
)
def test_a_card_offers_what_its_reader_can_do(state: str, own: bool, said: str, forms: list[str]) -> None:
    room = open_room(title="<b>Voices")
    guest = invited("guest", room)
    Invitation.objects.update(state=state)
    text = drawn(InvitationKind(), Message.objects.get(), guest if own else room.host)
    assert said in text and "<b>" not in text
    offered = [form for form in ("accept", "decline") if at(room, f"invitation/{form}/") in text]
    assert offered == forms and text.count("<form") == len(forms)


def test_a_card_of_a_room_that_is_over_names_nothing() -> None:
    room = open_room(title="Voices at the table")
    guest, friend = person("guest"), person("friend")
    Follow.objects.create(follower=friend, followed=guest)
    actions.invite(room.pk, guest, ["friend"], "listen")
    card = Message.objects.get()
    assert "Voices at the table" in drawn(RoomKind(), card, friend)
    actions.end_room(room.pk, room.host)
    assert "Voices at the table" not in drawn(RoomKind(), card, friend)


def drawn(kind: Any, message: Message, reader: User) -> str:
    card = kind.draw([message], reader)[message.pk]
    request = RequestFactory().get("/messages/host/")
    request.user = reader
    return render_to_string(card.template, dict(card.context), request)


# --- the landing page of a personal link ------------------------------------------------------------------------------


def test_looking_at_a_personal_link_changes_nothing_and_tells_no_other_site() -> None:
    room = open_room(title="<b>Voices", entry_policy="signed_in")
    path = new_link(room)
    for client in (Client(), browser(person("guest"))):
        answer = client.get(path, follow=True)
        text = answer.content.decode()
        assert answer.status_code == 200 and "&lt;b&gt;Voices" in text and "<b>" not in text
        assert answer["Referrer-Policy"] == "same-origin" and answer["X-Robots-Tag"] == "noindex"
        assert "no-store" in answer["Cache-Control"]
    link = PersonalLink.objects.get()
    assert link.used_at is None and not Invitation.objects.exists()
    stranger = Client()
    assert f"/accounts/signup/?next={at(room, 'come/').replace('/', '%2F')}" in opened(stranger, path)
    signed_out = stranger.post(at(room, "come/"))
    assert signed_out["Location"] == f"/accounts/login/?next={at(room, 'come/')}" and not Invitation.objects.exists()


def opened(client: Client, link: str) -> str:
    """Open a personal link in a browser; returns the page to which it leads."""
    return client.get(link, follow=True).content.decode()


def test_the_token_is_in_no_address_or_page_and_only_in_its_own_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    room, other = open_room(), open_room("another")
    path = new_link(room)
    token = path.split("/")[-2]
    client = Client()
    answer = client.get(path)
    assert answer["Location"] == at(room, "come/") and answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex" and "no-store" in answer["Cache-Control"]
    cookie = answer.cookies["come"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (at(room, "come/"), True, "Lax")
    assert 0 < int(cookie["max-age"]) <= 24 * 3600
    assert token not in opened(client, path) and token not in str(client.session.items())
    signer = signing.get_cookie_signer(salt=f"come{room.slug}")
    assert with_cookie(room, signer.sign(token)).status_code == 200
    monkeypatch.setattr(signer, "timestamp", lambda: signing.b62_encode(int(time.time()) - 24 * 3600))
    refused = [with_cookie(other, cookie.value)]
    refused += [
        with_cookie(room, value) for value in (signer.sign(token), token, f"{token}:x:y", cookie.value[:-1], "")
    ]
    for page in refused:
        assert page.status_code == 404 and str(TABLE["link_not_here"].text) in page.content.decode()


def with_cookie(room: Room, value: str) -> Any:
    """The page of a personal link to a room, asked with a cookie that no browser would send there."""
    client = Client()
    client.cookies["come"] = value
    return client.get(at(room, "come/"))


def test_a_personal_link_is_one_person_s() -> None:
    room = open_room(entry_policy="followers", speak_policy="invited")
    path, come, pim = new_link(room), at(room, "come/"), person("pim")
    client = browser(pim)
    client.get(path)
    for _time in range(2):
        assert client.post(come)["Location"] == room.get_absolute_url()
    invitation = Invitation.objects.get()
    assert (invitation.user, invitation.state) == (pim, "accepted")
    assert client.get(room.get_absolute_url()).status_code == 200
    other, nobody = browser(person("other")), Client()
    for page in (other.get(path, follow=True), other.post(come), nobody.get(path, follow=True)):
        assert page.status_code == 410 and str(TABLE["link_used"].text) in page.content.decode()
    assert Invitation.objects.count() == 1


def test_links_that_do_not_work_say_so() -> None:
    room, other = open_room(), open_room("another")
    path, guest = new_link(room), browser(person("guest"))
    for wrong in (at(room, "come/nothing/"), path.replace(room.slug, other.slug), at(room, f"come/{'x' * 400}/")):
        page = guest.get(wrong, follow=True)
        assert page.status_code == 404 and str(TABLE["unknown_link"].text) in page.content.decode()
    assert guest.post(path).status_code == 405 and guest.post(at(other, "come/")).status_code == 404
    actions.revoke_link(room.pk, room.host, PersonalLink.objects.get().pk)
    assert guest.get(path, follow=True).status_code == guest.post(at(room, "come/")).status_code == 410
    late = new_link(room)
    actions.end_room(room.pk, room.host)
    assert guest.get(late, follow=True).status_code == guest.post(at(room, "come/")).status_code == 410
    assert not Invitation.objects.exists()


def test_the_room_s_page_has_the_form_for_people_with_an_account() -> None:
    room = open_room()
    assert "invite-sheet" not in Client().get(room.get_absolute_url()).content.decode()
    for user in (room.host, person("guest")):
        text = browser(user).get(room.get_absolute_url()).content.decode()
        assert "invite-sheet" in text and at(room, "invite/") in text
        assert ("data-invite-kinds hidden" in text) is (user != room.host)
