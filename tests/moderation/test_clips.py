"""Sound for those who appeal: whose ranges, by which address, for how long, and that the ledger knows."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from moderation.actions.appeal_links import make_link
from moderation.actions.appeals import file_appeal
from moderation.actions.clips import CLIP_SECONDS, clip_address, open_clip
from moderation.actions.telling_people import send_notification
from moderation.models import ActAtOnce, AppealLink, Case, Notification, Report, Statement
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right
from moderation.queries.clips import clips_of
from people.models import User
from rooms.models import Room
from rooms.recording.delivery.clips import cut_clip
from tests.support.cases import staff, violation
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.reports import report, stranger_report

pytestmark = pytest.mark.django_db
SAID = {"from_ms": 10_000, "to_ms": 12_000}
OTHERS = {"from_ms": 30_000, "to_ms": 31_000}


@pytest.fixture(autouse=True)
def _streams_are_read_at_once() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
        yield


@pytest.fixture
def case() -> Case:
    """A case about what Ada said in a room, with two reporters' ranges; the first one has no account."""
    room = talked_room(transcription=False)
    ada = User.objects.get(handle="ada")
    first = stranger_report(room, subject=ada, **SAID)
    report(person("eva"), room, subject=ada, **OTHERS)
    return first.case


def told(case: Case) -> AppealRight:
    """The right of Ada once she was told of the violation."""
    decision = violation(case, by=staff())
    for pk in Notification.objects.filter(decision=decision).values_list("pk", flat=True):
        assert send_notification(pk)
    return concerned_right(Statement.objects.select_related("decision__case__room").get(decision=decision), _now())


def _now() -> Any:
    return timezone.now()


def link_of(right: AppealRight) -> AppealLink:
    assert right.until is not None
    make_link(right, right.until)
    return AppealLink.objects.get(decision=right.decision, side=right.side, report=right.report, ended_at=None)


def addresses(right: AppealRight, link: AppealLink | None = None, **values: Any) -> list[str]:
    return [clip_address(right, clip, link, **values) for clip in clips_of(right).clips]


def statuses(paths: list[str], client: Client) -> set[int]:
    return {client.get(path).status_code for path in paths}


def token_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def test_each_side_hears_its_own_ranges_with_five_seconds_around(case: Case) -> None:
    right = told(case)
    assert [clip.sent for clip in clips_of(right).clips] == [(5_000, 17_000), (25_000, 36_000)]
    eva = reporter_right(Report.objects.get(reporter__handle="eva"), _now())
    assert eva is not None and [clip.sent for clip in clips_of(eva).clips] == [(25_000, 36_000)]
    stranger = reporter_right(Report.objects.get(reporter=None), _now())
    assert stranger is not None and [clip.sent for clip in clips_of(stranger).clips] == [(5_000, 17_000)]


def test_a_link_opens_the_bytes_of_the_clip_and_the_ledger_has_one_entry(case: Case) -> None:
    right = told(case)
    path, client = addresses(right, link_of(right))[0], Client()
    assert client.head(path).status_code == 200 and not Entry.objects.filter(kind="clip_heard").exists()
    answer: Any = client.get(path)
    room = Room.objects.get(cases=case)
    assert b"".join(answer) == cut_clip(room, 5_000, 17_000)
    part: Any = client.get(path, headers={"range": "bytes=0-99"})
    assert (part.status_code, len(b"".join(part))) == (206, 100)
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "attachment" not in answer.get("Content-Disposition", "")
    entry = Entry.objects.get(kind="clip_heard")
    assert entry.subject == case.ledger_subject
    wanted = {"decision": right.decision.pk, "side": "concerned", "from": 5_000, "to": 17_000}
    assert entry.data == wanted


def test_addresses_that_are_altered_over_or_of_a_link_that_ended_open_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = told(case)
    link = link_of(right)
    path = addresses(right, link)[0]
    token = token_of(path)
    swapped = f"/appeal/sound/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}/"
    claim = ["link", link.pk, right.decision.pk, None, 0, 50_000, False]
    forged = f"/appeal/sound/{signing.dumps(claim, salt='something else')}/"
    wider = f"/appeal/sound/{signing.dumps(claim, salt='moderation.clip')}/"  # even signed: no clip of this side
    assert statuses([swapped, forged, wider, "/appeal/sound/x/"], Client()) == {404}
    assert statuses([path], Client()) == {200}
    link_of(right)
    assert statuses([path], Client()) == {404}, "a newer link ended it"
    newer = addresses(right, AppealLink.objects.get(ended_at=None, side="concerned"))[0]
    AppealLink.objects.filter(ended_at=None).update(expires_at=_now())
    assert statuses([newer], Client()) == {404}
    own = token_of(addresses(right)[0])
    assert open_clip(own, right.person) is not None
    monkeypatch.setattr("django.core.signing.time.time", lambda: _now().timestamp() + CLIP_SECONDS + 2)
    assert open_clip(own, right.person) is None


def test_an_address_of_an_account_is_for_that_account_alone_also_suspended(case: Case) -> None:
    right = told(case)
    path = addresses(right)[0]
    other, own = Client(), Client()
    other.force_login(person("mallory"))
    assert statuses([path], other) == statuses([path], Client()) == {404}
    ada = User.objects.get(handle="ada")
    own.force_login(ada)
    ada.sanctions.create(kind="suspended", begins_at=_now(), why="Said it.")
    assert own.get("/").status_code == 403
    assert statuses([path], own) == {200}


def test_after_filing_a_link_needs_a_code_and_an_account_does_not(case: Case) -> None:
    right = told(case)
    link = link_of(right)
    before = addresses(right, link)
    file_appeal(right, "I quoted somebody.")
    assert statuses(before, Client()) == {404}
    assert statuses(addresses(right, link, by_code=True), Client()) == {200}
    own = Client()
    own.force_login(User.objects.get(handle="ada"))
    assert statuses(addresses(right), own) == {200}


def test_there_is_no_clip_after_the_purge_nor_where_child_abuse_was_reported(case: Case) -> None:
    right = told(case)
    path = addresses(right, link_of(right))[0]

    def why() -> str:
        again = concerned_right(Statement.objects.select_related("decision__case__room").get(), _now())
        return clips_of(again).why_none

    Case.objects.filter(pk=case.pk).update(child_safety=True)
    assert why() == "closed" and statuses([path], Client()) == {404}
    Case.objects.filter(pk=case.pk).update(child_safety=False)
    other = report(person(), case.room, category="child_safety", **OTHERS)
    assert other.case_id != case.pk and ActAtOnce.objects.filter(case=other.case_id).exists()
    assert why() == "closed" and statuses([path], Client()) == {404}, "of another case of the room"
    ActAtOnce.objects.filter(case=other.case_id).update(settled_at=_now(), settled="lifted")
    Case.objects.filter(pk=other.case_id).update(state=Case.State.DECIDED, decided_at=_now())
    assert why() == "" and statuses([path], Client()) == {200}
    Room.objects.filter(cases=case).update(purged_at=_now() + timedelta(seconds=1))
    assert why() == "gone" and statuses([path], Client()) == {404}


def test_where_the_ledger_cannot_be_written_no_sound_is_sent(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    right = told(case)
    path = addresses(right, link_of(right))[0]

    def fails(*args: object) -> None:
        raise OSError("no ledger")

    monkeypatch.setattr("pages.clip_views.note_clip", fails)
    with pytest.raises(OSError, match="no ledger"):
        b"".join(Client().get(path))
