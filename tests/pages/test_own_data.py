"""An own-data download is opened and read: everything that the site keeps of its person, and nothing of others beyond
what that person saw; a purge takes what is in it along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from ledger.models import Entry
from moderation.models import Appeal, AppealDraft, CaseNote, Notification, ReportQuestion, Review, Statement
from moderation.queries.reports import progress_of
from people.models import DataExport, User
from people.own_data import files, making
from people.own_data.archive import Archive
from retention import purge
from retention.models import PurgeReceipt
from rooms import actions
from rooms.models import Consent, Hand, Invitation, ListenerChoice, RecordingFile, Removal, Room
from rooms.recording import store
from social.actions.blocks import block
from social.actions.follows import follow
from social.models import Message
from tests.support.cases import open_case, staff, violation
from tests.support.messages import written
from tests.support.own_data import files_in, made, texts_in
from tests.support.people import person
from tests.support.recordings import WORDS, talked_room
from tests.support.reports import report
from tests.support.rooms import due_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    return talked_room()


@pytest.fixture
def ada(room: Room) -> User:
    return User.objects.get(handle="ada")


def track_of(room: Room, user: User) -> bytes:
    file = RecordingFile.objects.get(recording__room=room, seat__user=user)
    return store.file_path(file).read_bytes()


def whole(export: DataExport) -> bytes:
    """Every byte of a download, packed and unpacked."""
    return files.path_of(export.file).read_bytes() + b"".join(files_in(export).values())


def test_a_speaker_s_download_holds_their_part_their_voice_and_their_lines(room: Room, ada: User) -> None:
    Hand.objects.create(room=room, user=ada, lowered_at=timezone.now(), outcome=Hand.Outcome.choices[0][0])
    ListenerChoice.objects.create(room=room, user=ada, unseen=True)
    Removal.objects.create(room=room, user=ada, by=room.host)
    Invitation.objects.create(room=room, user=ada, by=room.host, by_helper=True, kind="listen", state="revoked")
    export = made(ada)
    assert export.rooms == [room.pk]
    content, texts, folder = files_in(export), texts_in(export), f"rooms/{room.slug}"
    assert content[f"{folder}/my-voice-1.opus"] == track_of(room, ada)
    lines = [line["text"] for line in texts[f"{folder}/my-lines"]]
    assert lines == [WORDS["0880"], WORDS["0930"]]
    part = texts[f"{folder}/my-part"]
    assert [(seat["role"], seat["left_reason"]) for seat in part["on_stage"]] == [("speaker", "room_ended")]
    assert part["on_stage"][0]["taken_at"].endswith("Z") and len(part["hands"]) == len(part["removed"]) == 1
    assert part["invitations"][0]["state"] == "over" and part["invitations"][0]["answered_at"] is None
    assert (part["listens_unseen"], part["host"], part["title"]) == (True, "host", None)  # removed: no title any more
    assert [each["text_version"] for each in texts["rooms/consents"]] == [settings.CONSENT_VERSION]
    everything = whole(export)
    for other in (room.host, User.objects.get(handle="bob")):
        assert track_of(room, other) not in everything and other.email.encode() not in everything
    for said in ("0870", "0890", "0920"):
        assert WORDS[said].encode() not in everything
    host = texts_in(made(room.host))
    assert [each["room"] for each in host["rooms/hosted"]] == [room.slug]
    assert host[f"{folder}/my-part"]["title"] == room.title


def test_nothing_of_others_beyond_what_the_person_saw(room: Room, ada: User) -> None:
    bob, eve = User.objects.get(handle="bob"), person("eve", email="eve-address@example.org")
    written(eve, ada, "what eve wrote to ada")
    written(ada, eve, "what ada wrote to eve")
    deleted = written(eve, ada, "what ada deleted").messages.order_by("-pk")[0]
    Message.objects.filter(pk=deleted.pk).update(read=True, receiver_cleared=True)
    written(eve, bob, "what eve wrote to bob")
    for each in (eve, bob):
        follow(ada, each)
        follow(each, ada)
    block(ada, bob)
    written(bob, ada, "withheld from ada")
    block(eve, ada)
    written(ada, eve, "withheld from eve")
    Invitation.objects.create(room=room, user=ada, by=bob, kind="listen")
    Removal.objects.create(room=room, user=ada, by=eve, listed=False)
    senior = staff("senior", handle="senior-of-staff")
    case = open_case(room, bob, subject=ada, words="what bob reported")
    CaseNote.objects.create(case=case, author=senior, text="a note of staff")
    report(eve, room, subject=ada, words="what eve reported")
    mine = report(ada, room, subject=bob, words="what ada reported")
    ReportQuestion.objects.create(report=mine, author=senior, text="which minute?")
    ReportQuestion.objects.create(report=mine, text="the second one")
    export = made(ada)
    everything = whole(export)
    unseen = (
        *("what ada deleted", "what eve wrote to bob", "withheld from ada", "eve-address", "bob@example.org"),
        *("what bob reported", "what eve reported", "a note of staff", "senior-of-staff"),
    )
    assert [words for words in unseen if words.encode() in everything] == []
    texts = texts_in(export)
    assert texts["follows"] == {"follows": ["eve"], "followers": ["eve"]}  # as if eve had not blocked ada
    assert [each["blocks"] for each in texts["blocks"]] == ["bob"]
    thread = texts["messages/with-eve"]
    assert [line["text"] for line in thread] == ["what eve wrote to ada", "what ada wrote to eve", "withheld from eve"]
    assert len({tuple(line) for line in thread}) == 1  # nothing tells the withheld one from the others
    part = texts[f"rooms/{room.slug}/my-part"]
    assert (part["invitations"], part["removed"]) == ([], [])
    (sent,) = texts["moderation/reports"]
    assert (sent["number"], sent["words"], sent["about"]) == (str(mine.receipt), "what ada reported", "bob")
    assert [(line["by"], line["text"]) for line in sent["exchange"]] == [
        ("moderators", "which minute?"),
        ("you", "the second one"),
    ]
    assert sent["progress"] == progress_of(mine)


def test_decisions_and_appeals_are_there_once_they_were_told(room: Room, ada: User) -> None:
    decider, reviewer = staff(), staff("senior")
    decision = violation(open_case(room, subject=ada), by=decider, facts="she threatened him")
    review = Review.objects.create(decision=decision, due_at=timezone.now())
    Appeal.objects.create(
        review=review, decision=decision, side="concerned", person=ada, words="I did not", language="en"
    )
    Review.objects.filter(pk=review.pk).update(
        state="decided", outcome="upheld", reasons="it can be heard", reviewer=reviewer, decided_at=timezone.now()
    )
    AppealDraft.objects.create(decision=decision, side="concerned", words="I wanted to add")
    before = made(ada)
    texts = texts_in(before)
    assert texts["moderation/decisions"] == [] and b"she threatened him" not in whole(before)
    (filed,) = texts["moderation/appeals"]["filed"]
    assert (filed["words"], filed["outcome"], filed["reasons"]) == ("I did not", None, None)
    assert [each["words"] for each in texts["moderation/appeals"]["drafts"]] == ["I wanted to add"]
    Statement.objects.update(told_at=timezone.now())
    kind = Notification.Kind.APPEAL_OUTCOME
    now = timezone.now()
    Notification.objects.create(kind=kind, decision=decision, review=review, person=ada, told_at=now)
    after = made(ada)
    texts = texts_in(after)
    assert "she threatened him" in str(texts["moderation/decisions"][0]["statement"])
    (filed,) = texts["moderation/appeals"]["filed"]
    assert (filed["outcome"], filed["reasons"]) == ("dismissed", "it can be heard")
    for each in (decider, reviewer):
        assert each.handle.encode() not in whole(after) and each.display_name.encode() not in whole(after)
    other = texts_in(made(User.objects.get(handle="bob")))
    assert other["moderation/decisions"] == [] and other["moderation/appeals"] == {"filed": [], "drafts": []}


def test_a_restriction_takes_the_voice_and_leaves_the_lines_and_child_safety_takes_both(room: Room, ada: User) -> None:
    export = made(ada)
    voice, lines = f"rooms/{room.slug}/my-voice-1.opus", f"rooms/{room.slug}/my-lines.json"
    assert {voice, lines} <= files_in(export).keys()

    def names_after(act: Callable[[], Any]) -> set[str]:
        act()
        export.refresh_from_db()
        assert export.state == "waiting" and list(files.folder().iterdir()) == []
        assert making.make(export.pk)
        export.refresh_from_db()
        return files_in(export).keys() & {voice, lines}

    first = []
    assert names_after(lambda: first.append(actions.restrict(room, "at_once", None))) == {lines}
    assert names_after(lambda: actions.restrict(room, "child_safety", None)) == set()
    child = room.restrictions.get(reason="child_safety")
    actions.lift_restriction(child, None)  # looked at, and restricted by a decision of that case
    assert names_after(lambda: actions.restrict(room, "decision", None)) == set()
    for each in room.restrictions.filter(lifted_at=None):
        actions.lift_restriction(each, None)
    assert {voice, lines} <= files_in(made(ada)).keys()


def test_a_purge_takes_the_download_and_it_is_made_again_without(room: Room, ada: User) -> None:
    bob = User.objects.get(handle="bob")
    mine, his, stranger = made(ada), made(bob), made(person("eve"))
    sound = track_of(room, ada)
    paths = [files.path_of(export.file) for export in (mine, his)]
    when = due_at(room) + timedelta(seconds=1)
    assert purge.sweep(when).purged == [room.pk]
    assert [path.exists() for path in paths] == [False, False] and files.path_of(stranger.file).is_file()
    assert PurgeReceipt.objects.get().finished_at is not None
    for export in (mine, his):
        export.refresh_from_db()
        assert (export.state, export.file, export.rooms) == ("waiting", "", [])
    DataExport.objects.update(next_at=timezone.now())
    assert making.make(mine.pk)
    mine.refresh_from_db()
    content = whole(mine)
    assert sound not in content and WORDS["0880"].encode() not in content and mine.rooms == []
    texts = texts_in(mine)
    assert not [name for name in texts if room.slug in name]
    assert Consent.objects.filter(user=ada).count() == len(texts["rooms/consents"]) == 1
    kinds = Entry.objects.filter(subject=f"person:{ada.pk}").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["own_data_asked", "own_data_made", "own_data_made"]


@pytest.mark.parametrize("moment", ["before the room is read", "after it was read"])
def test_a_purge_while_it_is_made_leaves_nothing_behind(
    room: Room, ada: User, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    sound, asked = track_of(room, ada), made(person("eve"))
    when = due_at(room) + timedelta(seconds=1)
    enter, guide = making.Attempt.enter, Archive._guide
    ran: list[list[int]] = []

    def purge_now() -> None:
        if not ran:
            ran.append(purge.sweep(when).purged)

    def enter_late(self: making.Attempt, pk: int) -> None:
        purge_now()
        enter(self, pk)

    def guide_late(*given: Any) -> None:
        purge_now()
        guide(*given)

    if moment == "before the room is read":
        monkeypatch.setattr(making.Attempt, "enter", enter_late)
    else:
        monkeypatch.setattr(Archive, "_guide", guide_late)
    from people.own_data.actions import ask_for_data

    export = ask_for_data(ada)
    making.make(export.pk)
    assert ran == [[room.pk]]
    DataExport.objects.filter(state="waiting").update(next_at=timezone.now())
    export.refresh_from_db()
    assert export.state == "ready" or making.make(export.pk)
    export.refresh_from_db()
    assert sound not in whole(export) and WORDS["0880"].encode() not in whole(export)
    assert {path.name for path in files.folder().iterdir()} == {export.file, asked.file}
