"""Cases of the demo: what its people reported, through the actions of every report; one proposal of a senior that waits
for a second moderator; and one decision that its reporter appealed. Each is made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from core.refusals import Refused
from moderation.actions.appeals import file_appeal
from moderation.actions.claims import claim
from moderation.actions.decisions import Draft, decide
from moderation.actions.evidence import note_look
from moderation.actions.filing import NewReport, file_report
from moderation.actions.telling_people import send_notification
from moderation.models import Case, Decision, Look, Notification, Report
from moderation.queries.appeals import reporter_right
from moderation.rulebook import current_rules
from people import demo
from people.models import User
from rooms.guests.demo import ASKED, recorded_demo_room
from rooms.models import Room
from social.actions.messages import deliver_messages
from social.models import Message

REPORTER, SELLER, PROPOSER = "lotte", "bram", "aisha"
COMMENTER = demo.SPEAKERS[0]
TURN = 6  # of `rooms.guests.voices.LINES` and clips in turn: what is said of a grandmother
AROUND_MS = 500
SELLS = (
    "The page of this account offers phones “for half their price” to everybody who reads it, and names no seller. It "
    "has no other use."
)
APPEAL = (
    "He sells shops on his page and nothing happens, and I may not sell a phone? Please have somebody else look at it."
)
SELLS_PUBLIC = "The page of an account offers goods to everybody who reads it, and names no seller."


def make_cases(people: Mapping[str, User]) -> int:
    """File the reports of the demo that were not filed yet, and propose a decision on one. Returns how many cases are
    open."""
    for file in (_person, _title, _message):
        file(people)
    _appeal(_shop(people), people[PROPOSER])
    _propose(_profile(people), people[PROPOSER])
    return Case.objects.exclude(state=Case.State.DECIDED).count()


def _file(once: str, reporter: User, kind: str, category: str, words: str, **about: Any) -> Report:
    new = NewReport(
        kind=kind, reporter=reporter, category=category, words=words, once=f"demo:{once}", good_faith=True, **about
    )
    return file_report(new)


def _person(people: Mapping[str, User]) -> None:
    """Report what Youssef said in the recorded room: with lines to quote."""
    room = recorded_demo_room()
    if room is None or Case.objects.filter(room=room).exists():
        return
    from rooms.guests import voices  # it loads the libraries for sound

    start, end = voices.times()[TURN]
    limits = {"from_ms": max(0, start - AROUND_MS), "to_ms": end + AROUND_MS}
    words = "He makes fun of whoever reads aloud, and brings somebody’s grandmother into it."
    about = {"room": room, "subject": people[COMMENTER], **limits}
    _file(f"person:{room.pk}", people[REPORTER], "person", "harassment", words, **about)


def _title(people: Mapping[str, User]) -> None:
    room = Room.objects.filter(host=people[demo.HOST], status=Room.Status.SCHEDULED).first()
    if room is not None:
        words = "This is advertising for shops, not a talk."
        _file("title", people[REPORTER], "title", "spam_or_fraud", words, room=room)


def _message(people: Mapping[str, User]) -> None:
    sent = Message.objects.filter(sender=people[COMMENTER], receiver=people[demo.HOST], body=ASKED).first()
    if sent is not None:
        deliver_messages([sent.pk])
        words = "Whoever comes to sell has to say so. Please have a look."
        _file("message", people[demo.HOST], "message", "other", words, message=sent.pk)


def _profile(people: Mapping[str, User]) -> Report:
    words = "An account that only sells."
    return _file("profile", people[REPORTER], "profile", "spam_or_fraud", words, subject=people[SELLER])


def _shop(people: Mapping[str, User]) -> Report:
    words = "He builds shops by day, he writes: that is an advertisement."
    return _file("shop", people[SELLER], "profile", "spam_or_fraud", words, subject=people[COMMENTER])


def _appeal(report: Report, by: User) -> None:
    """Find nothing in a report, tell its reporter, and file their appeal: it imposes nothing on anybody."""
    case = report.case
    if not Decision.objects.filter(case=case).exists():
        by.step_check = lambda: True
        claim(case, by)
        note_look(case, by, Look.What.SHOWN)
        decide(case, by, Draft(outcome=Decision.Outcome.NO_VIOLATION))
    for key in Notification.objects.filter(report=report, told_at=None).values_list("pk", flat=True):
        send_notification(key)
    right = reporter_right(Report.objects.select_related("case", "reporter").get(pk=report.pk), timezone.now())
    if right is not None and right.may_appeal:
        file_appeal(right, APPEAL)


def _propose(report: Report, by: User) -> None:
    """Propose a suspension for good, as a senior who has just used the second step."""
    case = report.case
    if Decision.objects.filter(case=case).exists():
        return
    rule = next((version for version in current_rules() if version.rule_id == "no-fraud"), None)
    by.step_check = lambda: True
    claim(case, by)
    note_look(case, by, Look.What.SHOWN)
    draft = Draft(
        outcome=Decision.Outcome.VIOLATION,
        rule_version=rule,
        facts=SELLS,
        public_facts=SELLS_PUBLIC,
        measures=(("suspend", None), ("profile", None)),
    )
    decide(case, by, draft)


def on_accounts_ready(sender: Any, people: dict[str, User], **_more: Any) -> str:
    """Make the cases after `manage.py seed_demo` made the accounts and rooms. Returns a line for its output."""
    try:
        number = make_cases(people)
    except Refused as refused:
        return f"the demo's cases are not all there: {refused.code}"
    return f"cases that are open: {number}, for femke (moderator) and willem (senior)"


demo.accounts_ready.connect(on_accounts_ready, dispatch_uid="moderation.demo")
