"""Mails: kept until a mail server took them, tried again, given up visibly; and the development mailbox."""

import email.policy
import json
import socket
import threading
from collections.abc import Generator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, send_mail
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from core import after_restore, append_file
from mail import outbox, sent_log
from mail.devmail import newest_mails
from mail.models import Mail
from people import notify
from tests.config.development_urls import DEV_KEY
from tests.support.people import person
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db


class MailServer:
    """An SMTP server that keeps what it takes, and refuses what it is told to."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.taken: list[tuple[list[str], bytes]] = []
        self.refuse = self.hang_up = b""
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                peer, _address = self.socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb", buffering=0) as line:
                self.talk(line)

    def talk(self, line: Any) -> None:
        to: list[str] = []
        line.write(b"220 test\r\n")
        while text := line.readline():
            verb = text[:4].upper()
            if verb == b"DATA":
                line.write(b"354 go on\r\n")
                data = b"".join(iter(line.readline, b".\r\n"))
                self.taken.append((to, data))
                to = []
            if self.hang_up and self.hang_up in text:
                return
            if verb == b"RCPT":
                if self.refuse and self.refuse in text:
                    line.write(b"550 no such person\r\n")
                    continue
                to.append(text.decode().split("<")[1].split(">")[0])
            line.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

    def stop(self) -> None:
        if self.thread.is_alive():
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a peer
            self.thread.join(5)
            self.socket.close()


@pytest.fixture
def server(settings: Any) -> Generator[MailServer]:
    """A mail server, and the settings that lead to it."""
    server = MailServer()
    settings.EMAIL_BACKEND = "mail.outbox.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
    settings.EMAIL_HOST_USER = ""
    settings.EMAIL_TIMEOUT = 3
    yield server
    server.stop()


def test_a_mail_is_kept_until_the_server_took_it(server: MailServer) -> None:
    message = EmailMultiAlternatives(
        "Grüße", "Hello\n.\nzoë", "A <a@example.org>", ["b@example.org"], bcc=["c@example.org"]
    )
    assert message.send() == 1
    rows = list(Mail.objects.order_by("to"))
    assert [(row.state, row.to, row.subject) for row in rows] == [
        (Mail.State.WAITING, "b@example.org", "Grüße"),
        (Mail.State.WAITING, "c@example.org", "Grüße"),
    ]
    assert outbox.send_due() == 2
    assert sorted(to for to, _data in server.taken) == [["b@example.org"], ["c@example.org"]]
    assert not any(b"c@example.org" in data for _to, data in server.taken)
    for row in rows:
        row.refresh_from_db()
        assert (row.state, bytes(row.source)) == (Mail.State.SENT, b"") and row.sent_at
    assert outbox.send_due() == 0


def put_back(row: Mail, before: Mail) -> None:
    """The outbox as a backup has it that was made before a mail was sent."""
    Mail.objects.filter(pk=row.pk).update(
        state=before.state, source=bytes(before.source), sent_at=None, attempts=0, next_at=before.next_at
    )


def test_an_outbox_out_of_a_backup_sends_nothing_twice(server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("sent", "sent too", "waits"):
        send_mail(name, "you", None, ["b@example.org"])
    before = {row.subject: row for row in Mail.objects.all()}
    Mail.objects.filter(subject="waits").update(next_at=timezone.now() + timedelta(hours=1))
    assert outbox.send_due() == 2
    for name in ("sent", "sent too"):
        put_back(before[name], before[name])
    file = sent_log.file_of(timezone.now())
    first, second = file.read_text().splitlines()
    assert "example" not in first and "sent" not in first.replace('"sent', "")
    forged = json.dumps({**json.loads(first), "mail": sent_log.digest(before["waits"])})
    file.write_text(f"{first}\n{second.replace(second[30:34], '0000')}\n{forged}\n{{torn")
    assert sent_log.mark_sent_again() == 1, "altered lines mark nothing"
    assert caplog.text.count("is none of ours") == 3
    file.write_text(f"{first}\n{second}\n")
    assert after_restore.apply() == ["1 mails were sent since it was made: not sent again"]
    assert after_restore.apply() == []
    assert len(server.taken) == 2 and outbox.send_due() == 0
    sent = Mail.objects.filter(state=Mail.State.SENT)
    assert {row.subject for row in sent} == {"sent", "sent too"}
    assert all(row.sent_at and not bytes(row.source) for row in sent)


def test_a_mail_whose_worker_died_once_the_server_had_it_is_not_sent_again(server: MailServer) -> None:
    send_mail("Hello", "you", None, ["b@example.org"])
    row = Mail.objects.get()
    sent_log.note_sent(row, timezone.now())
    assert sent_log.mark_sent_again() == 1 and outbox.send_due() == 0


def test_a_full_disk_outside_keeps_no_mail(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_values: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(append_file, "append_rows", full)
    send_mail("Hello", "you", None, ["b@example.org"])
    assert outbox.send_due() == 1 and Mail.objects.get().state == Mail.State.SENT


def test_a_mail_of_a_change_that_failed_does_not_exist(server: MailServer) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        send_mail("Hello", "you", None, ["b@example.org"])
        raise RuntimeError
    assert not Mail.objects.exists()


def test_without_a_server_it_is_tried_again_later_and_in_the_end_given_up(server: MailServer) -> None:
    server.stop()
    send_mail("Hello", "you", None, ["b@example.org"])
    waits = []
    for _number in range(len(outbox.DELAYS) + 1):
        before = timezone.now()
        assert outbox.send_due() == 0
        row = Mail.objects.get()
        waits.append(round((row.next_at - before).total_seconds(), -1))
        assert outbox.claim() is None
        Mail.objects.filter(state=Mail.State.WAITING).update(next_at=before)
    assert waits[:4] == [60, 300, 900, 3600]
    assert (row.state, row.attempts) == (Mail.State.FAILED, len(outbox.DELAYS) + 1)
    assert "refused" in row.error.lower() and bytes(row.source)
    assert outbox.retry_failed(Mail.objects.all()) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == (Mail.State.WAITING, 0)


def test_one_bad_address_does_not_hold_up_the_others(server: MailServer) -> None:
    server.refuse = b"nobody"
    for name in ("nobody", "b", "c"):
        send_mail("Hello", "you", None, [f"{name}@example.org"])
    assert outbox.send_due() == 2
    assert sorted(to for to, _data in server.taken) == [["b@example.org"], ["c@example.org"]]
    assert "550" in Mail.objects.get(state=Mail.State.WAITING).error


POISON = {
    "a letter before the @": ("jürgen@example.org", b"From: a@example.org\r\n\r\n"),
    "a domain that cannot be": ("b@\u2019.example", b"From: a@example.org\r\n\r\n"),
    "a line break": ("b@example.org\r\nRCPT TO:<c@example.org>", b"From: a@example.org\r\n\r\n"),
    "nobody it is from": ("b@example.org", b"Subject: x\r\n\r\n"),
    "nothing at all": ("", b""),
}


@pytest.mark.parametrize("name", POISON)
def test_a_mail_that_cannot_be_sent_is_alone_with_that(server: MailServer, name: str) -> None:
    """A mail that fails with any exception is retried ever later, then given up; the others are sent at once."""
    to, source = POISON[name]
    bad = Mail.objects.create(to=to, subject="Bad", source=source)
    send_mail("Hello", "you", None, ["b@example.org"])
    send_mail("Hello", "you", None, ["c@example.org"])
    assert outbox.send_all_due() == 2
    assert [to for to, _data in server.taken] == [["b@example.org"], ["c@example.org"]]
    waits = []
    for _number in range(len(outbox.DELAYS)):
        bad.refresh_from_db()
        waits.append(round((bad.next_at - timezone.now()).total_seconds(), -1))
        assert bad.state == Mail.State.WAITING and bad.error
        Mail.objects.filter(pk=bad.pk).update(next_at=timezone.now())
        assert outbox.send_all_due() == 0
    bad.refresh_from_db()
    assert bad.state == Mail.State.FAILED and waits[:4] == [60, 300, 900, 3600]


def test_an_address_with_a_name_in_other_letters_is_written_as_mail_servers_take_it(server: MailServer) -> None:
    send_mail("Hello", "you", None, ["Zoë <name@müller.example>", "name@straße.example"])
    assert outbox.send_due() == 2
    assert [to for to, _data in server.taken] == [["name@xn--mller-kva.example"], ["name@xn--strae-oqa.example"]]
    for _to, data in server.taken:
        data.decode("ascii")


def test_a_server_that_is_silent_is_not_asked_again_for_every_mail(server: MailServer, settings: Any) -> None:
    """It takes connections and never says a word: one mail waits for it, the others are as they were."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = silent.getsockname()[1], 0.3
        for name in "bcdef":
            send_mail("Hello", "you", None, [f"{name}@example.org"])
        assert outbox.send_all_due() == 0
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    settings.EMAIL_PORT = server.port
    assert outbox.send_all_due() == 4


def test_a_server_that_hangs_up_in_the_middle_ends_the_batch(server: MailServer) -> None:
    server.hang_up = b"nobody"
    for name in ("nobody", "b", "c"):
        send_mail("Hello", "you", None, [f"{name}@example.org"])
    assert outbox.send_all_due() == 0
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert outbox.send_all_due() == 2, "the one it does not like waits, the others do not"


def test_one_batch_at_a_time(server: MailServer) -> None:
    """A second one would take the place of the rooms' clock in their worker."""
    send_mail("Hello", "you", None, ["b@example.org"])
    with outbox.batch_lock() as mine:
        assert mine and outbox.send_all_due() == 0
    assert outbox.send_all_due() == 1


def test_a_mail_that_ends_its_worker_each_time_is_given_up_too(server: MailServer) -> None:
    send_mail("Hello", "you", None, ["b@example.org"])
    leases = []
    for _number in range(len(outbox.DELAYS) + 1):
        row = outbox.claim()  # and then it dies
        assert row is not None
        leases.append(round((row.next_at - timezone.now()).total_seconds(), -1))
        Mail.objects.update(next_at=timezone.now())
    assert outbox.send_due() == 0
    row = Mail.objects.get()
    assert (row.state, row.error) == (Mail.State.FAILED, outbox.STRANDED)
    assert leases[:4] == [300, 300, 900, 3600]


def test_no_line_of_a_mail_is_longer_than_servers_take_and_no_name_makes_a_header(server: MailServer) -> None:
    anna = person("anna", email="anna@example.org")
    anna.display_name = "Anna\rBcc: eve@example.org\x85X-Y: z"
    engine = "django.template.backends.django.DjangoTemplates"
    loader = ("django.template.loaders.locmem.Loader", {"x.txt": "{{ user.display_name }}\nHello\n{{ long }}"})
    with override_settings(TEMPLATES=[{"BACKEND": engine, "OPTIONS": {"loaders": [loader]}}]):
        notify.send(anna, "x.txt", long="word " * 1000 + "ü" * 3000)
    assert outbox.send_due() == 1
    ((to, data),) = server.taken
    assert to == ["anna@example.org"] and max(map(len, data.split(b"\r\n"))) < 998
    headers = message_from_bytes(data, policy=email.policy.SMTP)
    assert "Bcc" not in headers and "X-Y" not in headers and "eve@" in headers["Subject"]


def test_a_worker_that_died_leaves_its_mail_to_the_next(server: MailServer) -> None:
    send_mail("Hello", "you", None, ["b@example.org"])
    assert outbox.claim() is not None  # and then it dies
    assert outbox.send_due() == 0
    Mail.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    assert outbox.send_due() == 1


def test_the_admin_shows_what_was_given_up_and_no_texts(client: Client) -> None:
    sign_in_staff(client, person(is_staff=True, is_superuser=True))
    row = Mail.objects.create(to="b@example.org", subject="Hello", source=b"secret link", state=Mail.State.FAILED)
    assert "given up" in client.get("/admin/mail/mail/").content.decode()
    page = client.get(f"/admin/mail/mail/{row.pk}/change/").content.decode()
    assert "b@example.org" in page and "secret link" not in page
    client.post("/admin/mail/mail/", {"action": "send_again", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.state == Mail.State.WAITING


@pytest.fixture
def mailbox(settings: Any, tmp_path: Path) -> Path:
    """Development: mails go to files, and there is a page."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.MAIL_FOLDER = tmp_path
    settings.DEV_KEY, settings.ROOT_URLCONF = DEV_KEY, "tests.config.development_urls"
    return tmp_path


def test_development_mails_can_be_read_with_their_links(mailbox: Path, client: Client) -> None:
    client.get("/dev/", {"key": DEV_KEY})
    assert "No mail yet" in client.get("/dev/mail/").content.decode()
    EmailMessage("First <b>", "Look: http://localhost:8000/x?y=1 é", to=["b@example.org"]).send()
    EmailMessage("Second", "-" * 79 + "\nnot the end", to=["c@example.org"]).send()
    assert [letter.subject for letter in newest_mails()] == ["Second", "First <b>"]
    page = client.get("/dev/mail/").content.decode()
    assert page.index("Second") < page.index("First &lt;b&gt;")
    first = newest_mails()[1]
    page = client.get(f"/dev/mail/{first.key}/").content.decode()
    assert 'href="http://localhost:8000/x?y=1"' in page and "é" in page and "b@example.org" in page


def test_the_mailbox_shows_nothing_but_mails(mailbox: Path, client: Client) -> None:
    client.get("/dev/", {"key": DEV_KEY})
    (mailbox / "other.txt").write_text("no")
    send_mail("Hello", "you", None, ["b@example.org"])
    key = newest_mails()[0].key
    for wrong in ("other.txt:0", "nothing.log:0", key.replace(":0", ":1"), key.replace(":0", ":x"), "..%2Fx.log:0"):
        assert client.get(f"/dev/mail/{wrong}/").status_code == 404
