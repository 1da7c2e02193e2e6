"""An account that its owner deletes is nobody's at once; what is kept of it has an end."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from ledger.hooks import entry_texts
from ledger.models import Entry
from people import queries
from people.actions import account
from people.actions.deletion import delete_account
from people.actions.roles import set_roles
from people.actions.standing import close_account, impose_sanction, reopen_account
from people.deleted import STORED_NAME
from people.groups import MODERATORS, ensure_groups
from people.hooks import account_deleted, reasons_to_tell
from people.models import ApiToken, Creator, DeletedAccount, Session, User
from people.refusals import PeopleRefused
from social.actions.blocks import block
from social.actions.follows import follow
from social.models import Block, Follow, Message
from social.queries import blocks_of
from tests.support.messages import deliver, texts, written
from tests.support.people import PASSWORD, api_client, person
from tests.support.staff import second_step_of, sign_in_staff
from tests.support.ways_in import entered, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _after_commits(django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what follows the commit of a deletion run here, where nothing commits."""

    def deleting(*args: Any, **values: Any) -> bool:
        with django_capture_on_commit_callbacks(execute=True):
            return delete_account(*args, **values)

    monkeypatch.setitem(globals(), "deleted", deleting)


deleted: Callable[..., bool] = delete_account


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(PeopleRefused) as refused:
        act()
    return str(refused.value.code)


@pytest.fixture
def needed() -> Any:
    """A reason for which the address is kept, as long as the set has something in it."""
    reasons: set[int] = set()
    reasons_to_tell.register("test")(lambda user_pk, _now: user_pk in reasons)
    yield reasons
    reasons_to_tell.unregister("test")


# --- what goes at once -----------------------------------------------------------------------------------------------


def test_everything_of_the_account_goes_at_once_and_its_row_stays() -> None:
    anna, bert = person("Anna", creator=True, name="Anna de Wit", about="I collect clocks."), person("bert")
    anna.picture.save("picture.webp", ContentFile(b"RIFF"))
    storage, picture = anna.picture.storage, str(anna.picture.name)
    second_step_of(anna)
    tokens, browser = api_client(anna), Client()
    browser.force_login(anna)
    follow(anna, bert), follow(bert, anna), block(anna, person("carl")), block(person("dora"), anna)
    account.update_profile(anna, time_zone="Europe/Amsterdam", messages_from="everyone", listens_unseen=True)
    assert deleted(anna, anna)
    row = User.objects.get(pk=anna.pk)
    assert (row.display_name, row.initials, row.email, row.about, row.picture.name) == (
        "Deleted person",
        "DP",
        "",
        "",
        "",
    )
    assert row.handle.startswith("deleted-") and not row.is_active and row.deleted_at and not row.has_usable_password()
    assert (row.time_zone, row.messages_from, row.listens_unseen) == ("UTC", "known", False)
    for rows in (
        EmailAddress.objects.filter(user=anna),
        Authenticator.objects.filter(user=anna),
        Session.objects.filter(user=anna),
        ApiToken.objects.filter(user=anna),
        Creator.objects.filter(user=anna),
        Follow.objects.all(),
        Block.objects.filter(blocker=anna),
    ):
        assert not rows.exists(), rows.model
    assert not storage.exists(picture)
    assert tokens.get("/api/v1/me/").status_code == 401 and browser.get("/settings/").status_code == 302
    dora = User.objects.get(handle="dora")
    assert Block.objects.filter(blocked=anna).exists() and not blocks_of(dora), "it does nothing, and is not shown"
    letter = mail.outbox[-1]
    assert letter.to == ["anna@example.org"] and "Hello Anna de Wit" in str(letter.body) and "@Anna" in str(letter.body)


def test_a_deletion_is_one_entry_and_the_second_one_changes_nothing() -> None:
    anna = person("anna")
    assert deleted(anna, anna)
    handle = User.objects.get(pk=anna.pk).handle
    assert not deleted(anna, anna) and User.objects.get(pk=anna.pk).handle == handle
    entry = Entry.objects.get(kind="account_deleted")
    assert (entry.subject, entry.actor, entry.data) == (f"person:{anna.pk}", anna.pk, {})
    words = entry_texts.get("account_deleted")
    assert words is not None and words(entry) == "Account deleted by its owner"
    assert len(mail.outbox) == 1


def test_its_name_is_in_the_language_of_each_reader_whatever_the_query() -> None:
    anna = person("anna")
    deleted(anna, anna)
    rows = User.objects.filter(pk=anna.pk)
    with translation.override("nl"):
        dutch = translation.gettext("Deleted person")
        assert rows.get().display_name == rows.values_list("display_name", flat=True)[0] == dutch
        row = rows.get()
        row.save()  # as some code that knows nothing of deletions would
    assert rows.get().display_name == "Deleted person" and rows.filter(display_name=STORED_NAME).exists()


def test_nobody_can_look_like_a_deleted_account() -> None:
    anna = person("anna")
    assert account.update_profile(anna, display_name=STORED_NAME).display_name == "Deleted person"
    assert not User.objects.filter(display_name=STORED_NAME).exists(), "typed, it is a name like any other"
    page = Client().post("/accounts/signup/", entered(username="deleted-0123456789abcdef"))
    assert b"This handle is kept free" in page.content
    assert not User.objects.filter(handle__startswith="deleted-").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"display_name": "Anna"},
        {"email": "anna@example.org"},
        {"about": "clocks"},
        {"is_active": True},
        {"is_staff": True},
        {"is_superuser": True},
        {"handle": "anna"},
        {"picture": "people/0.webp"},
        {"deleted_at": None},
    ],
)
def test_the_database_lets_nothing_back_into_a_deleted_account(values: dict[str, Any]) -> None:
    anna = person("anna")
    deleted(anna, anna)
    with pytest.raises(IntegrityError, match="user_deleted_is_nobody"), transaction.atomic():
        User.objects.filter(pk=anna.pk).update(**values)


def test_a_failure_in_the_middle_leaves_the_account_whole() -> None:
    anna = person("anna", creator=True, about="I collect clocks.")
    follow(anna, person("bert"))

    def broken(_former: object) -> list[Any]:
        raise RuntimeError("killed")

    account_deleted.register("test.broken")(broken)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            delete_account(anna, anna)
    finally:
        account_deleted.unregister("test.broken")
    row = User.objects.get(pk=anna.pk)
    assert (row.handle, row.about, row.email, row.is_active) == ("anna", "I collect clocks.", "anna@example.org", True)
    assert row.check_password(PASSWORD) and Creator.objects.filter(user=anna).exists() and Follow.objects.exists()
    assert not Entry.objects.filter(kind="account_deleted").exists() and not DeletedAccount.objects.exists()


# --- conversations ---------------------------------------------------------------------------------------------------


def test_others_keep_what_they_received_from_a_deleted_person() -> None:
    anna, bert = person("anna"), person("bert")
    thread = written(anna, bert, "See you at eight")
    written(bert, anna, "Fine")
    on_its_way = Message.objects.create(thread=thread, sender=bert, receiver=anna, body="Or nine?")
    deleted(anna, anna)
    deliver()
    assert texts(bert, thread) == ["See you at eight", "Fine", "Or nine?"]
    on_its_way.refresh_from_db()
    assert on_its_way.withheld and on_its_way.delivered_at is None
    assert not Message.objects.seen_by(anna.pk).exists()
    gone = User.objects.get(pk=anna.pk)
    page = Client()
    page.force_login(bert)
    shown = page.get(f"/messages/{gone.handle}/")
    assert shown.status_code == 200 and "Deleted person" in shown.content.decode()
    assert "anna" not in shown.content.decode().lower()
    assert page.get("/messages/").content.decode().count("Deleted person") >= 1


def test_nobody_finds_follows_blocks_invites_or_writes_to_a_deleted_account() -> None:
    anna, bert = person("anna", name="Anna de Wit"), person("bert", creator=True)
    follow(bert, anna)
    deleted(anna, anna)
    handle = User.objects.get(pk=anna.pk).handle
    client = Client()
    client.force_login(bert)
    api = api_client(bert)
    for name in ("anna", handle):
        assert client.get(f"/people/{name}/").status_code == 404
        assert client.get(f"/messages/{name}/").status_code == 404
        assert queries.person(name) is None and not queries.by_handles([name])
        for act in ("follow", "block"):
            assert client.post(f"/people/{name}/{act}/").status_code in (302, 404)
        assert (
            api.post(f"/api/v1/people/{name}/messages/", {"body": "Hello"}, content_type="application/json").status_code
            >= 400
        )
        assert queries.by_handles_or_emails([name, "anna@example.org"]).people == []
    assert not Follow.objects.exists() and not Block.objects.exists() and not Message.objects.exists()
    for call in (lambda: follow(bert, User.objects.get(pk=anna.pk)), lambda: block(bert, User.objects.get(pk=anna.pk))):
        assert refusal(call) == "unknown_person"


# --- who may, and how ------------------------------------------------------------------------------------------------


def test_only_its_owner_or_a_command_with_a_reason_deletes_an_account() -> None:
    anna, bert = person("anna"), person("bert")
    assert refusal(lambda: delete_account(anna, bert)) == "not_allowed"
    assert refusal(lambda: delete_account(anna, None)) == "bad_value"
    out = StringIO()
    call_command("account", "delete", "anna", "--why", "asked for it by post", stdout=out)
    assert out.getvalue().strip() == "@anna is deleted."
    assert Entry.objects.get(kind="account_deleted").actor is None
    with pytest.raises(CommandError, match="nobody with the handle"):
        call_command("account", "delete", "anna", "--why", "again", stdout=out)
    call_command("account", "delete", User.objects.get(pk=anna.pk).handle, "--why", "again", stdout=out)
    assert "was deleted before" in out.getvalue()


def test_the_last_superuser_stays_and_roles_of_staff_end_with_the_account() -> None:
    ensure_groups()
    olga, otto = (person(name, is_superuser=True, is_staff=True) for name in ("olga", "otto"))
    otto.groups.add(Group.objects.get(name=MODERATORS))
    assert deleted(otto, otto)
    row = User.objects.get(pk=otto.pk)
    assert not row.is_staff and not row.is_superuser and not row.groups.exists()
    taken = Entry.objects.get(kind="roles_changed")
    assert taken.data == {"given": [], "taken": ["moderator"]} and taken.actor == otto.pk
    assert refusal(lambda: delete_account(olga, olga)) == "last_superuser"
    assert User.objects.get(pk=olga.pk).is_active


def test_nobody_opens_a_deleted_account_again_or_gives_it_anything() -> None:
    ensure_groups()
    anna, root = person("anna"), person("root", is_superuser=True, is_staff=True)
    deleted(anna, anna)
    gone = User.objects.get(pk=anna.pk)
    for act in (
        lambda: reopen_account(gone, root, "please"),
        lambda: close_account(gone, root, "please"),
        lambda: set_roles(gone, ["moderator"], None, "please"),
        lambda: account.set_email(gone, "anna@example.org", confirmed=True),
        lambda: account.update_profile(anna, about="I was on my way"),
        lambda: account.remove_picture(anna),
    ):
        assert refusal(act) == "account_deleted"
    with pytest.raises(CommandError, match="deleted by its owner"):
        call_command("account", "reopen", gone.handle, "--why", "please", stdout=StringIO())
    client = sign_in_staff(Client(), root)
    page = client.get(f"/admin/people/user/{anna.pk}/change/").content.decode()
    assert "Deleted person" in page and 'name="display_name"' not in page
    for act_name in ("reopen", "end-sessions"):
        assert f"/act/{act_name}/" not in page
        client.post(f"/admin/people/user/{anna.pk}/act/{act_name}/", {"why": "please"})
    assert client.post(f"/admin/people/user/{anna.pk}/change/", {"display_name": "Anna"}).status_code == 403
    assert not User.objects.get(pk=anna.pk).is_active


def test_names_in_the_admins_own_log_go_too() -> None:
    anna, root = person("anna", name="Anna de Wit"), person("root", is_superuser=True, is_staff=True)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=root, content_type=kind, object_id=str(anna.pk), object_repr=str(anna), action_flag=CHANGE
    )
    deleted(anna, anna)
    assert "nna" not in LogEntry.objects.get().object_repr


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_pages_ask_for_the_password_the_handle_and_a_tick() -> None:
    anna, client = person("Anna"), Client()
    client.force_login(anna)  # some time ago, as far as allauth knows
    assert "/settings/delete/" in client.get("/settings/").content.decode()
    words = client.get("/settings/delete/").content.decode()
    assert "What stays, until when, and why" in words and "30 days" in words and "90" in words
    assert client.get("/settings/delete/confirm/")["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/settings/delete/confirm/"})
    for form, said in (
        ({}, "Without this tick"),
        ({"handle": "bert", "sure": "on"}, "This is not your handle"),
        ({"handle": "Anna"}, "Without this tick"),
    ):
        answer = client.post("/settings/delete/confirm/", form)
        assert answer.status_code == 400 and said in answer.content.decode()
    assert User.objects.get(pk=anna.pk).is_active
    answer = client.post("/settings/delete/confirm/", {"handle": " @anna", "sure": "on"})
    assert answer["Location"] == "/goodbye/" and not User.objects.get(pk=anna.pk).is_active
    page = client.get("/goodbye/")
    assert "Your account is deleted" in page.content.decode() and "Sign in" in page.content.decode()
    assert client.get("/settings/").status_code == 302


def test_a_form_that_was_sent_too_late_waits_for_the_password() -> None:
    anna, client = person("anna"), Client()
    client.force_login(anna)
    answer = client.post("/settings/delete/confirm/", {"handle": "anna", "sure": "on"})
    assert answer["Location"].startswith("/accounts/reauthenticate/") and User.objects.get(pk=anna.pk).is_active
    again = {"password": PASSWORD, "next": "/settings/delete/confirm/"}
    assert client.post("/accounts/reauthenticate/", again)["Location"] == "/goodbye/"
    assert client.get("/settings/").status_code == 302
    assert not User.objects.get(pk=anna.pk).is_active


def test_signed_out_and_by_get_nothing_is_deleted() -> None:
    anna, client = person("anna"), Client()
    for answer in (client.get("/settings/delete/"), client.post("/settings/delete/confirm/", {"sure": "on"})):
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    sign_in(client, "anna")
    client.get("/settings/delete/confirm/?handle=anna&sure=on")
    assert client.get("/goodbye/").status_code == 200
    assert User.objects.get(pk=anna.pk).is_active


def test_a_suspended_person_deletes_the_account_too() -> None:
    anna, client = person("anna"), Client()
    impose_sanction(anna, "suspended", None, "shouting")
    sign_in(client, "anna")
    assert "/settings/delete/" in client.get("/settings/").content.decode(), "the one page that they see leads there"
    assert client.get("/settings/delete/").status_code == 200
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/settings/delete/confirm/"})
    assert client.post("/settings/delete/confirm/", {"handle": "anna", "sure": "on"})["Location"] == "/goodbye/"
    assert User.objects.get(pk=anna.pk).deleted_at is not None


def test_the_last_superuser_reads_why_on_the_page() -> None:
    olga = person("olga", is_superuser=True, is_staff=True)
    client = sign_in_staff(Client(), olga)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/settings/delete/confirm/"})
    answer = client.post("/settings/delete/confirm/", {"handle": "olga", "sure": "on"})
    assert answer.status_code == 409 and "only administrator" in answer.content.decode()
