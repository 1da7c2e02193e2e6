"""Own-data downloads: asked for, made by a worker that may be killed, fetched by their owner alone, deleted in time."""

from __future__ import annotations

import errno
import hashlib
import stat
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from people.actions.standing import close_account, impose_sanction
from people.models import DataExport, Session, User
from people.own_data import archive, files, making
from people.own_data.actions import ask_for_data, discard_own_data, make_without
from people.own_data.line import unrecorded_downloads
from people.refusals import PeopleRefused
from social.models import Message
from social.threads import messages_of, official_thread
from tests.support.messages import deliver
from tests.support.own_data import files_in, made, texts_in
from tests.support.people import PASSWORD, api_client, person
from tests.support.staff import second_step_of
from tests.support.ways_in import confirm

pytestmark = pytest.mark.django_db
PAGE = "/settings/data/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def kinds(user: User) -> list[str]:
    return list(Entry.objects.filter(subject=f"person:{user.pk}").order_by("seq").values_list("kind", flat=True))


def age(export: DataExport, **values: timedelta) -> None:
    """Move moments of a row into the past."""
    DataExport.objects.filter(pk=export.pk).update(**{name: timezone.now() - by for name, by in values.items()})


# --- asking ---------------------------------------------------------------------------------------------------------


def test_the_password_is_asked_first_and_a_double_click_is_one_download() -> None:
    anna = person("anna")
    client = signed_in(anna)
    asked = client.post(f"{PAGE}ask/")
    assert asked.status_code == 302 and asked["Location"].startswith("/accounts/reauthenticate/")
    assert not DataExport.objects.exists()
    client.post(asked["Location"], {"password": "wrong"})
    assert not DataExport.objects.exists()
    answer = client.post(asked["Location"], {"password": PASSWORD})
    assert answer.status_code == 302 and answer["Location"] == PAGE
    assert client.post(f"{PAGE}ask/").status_code == 302  # once more, within five minutes
    (export,) = DataExport.objects.all()
    assert (export.person, export.state, kinds(anna)) == (anna, "waiting", ["own_data_asked"])
    page = client.get(PAGE).content.decode()
    assert "We are putting your data together" in page and "Ask for my data" not in page
    assert client.get(f"{PAGE}ask/").status_code == 302 and DataExport.objects.count() == 1


def test_nobody_asks_signed_out_by_a_program_or_for_a_closed_account() -> None:
    anna = person("anna")
    for client in (Client(), api_client(anna)):
        assert client.post(f"{PAGE}ask/")["Location"].startswith("/accounts/login/")
        assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    close_account(anna, None, "spam")
    with pytest.raises(PeopleRefused, match="account_closed"):
        ask_for_data(anna)
    assert not DataExport.objects.exists()


def test_a_few_a_day_and_the_page_says_so() -> None:
    anna = person("anna")
    for _time in range(settings.OWN_DATA_A_DAY):
        made(anna)
    client = signed_in(anna)
    confirm(client)
    answer = client.post(f"{PAGE}ask/")
    assert answer.status_code == 429 and "several times today" in answer.content.decode()
    assert DataExport.objects.filter(person=anna, state="waiting").count() == 0
    assert DataExport.objects.filter(person=anna, state="ready").count() == 1  # the last one took the others' place
    made(person("bert"))


def test_the_database_holds_what_matters() -> None:
    anna, now = person("anna"), timezone.now()
    DataExport.objects.create(person=anna)
    whole = {"file": "x", "sha256": "x", "size": 1, "ready_at": now, "expires_at": now}
    for values in (
        {"person": anna, "state": "waiting"},
        {"person": anna, "state": "making", "file": "x", "lease_until": now},
        {"state": "making", "file": "x"},
        {"state": "ready", **whole, "file": ""},
        {"state": "ready", **whole, "sha256": ""},
        {"state": "ready", **whole, "expires_at": None},
        {"state": "ready", **whole, "lease_until": now},
        {"state": "expired", **whole, "ended_at": now},
        {"state": "expired"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            DataExport.objects.create(**{"person": person(), **values})
    DataExport.objects.create(person=anna, state="ready", **whole)
    with pytest.raises(IntegrityError), transaction.atomic():
        DataExport.objects.create(person=anna, state="ready", **whole)


# --- making ---------------------------------------------------------------------------------------------------------


def test_a_download_is_made_told_and_noted() -> None:
    anna = person("anna", language="nl")
    export = made(anna)
    path = files.path_of(export.file)
    content = path.read_bytes()
    assert (export.state, export.size) == ("ready", len(content))
    assert export.sha256 == hashlib.sha256(content).hexdigest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(files.folder().iterdir()) == [path]
    assert export.ready_at and export.expires_at
    assert export.expires_at - export.ready_at == timedelta(days=settings.OWN_DATA_DAYS)
    (letter,) = mail.outbox
    assert letter.to == ["anna@example.org"] and f"{settings.SITE_URL}{PAGE}" in letter.body
    assert str(export.pk) not in letter.body.replace(settings.SITE_URL, "") and export.file not in letter.body
    deliver()
    thread = official_thread(anna)
    assert thread is not None
    (line,) = messages_of(anna, thread).lines
    assert line.drawn.data == {"url": PAGE} and line.drawn.text.startswith("Your data is ready")
    assert kinds(anna) == ["own_data_asked", "own_data_made"] and list(unrecorded_downloads()) == []
    entry = Entry.objects.get(kind="own_data_made")
    assert entry.data == {"export": export.pk, "sha256": export.sha256, "bytes": export.size, "files": 10}
    assert not making.make(export.pk)  # done twice is done once


def test_the_guide_names_every_file_and_texts_are_plain() -> None:
    anna = person("anna", about="I <b>like</b> trains")
    content = files_in(made(anna))
    guides = [content.pop(name).decode() for name in archive.GUIDES]
    for guide in guides:
        assert all(name in guide for name in content) and "@anna" in guide
    assert "<html" in guides[1] and "http-equiv" not in guides[1] and "<script" not in guides[1]
    text = texts_in(DataExport.objects.get())["account"]
    assert (text["handle"], text["about"], text["email"]) == ("anna", "I <b>like</b> trains", "anna@example.org")
    assert text["joined_at"].endswith("Z")


def test_the_account_is_whole_and_no_secret_is_in_it() -> None:
    anna = person("anna")
    client = signed_in(anna)
    client.get("/settings/", headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    api_client(anna)
    second_step_of(anna)
    impose_sanction(anna, "no_stage", None, "words of staff")
    export = made(anna)
    text = texts_in(export)["account"]
    assert [one["kind"] for one in text["sanctions"]] == ["no_stage"]
    assert [one["name"] for one in text["tokens"]] == ["A program"]
    assert [one["type"] for one in text["second_steps"]] == ["totp"]
    assert len(text["sessions"]) == 1 and text["addresses"][0]["verified"] is True
    everything = b"".join(files_in(export).values()).decode(errors="replace")
    session, token, step = Session.objects.get(), anna.api_tokens.get(), Authenticator.objects.get()
    secrets = (anna.password, session.session_key, session.ident, token.hash, step.data["secret"], "words of staff")
    assert [secret for secret in secrets if secret in everything] == []


def test_a_killed_worker_s_download_is_taken_up_again_and_its_own_attempt_is_void(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna = person("anna")
    export = ask_for_data(anna)
    claimed = making._claim(export.pk)
    assert claimed is not None and making._claim(export.pk) is None  # nobody else has it meanwhile
    files.unfinished(claimed.file).write_bytes(b"half")
    age(export, lease_until=timedelta(seconds=1))
    asked: list[int] = []
    monkeypatch.setattr(making, "queue", asked.append)
    making.sweep()
    assert asked == [export.pk] and making.make(export.pk)
    export.refresh_from_db()
    assert [path.name for path in files.folder().iterdir()] == [export.file]
    late = making.Attempt(claimed)  # the first worker was not dead, only slow
    for act in (lambda: late.enter(1), late.rows, lambda: making._finish(late, "0" * 64, 1)):
        with pytest.raises(making.Superseded):
            act()
    assert files.path_of(export.file).is_file() and export.attempts == 0


def test_a_worker_whose_attempt_is_over_stops_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = person("anna")
    export = ask_for_data(anna)
    monkeypatch.setattr(making, "RENEWED", 0.0)
    write = archive.Archive._guide

    def meanwhile(*given: Any) -> None:
        discard_own_data(anna.pk)
        write(*given)

    monkeypatch.setattr(archive.Archive, "_guide", meanwhile)
    assert not making.make(export.pk)
    export.refresh_from_db()
    assert export.state == "expired" and list(files.folder().iterdir()) == [] and mail.outbox == []


def test_a_full_disk_is_waited_for_and_costs_no_attempt(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    export = ask_for_data(person("anna"))
    full = OSError(errno.ENOSPC, "No space left on device")
    for trouble in ("reserve", "write"):
        with monkeypatch.context() as patch:
            if trouble == "reserve":
                settings.RECORDINGS_RESERVE_MB = 2**40
            else:
                patch.setattr(archive.Archive, "_guide", lambda *_given: (_ for _ in ()).throw(full))
            for _time in range(making.TRIES + 1):
                age(export, next_at=timedelta(seconds=1))
                assert not making.make(export.pk)
            settings.RECORDINGS_RESERVE_MB = 16
        export.refresh_from_db()
        assert (export.state, export.attempts) == ("waiting", 0) and export.next_at > timezone.now()
        assert list(files.folder().iterdir()) == [] and not making.make(export.pk)  # not due yet
    age(export, next_at=timedelta(seconds=1))
    assert making.make(export.pk)


def test_three_failures_are_told_and_it_can_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = person("anna")
    export = ask_for_data(anna)
    with monkeypatch.context() as patch:
        patch.setattr(archive.Archive, "_guide", lambda *_given: 1 / 0)
        for _time in range(making.TRIES):
            age(export, next_at=timedelta(seconds=1))
            assert not making.make(export.pk)
    export.refresh_from_db()
    assert export.state == "failed" and export.ended_at and list(files.folder().iterdir()) == []
    client = signed_in(anna)
    page = client.get(PAGE).content.decode()
    assert "could not be put together" in page and "Try again" in page
    deliver()
    thread = official_thread(anna)
    assert thread is not None and "could not" in messages_of(anna, thread).lines[0].drawn.text
    confirm(client)
    client.post(f"{PAGE}ask/")
    assert DataExport.objects.filter(state="waiting").count() == 1


# --- an end ---------------------------------------------------------------------------------------------------------


def test_the_sweep_removes_what_no_row_names_and_remakes_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = person("anna")
    export = made(anna)
    foreign = files.path_of("photo.zip")
    for path in (foreign, files.path_of(f"{'a' * 32}.zip"), files.unfinished(f"{'b' * 32}.zip")):
        path.write_bytes(b"left")
    making.sweep()
    assert {path.name for path in files.folder().iterdir()} == {export.file, foreign.name}  # the folder may be shared
    files.path_of(export.file).unlink()
    making.sweep()
    export.refresh_from_db()
    assert export.state == "waiting" and "made again" in signed_in(anna).get(PAGE).content.decode()
    until = export.expires_at
    assert making.make(export.pk)
    export.refresh_from_db()
    assert export.expires_at == until and len(mail.outbox) == 1  # told once


def test_one_that_is_made_again_ends_in_time_and_makes_way_for_a_newer() -> None:
    anna = person("anna")
    export = made(anna)
    DataExport.objects.filter(pk=export.pk).update(rooms=[7])
    assert make_without([8]) == 0 and make_without([7, 9]) == 1
    assert list(files.folder().iterdir()) == []
    age(export, expires_at=timedelta(seconds=1))
    assert not making.make(export.pk)
    export.refresh_from_db()
    assert export.state == "expired"
    second = made(anna)
    DataExport.objects.filter(pk=second.pk).update(rooms=[7])
    third = ask_for_data(anna)
    make_without([7])
    second.refresh_from_db()
    assert (second.state, making.make(third.pk)) == ("expired", True)


def test_a_deleted_account_s_downloads_go_at_once() -> None:
    anna = person("anna")
    made(anna)
    waiting = ask_for_data(anna)
    for _time in range(2):
        discard_own_data(anna.pk)
        assert list(files.folder().iterdir()) == []
    assert not making.make(waiting.pk)
    assert set(DataExport.objects.values_list("state", flat=True)) == {"expired"}


def test_one_is_made_at_a_time_and_the_next_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (ask_for_data(person()) for _time in range(3))
    asked: list[int] = []
    monkeypatch.setattr(making, "queue", asked.append)
    write = archive.Archive._guide

    def meanwhile(*given: Any) -> None:
        assert not making.make(second.pk)  # many who ask at once leave the other workers of the queue alone
        write(*given)

    monkeypatch.setattr(archive.Archive, "_guide", meanwhile)
    assert making.make(first.pk)
    assert asked == [second.pk] and third.state == "waiting"


def test_none_is_made_for_an_account_that_was_closed_meanwhile() -> None:
    anna = person("anna")
    export = ask_for_data(anna)
    close_account(anna, None, "spam")
    assert not making.make(export.pk)
    export.refresh_from_db()
    assert (export.state, mail.outbox, Message.objects.count()) == ("expired", [], 0)
