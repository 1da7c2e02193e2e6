"""In browsers: a message that is decided, a report of child abuse, and staff who are party of a case."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from playwright.sync_api import expect

from ledger.models import Entry
from ledger.queries import visible_entries
from moderation.actions.decisions import approve, undo_decision
from moderation.models import ActAtOnce, Case, Decision, Report, ReportedMessage, Statement
from people.models import User
from rooms import actions
from rooms.rules.refusals import RoomRefused
from rooms.rules.restrictions import is_restricted
from social.models import Message, MessageTakedown
from tests.e2e.browser import Chromium
from tests.flows.concerned import HostPages, report_by_form, send_report, shows_replay, suspended
from tests.flows.console import QUEUE, Console
from tests.flows.line import acts, assert_sound_ledger, files_of, is_kept_until, is_purged_on
from tests.support.cases import ROLES, refused, staff
from tests.support.messages import texts, written
from tests.support.people import api_client, person
from tests.support.recordings import talked_room
from tests.support.rooms import published
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "0:10–0:14"
INSULT = "You are a quixotryzebra"
REMOVED = "Message removed by moderators"


def mailed() -> set[str]:
    """List to whom the site has written."""
    texts = [path.read_text() for path in Path(settings.MAIL_FOLDER).glob("*")]
    return {line.removeprefix("To: ") for text in texts for line in text.splitlines() if line.startswith("To: ")}


def sees_nothing(console: Console, case: Case) -> None:
    """A case that is not for somebody is like one that does not exist: no row, no number, no page, no next one."""
    assert case.pk not in console.cases()
    console.counted("Open", 0)
    assert console.next_case() is None
    console.go(f"{QUEUE}{case.pk}/", 404)


def test_a_message_is_taken_down_on_both_sides_and_put_back(chromium: Chromium) -> None:
    bert, anna = person("bert"), person("anna")
    thread = written(bert, anna, *(f"Line {number}" for number in range(8)), INSULT)
    message = Message.objects.get(thread=thread, body=INSULT)
    pages = {anna: chromium.page("/messages/bert/", anna), bert: chromium.page("/messages/anna/", bert)}
    addresses = {user: page.url for user, page in pages.items()}
    for page in pages.values():
        expect(page.locator(f"#m{message.pk}")).to_contain_text(INSULT)
    pages[anna].locator(f"#m{message.pk} summary").click()
    pages[anna].locator(f"#m{message.pk}").get_by_role("link", name="Report this message").click()
    case = send_report(pages[anna], "harassment")
    copies = list(ReportedMessage.objects.filter(report__case=case).values_list("line", "reported"))
    assert copies == [*((f"Line {number}", False) for number in range(3, 8)), (INSULT, True)], "its neighbours alone"
    mara = Console(chromium, staff("moderator", "mara"))
    assert mara.next_case() == case.pk
    expect(mara.page.locator('[data-part="why"]')).to_contain_text("before you decide")
    expect(mara.page.get_by_text(INSULT)).to_have_count(0)
    mara.show()
    expect(mara.page.locator('[data-part="shown"]')).to_contain_text(INSULT)
    mara.decide(("message", None), ("no_stage", 3))
    for user, page in pages.items():
        page.goto(addresses[user])
        expect(page.locator(".talk-line", has_text=REMOVED)).to_have_count(1)
        expect(page.get_by_text(INSULT)).to_have_count(0)
        assert INSULT not in texts(user, thread) and len(texts(user, thread)) == 9
        path = f"/api/v1/messages/{'bert' if user is anna else 'anna'}/"
        assert INSULT not in api_client(user).get(path).content.decode()
    statement = Statement.objects.get()
    assert statement.person == bert and statement.body["export"]["content_type"] == ["CONTENT_TYPE_TEXT"]
    assert "sound" not in str(statement.body["until"]) or statement.body["until"]["sound"] is None
    assert undo_decision(Decision.objects.get(), staff("senior"), "It was a joke between them")
    for user, page in pages.items():
        page.goto(addresses[user])
        expect(page.get_by_text(INSULT)).to_have_count(1)
        assert texts(user, thread)[-1] == INSULT
    assert not MessageTakedown.objects.filter(lifted_at=None).exists()
    assert acts(f"message:{message.pk}") == ["message_taken_down", "message_put_back"]
    assert INSULT not in str(list(Entry.objects.values_list("data", flat=True))), "no words in the chain"
    assert_sound_ledger()


def test_a_child_abuse_report_signed_out_closes_the_copy_for_all_but_its_role(chromium: Chromium) -> None:
    room = published(talked_room())
    given, host, stranger = files_of(room), HostPages(chromium, room), chromium.page("/report/")
    mara, senior = Console(chromium, staff("moderator", "mara")), Console(chromium, staff("senior", "sanne"))
    anna, noor = (Console(chromium, staff("child_safety", name)) for name in ("anna", "noor"))
    stranger.get_by_label("What is it about?").select_option("room")
    stranger.get_by_label("Its address").fill(f"/r/{room.slug}/")
    words = {"In_your_own_words": "A child was named.", "From": "0:10", "To": "0:14"}
    case = send_report(stranger, "child_safety", **words)
    report = Report.objects.get()
    assert (report.reporter, report.reporter_name, report.reporter_email) == (None, "", ""), "nobody has to say who"
    assert mailed() == {anna.user.email, noor.user.email}, "the role is told at once, and nobody else"
    assert is_restricted(room) and {Client().get(address).status_code for address in given} == {404}
    with pytest.raises(RoomRefused, match="recording_unavailable"):
        actions.download_everything(room.pk, room.host)
    for page in (host.page, stranger):
        shows_replay(chromium, page, room, "closed")
        assert "child" not in page.content().lower()
    for other in (mara, senior):
        sees_nothing(other, case)
    assert anna.next_case() == case.pk
    anna.listen(ADA)
    anna.read("ill-disposed young man")
    anna.mark(ADA)
    anna.propose(("restrict", None), ("suspend", None))
    decision = Decision.objects.get()
    assert decision.state == "proposed" and is_restricted(room)
    senior.go(f"{QUEUE}{case.pk}/second/", 404)
    assert refused(approve, decision, senior.user) == "unknown_case", "the second is of that role too"
    noor.approve(case)
    suspended(chromium, host.page, "For good.")
    shows_replay(chromium, stranger, room, "closed")
    assert is_restricted(room) and ActAtOnce.objects.get().settled == "decided"
    noor.go(QUEUE)
    assert is_kept_until(room, 90, "violation") and is_purged_on(room, 90)
    assert_sound_ledger()


# --- parties ----------------------------------------------------------------------------------------------------------


def made_staff(user: User) -> User:
    """An account that becomes a moderator's."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    wanted = Permission.objects.filter(content_type__app_label="moderation", codename__in=ROLES["moderator"])
    user.user_permissions.add(*wanted)
    return with_fresh_step(User.objects.get(pk=user.pk))


def test_staff_who_are_party_see_nothing_and_their_cases_go_to_seniors(chromium: Chromium) -> None:
    """A speaker and a reporter who are moderators."""
    room = talked_room()
    speaker = Console(chromium, made_staff(room.seats.get(user__handle="bob").user))
    reporter, mara = (Console(chromium, staff("moderator", name)) for name in ("rita", "mara"))
    about_ada, _receipt = report_by_form(chromium, reporter.user, room, "ada")
    entries = Entry.objects.filter(subject=about_ada.ledger_subject)
    for party in (speaker, reporter):
        sees_nothing(party, about_ada)
        assert not visible_entries(party.user.pk, entries).exists()
    assert visible_entries(mara.user.pk, entries).exists() and mara.cases() == [about_ada.pk]
    mara.counted("Open", 1)
    assert mara.next_case() == about_ada.pk
    about_staff, _receipt = report_by_form(chromium, person("lea"), room, "bob")
    assert about_staff.for_seniors and mara.cases() == [about_ada.pk]
    mara.counted("Open", 1)
    mara.go(f"{QUEUE}{about_staff.pk}/", 404)
    sees_nothing(speaker, about_staff)
    senior, other = (Console(chromium, staff("senior", name)) for name in ("sanne", "sven"))
    assert senior.next_case() == about_staff.pk
    senior.read("rather cold-hearted")
    senior.mark(ADA)
    senior.propose(("suspend", None))
    decision = Decision.objects.get()
    mara.go(f"{QUEUE}{about_staff.pk}/second/", 404)
    assert refused(approve, decision, mara.user) == refused(approve, decision, speaker.user) == "unknown_case"
    suspended(chromium, speaker.page, "Until")
    other.approve(about_staff)
    suspended(chromium, speaker.page, "For good.")
    assert Decision.objects.get().state == "standing"
    assert_sound_ledger()
