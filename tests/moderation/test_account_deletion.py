"""Cases outlive the accounts that they are about: words stay with their clock, names do not, and people are told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from ledger.verify import verify
from moderation.actions.account_deletion import case_notes, is_to_be_told
from moderation.actions.appeals import file_appeal
from moderation.actions.telling_people import send_late
from moderation.models import Case, EvidenceLine, Notification, Report, Statement
from moderation.queries.appeals import concerned_right
from people.actions.deletion import delete_account
from people.actions.forgetting import tidy_deleted
from people.actions.takedowns import put_back_profile
from people.models import DeletedAccount, Fingerprint, ProfileTakedown, Sanction, User
from people.queries import address_to_tell, is_banned_address
from tests.support.cases import kept_room, no_violation, open_case, refused, review_decided, violation
from tests.support.people import person
from tests.support.reports import report

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/appeal/[A-Za-z0-9_-]{43}/")


@pytest.fixture(autouse=True)
def _after_commits(django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def deleting(user: User) -> User:
        with django_capture_on_commit_callbacks(execute=True):
            delete_account(user, user)
        return User.objects.get(pk=user.pk)

    monkeypatch.setitem(globals(), "deleted", deleting)


def deleted(user: User) -> User:
    """Delete an account, with what follows the commit; returns what is left of it. The fixture replaces it."""
    raise NotImplementedError


def page_of(text: str) -> int:
    """Open the link of a mail in a browser that is signed in nowhere; returns the status of its page."""
    client, link = Client(), LINK.search(text)
    assert link is not None, text
    client.get(link[0])
    return client.get("/appeal/").status_code


def told(case: Case, days: float) -> None:
    """Let everybody be told so many days ago."""
    ago = timezone.now() - timedelta(days=days)
    Notification.objects.filter(decision__case=case).update(told_at=ago)
    Statement.objects.filter(decision__case=case).update(told_at=ago)


def test_the_address_stays_until_the_case_is_decided_told_and_the_time_for_an_appeal_is_over() -> None:
    ada = person("ada")
    case = open_case(kept_room("", 10, ada), subject=ada)
    assert len(case_notes(ada)) == 1 and "appeal" in case_notes(ada)[0]
    gone = deleted(ada)
    assert address_to_tell(gone) == "ada@example.org"
    violation(case)
    tidy_deleted()
    assert address_to_tell(gone) == "ada@example.org", "not told yet"
    statement = Statement.objects.get(decision__case=case)
    assert statement.person == gone
    told(case, 1)
    tidy_deleted()
    assert address_to_tell(gone) == "ada@example.org", "may appeal"
    tidy_deleted(statement.appeal_until + timedelta(seconds=1))
    assert address_to_tell(gone) == ""


def mail_to(address: str) -> str:
    """The one mail that waits for an address, once everybody is told."""
    mail.outbox.clear()
    send_late(timezone.now() + timedelta(minutes=1))
    (text,) = [str(sent.body) for sent in mail.outbox if sent.to == [address]]
    return text


def test_mails_to_a_deleted_account_lead_to_what_it_can_open() -> None:
    ada, rita = person("ada"), person("rita")
    case = open_case(kept_room("", 10, ada), rita, subject=ada)
    deleted(rita)
    deleted(ada)
    decision = violation(case)
    first = mail_to("ada@example.org")
    (hers,) = [str(sent.body) for sent in mail.outbox if sent.to == ["rita@example.org"]]
    assert page_of(first) == page_of(hers) == 200
    appeal = file_appeal(concerned_right(Statement.objects.get(decision=decision), timezone.now()), "It was a quote.")
    received = mail_to("ada@example.org")
    assert "/decisions/" not in received and LINK.search(received) is None and "by which you wrote" in received
    assert page_of(first) == 200, "that one still works"
    review_decided(appeal.review, "upheld")
    assert page_of(mail_to("ada@example.org")) == 200 and page_of(first) == 404, "a newer one ends it"


def test_a_host_is_told_of_a_room_as_a_whole_and_nobody_else_of_it() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    open_case(room)
    assert is_to_be_told(room.host_id, timezone.now()) and not is_to_be_told(ada.pk, timezone.now())
    assert address_to_tell(deleted(ada)) == "" and not DeletedAccount.objects.exclude(email="").exists()


def test_a_reporter_hears_the_outcome_and_is_then_nobody() -> None:
    rita = person("rita")
    case = open_case(reporter=rita)
    gone = deleted(rita)
    assert address_to_tell(gone) == "rita@example.org"
    row = Report.objects.get(reporter=gone)
    assert str(row.reporter).startswith("Deleted person (@deleted-")
    no_violation(case)
    tidy_deleted()
    assert address_to_tell(gone) == "rita@example.org", "not told yet"
    told(case, 0)
    Report.objects.filter(pk=row.pk).update(appeal_until=timezone.now() + timedelta(days=1))
    tidy_deleted()
    assert address_to_tell(gone) == "rita@example.org", "may appeal"
    tidy_deleted(timezone.now() + timedelta(days=2))
    assert address_to_tell(gone) == ""


def test_who_deletes_the_account_before_the_decision_does_not_get_round_the_suspension() -> None:
    ada = person("ada")
    case = open_case(kept_room("", 10, ada), subject=ada)
    gone = deleted(ada)
    assert not is_banned_address("ada@example.org")
    violation(case, ("suspend", 20))
    assert Sanction.objects.in_force().filter(user=gone).exists() and is_banned_address("ADA@example.org")
    told(case, 1)
    tidy_deleted(timezone.now() + timedelta(days=21 + settings.REPORT_WORDS_DAYS + settings.HANDLE_HELD_DAYS))
    assert not Fingerprint.objects.exists() and not is_banned_address("ada@example.org")


def test_quoted_lines_lose_the_name_and_keep_the_words() -> None:
    ada = person("ada", name="Ada Lovelace")
    case = open_case(kept_room("", 10, ada), subject=ada)
    times: dict[str, Any] = {"start_ms": 0, "end_ms": 9, "quoted_by": person()}
    line = EvidenceLine.objects.create(
        case=case, cue="cue:1", speaker=ada, speaker_name="Ada Lovelace", text="a line", **times
    )
    deleted(ada)
    line.refresh_from_db()
    assert (line.speaker_name, line.text, line.speaker_id) == ("Deleted person", "a line", ada.pk)
    violation(case)
    (part,) = [one for one in Statement.objects.get().body["evidence"]["lines"] if one["text"] == "a line"]
    assert part["name"] == "Deleted person"


def test_what_a_deleted_person_said_can_still_be_reported_and_the_account_itself_cannot() -> None:
    ada, rita = person("ada"), person("rita")
    room = kept_room("", 10, ada)
    gone = deleted(ada)
    assert report(rita, room, subject=gone).case.subject == gone
    assert refused(report, rita, kind="profile", subject=gone) == "unknown_person"


def test_a_measure_on_a_profile_can_still_be_decided_and_undone() -> None:
    ada = person("ada", name="A rude name", about="rude words")
    case = open_case(kind="profile", subject=ada)
    gone = deleted(ada)
    decision = violation(case, ("profile", None))
    takedown = ProfileTakedown.objects.get(user=gone)
    assert takedown.display_name == takedown.about == "" and decision.measures.count() == 1
    assert put_back_profile(takedown, None)
    assert User.objects.get(pk=gone.pk).display_name == "Deleted person"


def test_staff_who_work_on_the_case_see_a_deleted_person_and_the_ledger_stays_whole() -> None:
    ada = person("ada", name="Ada Lovelace")
    case = open_case(kept_room("", 10, ada), subject=ada)
    deleted(ada)
    assert str(Case.objects.get(pk=case.pk).subject).startswith("Deleted person (@deleted-")
    assert verify().problems == []
