"""Appeals where no page shows anything new: both sides at once, a minute before the clock and a minute after it, and
what people were told before a later review. Stories in browsers: `test_appeals.py`."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from moderation.actions.appeals import file_appeal
from moderation.actions.claims import claim
from moderation.actions.decisions import decide
from moderation.actions.evidence import note_look
from moderation.actions.reviews import ReviewDraft, claim_review, decide_review
from moderation.models import Appeal, Decision, Report, Review, Statement
from moderation.official_texts import notification_cards
from moderation.queries.appeals import concerned_right
from people.models import Sanction, User
from retention import purge
from retention.models import PurgeReceipt
from rooms.models import Room
from rooms.rules.restrictions import is_restricted
from social.models import Message
from tests.flows.letters import link_in
from tests.flows.line import ADA_SPOKE, assert_sound_ledger, is_kept_until, is_purged_on, quoted, reported, tell
from tests.support.cases import aged, draft, kept_room, open_case, refused, review_decided, staff, violation
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.reports import report, stranger_report

pytestmark = pytest.mark.django_db
AGAIN = (40, 43)  # seconds in which Ada speaks once more
HIDDEN = re.compile(r'<input type="hidden" name="(link|once)" value="([^"]*)"')
DISMISSED, REPLACED = "Your appeal was dismissed", "what it imposed was undone. A new decision took its place."
NOTHING_FOUND = "Your appeal was dismissed. Somebody looked again, and found no violation in what you reported."
GRANTED, FOUND = (
    "Your appeal was granted. The decision does not stand any more",
    "Your appeal was granted. Somebody looked again",
)


def told() -> dict[str, str]:
    """Tell everybody what waits; what was mailed to each address."""
    tell()
    mails: dict[str, str] = {}
    for sent in mail.outbox:
        mails[sent.to[0]] = f"{mails.get(sent.to[0], '')} {' '.join(str(sent.body).split())}"
    mail.outbox.clear()
    return mails


def appeals_by_link(letter: str, words: str) -> Client:
    """Appeal by the link of a mail, signed in nowhere."""
    client = Client()
    client.get(link_in(letter))
    hidden = dict(HIDDEN.findall(read(client)))
    assert client.post("/appeal/", {"do": "file", "words": words, **hidden}).status_code == 302
    return client


def read(client: Client) -> str:
    return client.get("/appeal/").content.decode()


class BothSides:
    """A violation of Ada in the range that Lea reported, and none in that of Piet, who has no account; she and he have
    appealed."""

    def __init__(self) -> None:
        self.room = talked_room()
        self.ada, self.lea = self.room.seats.get(user__handle="ada").user, person("lea")
        mara = staff("moderator", "mara")
        case = reported(self.lea, self.room, ADA_SPOKE, about="ada")
        start, end = (second * 1000 for second in AGAIN)
        self.his = stranger_report(self.room, subject=self.ada, from_ms=start, to_ms=end)
        assert self.his.case == case
        decide(quoted(case, mara), mara, draft(("no_stage", 7), ("restrict", None)))
        first = told()
        assert "found a violation" in first[self.lea.email] and "found no violation" in first["piet@example.org"]
        self.ada_reads = appeals_by_link(first[self.ada.email], "It was a quote.")
        self.piet_reads = appeals_by_link(first["piet@example.org"], "Listen to her again.")
        assert Review.objects.count() == 1 and Appeal.objects.count() == 2
        assert set(told()) == {self.ada.email, "piet@example.org"}
        assert is_kept_until(self.room, 180, "appeal")
        self.review = Review.objects.get()


@pytest.mark.parametrize("end", ["upheld", "overturned", "replaced"])
def test_both_sides_appeal_one_decision_and_each_is_told_what_is_theirs(end: str) -> None:
    both = BothSides()
    rests_on = [(AGAIN[0] * 1000, AGAIN[1] * 1000)]
    new = draft(("warning", None), ranges=rests_on) if end == "replaced" else None
    review_decided(both.review, "upheld" if end == "upheld" else "overturned", new=new)
    mails = told()
    hers, his = {
        "upheld": (DISMISSED, NOTHING_FOUND),
        "overturned": (GRANTED, NOTHING_FOUND),
        "replaced": (REPLACED, FOUND),
    }[end]
    assert hers in mails[both.ada.email]
    assert (end == "replaced") == ("takes the place of what we told you" in mails[both.ada.email])
    assert his in mails["piet@example.org"] and "I listened to it again." in mails["piet@example.org"]
    if end != "replaced":
        assert "no violation was found" in read(both.piet_reads)
        assert "decision stands" not in read(both.piet_reads) + mails["piet@example.org"], "nor that it does not"
    assert (both.lea.email in mails) == (end != "upheld")
    if end != "upheld":
        assert "does not stand" in mails[both.lea.email] and "listened to it again" not in mails[both.lea.email]
    assert "Listen to her again." not in read(both.ada_reads) and "It was a quote." not in read(both.piet_reads)
    imposed = set(Sanction.objects.in_force().values_list("kind", flat=True))
    assert imposed == {"upheld": {"no_stage"}, "overturned": set(), "replaced": {"warning"}}[end]
    assert is_restricted(both.room) == (end == "upheld")
    assert is_purged_on(both.room, 30 if end == "overturned" else 90)
    assert_sound_ledger()


# --- the clock --------------------------------------------------------------------------------------------------------


def decided(days: float) -> tuple[Room, Statement, User]:
    """A violation of which Ada was told, in a room that ended so many days ago."""
    ada = person("ada")
    room = kept_room("", 10, ada)
    violation(open_case(room, subject=ada), ("no_stage", 7))
    told()
    return aged(room, days), Statement.objects.get(), ada


def appealed(statement: Statement) -> Appeal:
    statement = Statement.objects.select_related("decision__case__room", "person").get(pk=statement.pk)
    return file_appeal(concerned_right(statement, timezone.now()), "It was a quote.")


MINUTE = 1 / (24 * 60)  # days


def test_one_minute_before_the_clock_an_appeal_holds_until_it_is_decided() -> None:
    room, statement, _ada = decided(90 - MINUTE)
    assert is_kept_until(room, 90, "violation")
    appeal = appealed(statement)
    assert appeal.holds and is_kept_until(room, 180, "appeal")
    later = timezone.now() + timedelta(days=10)
    assert purge.sweep(later).purged == [] and purge.overdue(later) == []
    review_decided(appeal.review, "upheld")
    aged(room, 2 * MINUTE)
    assert purge.sweep(timezone.now()).purged == [room.pk], "on the next run"
    assert PurgeReceipt.objects.get().rule == "released"
    assert_sound_ledger()


@pytest.mark.parametrize("purged", [False, True])
def test_one_minute_after_the_clock_it_is_decided_on_the_record(purged: bool) -> None:
    room, statement, ada = decided(90 + MINUTE)
    if purged:
        assert purge.sweep(timezone.now()).purged == [room.pk]
    appeal, nils = appealed(statement), staff("moderator", "nils")
    assert not appeal.holds
    if not purged:
        assert purge.sweep(timezone.now()).purged == [room.pk], "it holds nothing that is due"
    assert PurgeReceipt.objects.get().rule == "violation-90-days"
    claim_review(appeal.review, nils)
    case = appeal.decision.case
    case.room = Room.objects.get(pk=room.pk)
    assert refused(note_look, case, nils, "lines", 0, 10) == "copy_gone"
    note_look(case, nils, "shown")
    decide_review(appeal.review, nils, ReviewDraft("overturned", "The lines that were kept do not show it."))
    assert not Sanction.objects.in_force().exists() and GRANTED in told()[ada.email]
    assert_sound_ledger()


# --- what was told before ---------------------------------------------------------------------------------------------


def messages_of(user: User) -> list[str]:
    """The official messages to somebody, as they read now."""
    rows = Message.objects.filter(receiver=user, kind="official").order_by("pk")
    return [card.text for card in notification_cards([row.data["values"] for row in rows], user)]


def test_what_an_appeal_was_answered_stays_when_a_later_review_changes_the_decision() -> None:
    ada, lea, kim = person("ada"), person("lea"), person("kim")
    room = kept_room("", 10, ada)
    report(lea, room, subject=ada, from_ms=0, to_ms=1000)
    hers = report(kim, room, subject=ada, from_ms=300_000, to_ms=301_000)
    mara = staff("moderator", "mara")
    claim(hers.case, mara)
    decide(quoted(hers.case, mara, (0, 1)), mara, draft(("no_stage", 7)))
    reads = appeals_by_link(told()[ada.email], "It was a quote.")
    review_decided(Review.objects.get(), "upheld")
    told()
    assert DISMISSED in read(reads) and "The decision stands." in read(reads)
    before = messages_of(lea), messages_of(ada)
    client = Client()
    client.force_login(kim)
    path = f"/reports/{hers.receipt}/appeal/"
    assert client.post(path, {"do": "file", "once": "", "words": "Listen."}).status_code == 302
    second = Review.objects.get(state="open")
    review_decided(second, "overturned")
    mails = told()
    assert "it has changed" in mails[ada.email] and "does not stand" in mails[lea.email]
    assert DISMISSED in read(reads) and "The decision stands." not in read(reads) and "changed since" in read(reads)
    assert (messages_of(lea)[:1], messages_of(ada)[:3]) == before, "what was told does not change"
    assert "found a violation" in messages_of(lea)[0] and Report.objects.filter(outcome="founded").count() == 0
    assert not Decision.objects.filter(state="standing").exists()
    assert_sound_ledger()
