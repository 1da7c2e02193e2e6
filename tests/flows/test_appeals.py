"""From a decision to the end of its appeal, in browsers, with recorded speech and a real worker: a violation that is
upheld, or overturned; a new decision in the place of “no violation”."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moderation.models import Decision, Measure, Review
from people.actions.standing import impose_sanction
from people.models import Sanction
from people.standing import standing_of, why_not_enter
from retention import purge
from retention.models import PurgeReceipt
from rooms.models import Restriction, Room
from rooms.rules.restrictions import is_restricted
from tests.e2e.browser import Chromium
from tests.flows.concerned import AppealPage, HostPages, report_by_form
from tests.flows.console import FACTS, Reviews
from tests.flows.letters import ARRIVED, CHANGED, DECIDED, OUTCOME, STATEMENT, code_in, letter, told_of
from tests.flows.line import ADA_SPOKE, DAY, acts, ada_of, assert_sound_ledger, ended_at, is_kept_until, is_purged_on
from tests.support.cases import aged, staff
from tests.support.own_data import made, texts_in
from tests.support.people import person
from tests.support.processes import Site
from tests.support.reports import stranger_report

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "0:10–0:14"
SAID = "ill-disposed young man"
WORDS = "I read it aloud from a novel, and had said so. Listen to the minute before."
REASONS = "It was said to a guest, who had asked to be left alone; that it is from a novel changes nothing."


@pytest.fixture
def web(telling_site: Site) -> Site:
    return telling_site


def test_a_suspended_person_appeals_by_the_link_on_a_phone_and_it_is_upheld(
    chromium: Chromium, room: Room, mara: Reviews, nils: Reviews
) -> None:
    her, lea = ada_of(room), person("lea")
    case, receipt = report_by_form(chromium, lea, room, "ada")
    assert mara.next_case() == case.pk
    mara.read(SAID)
    mara.mark(ADA)
    mara.decide(("suspend", 7), ("restrict", None))
    assert "found a violation in what you reported" in " ".join(letter(lea, OUTCOME).split())
    phone = AppealPage.by_mail(chromium, sent := letter(her, STATEMENT))
    phone.shows("A decision about you", SAID, "No harassment", "You can send it until")
    phone.hear(ADA_SPOKE)
    phone.type(WORDS)
    later = AppealPage.by_mail(chromium, sent)
    expect(later.words).to_have_value(WORDS)
    assert not Review.objects.exists() and is_kept_until(room, 90, "violation")
    later.send()
    phone.shows("Your appeal has arrived", "We aim to answer by", "The sound is kept until then")
    assert "We aim to answer by" in letter(her, ARRIVED)
    phone.main.get_by_role("button", name="Send me a code").click()
    phone.hear_again(code_in(letter(her, "Your code")), ADA_SPOKE)
    review = Review.objects.get()
    assert is_kept_until(room, 180, "appeal")
    assert purge.sweep(ended_at(room) + 91 * DAY).purged == [], "the appeal holds it past day 90"
    mara.sees_no_review(review)
    assert nils.next_review() == review.pk
    expect(nils.page.get_by_role("region", name="Appeals")).to_contain_text(WORDS)
    nils.listen(ADA)
    nils.read()
    nils.uphold(REASONS)
    assert REASONS in letter(her, DECIDED)
    phone.shows("Your appeal was dismissed", REASONS, "It is final here.")
    receipt.reload()
    expect(receipt.get_by_role("main")).to_contain_text("found a violation in what you reported")
    expect(receipt.get_by_role("main")).not_to_contain_text(REASONS)
    assert told_of(her) == ["statement", "appeal_received", "appeal_outcome"] and told_of(lea) == ["report_outcome"]
    assert why_not_enter(standing_of(her)) == "account_suspended"
    for each in (mara, nils):
        each.go("/admin/")
    assert is_purged_on(room, 90) and PurgeReceipt.objects.get().rule == "violation-90-days"
    phone.shows("Your appeal was dismissed", "The recording was deleted when its time was over.")
    expect(phone.main.get_by_role("heading", name="Listen again")).to_have_count(0)
    kinds = acts(case.ledger_subject)
    assert [kind for kind in kinds if "appeal" in kind or "review" in kind] == [
        *("appeal_filed", "review_claimed", "review_decided"),
    ]
    assert kinds.count("notified") == 4 and acts(f"room:{room.pk}")[-1] == "purged"
    assert_sound_ledger()


def in_force(room: Room) -> tuple[list[tuple[object, ...]], list[int]]:
    """Every row that states a measure, as it is in force: of accounts, and of the room."""
    sanctions = Sanction.objects.in_force().order_by("pk").values_list("pk", "user", "kind", "ends_at")
    return list(sanctions), list(Restriction.objects.filter(room=room, lifted_at=None).values_list("pk", flat=True))


def test_what_is_overturned_is_undone_exactly_and_the_copy_goes_on_the_next_run(
    chromium: Chromium, room: Room, mara: Reviews, nils: Reviews
) -> None:
    her, host = ada_of(room), HostPages(chromium, room)
    impose_sanction(her, "no_hosting", None, "Of another case", timezone.now() + 30 * DAY)
    before = in_force(room)
    case, _receipt = report_by_form(chromium, person("lea"), room, "ada")
    mara.open(case)
    mara.claim()
    mara.listen(ADA)
    mara.mark(ADA)
    mara.decide(("no_stage", 7), ("restrict", None))
    assert len(in_force(room)[0]) == 2 and is_restricted(room)
    letter(her, STATEMENT)
    page = chromium.page("/messages/", her)
    chromium.go(page, "/decisions/")
    page.get_by_role("link", name="Decision of").click()
    expect(page.get_by_role("heading", name="A decision about you")).to_be_visible()
    page.get_by_role("link", name="Write an appeal").click()
    hers = AppealPage(chromium, page)
    hers.hear(ADA_SPOKE)
    hers.words.fill(WORDS)
    hers.send()
    aged(room, 31)
    host.shows("closed")
    assert purge.sweep(timezone.now()).purged == [] and is_kept_until(room, 180, "appeal")
    assert nils.next_review() == Review.objects.get().pk
    nils.listen(ADA)
    nils.read()
    nils.overturn("She read aloud, and everybody knew it.")
    told = letter(her, DECIDED)
    assert "Your appeal was granted" in told and "She read aloud" in told
    assert in_force(room) == before and not is_restricted(room)
    assert not Measure.objects.filter(undone_at=None).exists()
    hers.shows("Your appeal was granted", "She read aloud", "what it imposed was undone.")
    chromium.go(page, "/decisions/")
    expect(page.get_by_role("main")).to_contain_text("Your appeal was granted.")
    assert "does not stand" in letter("lea@example.org", CHANGED)
    assert told_of(her) == ["statement", "appeal_received", "appeal_outcome"]
    host.shows("playing")
    for each in (mara, nils):
        each.go("/admin/")
    assert purge.sweep(timezone.now()).purged == [room.pk], "on the next run: nothing keeps it past day 30"
    assert PurgeReceipt.objects.get().rule == "released"
    host.shows("gone")
    texts = texts_in(made(her))
    assert texts["moderation/appeals"]["filed"][0]["words"] == WORDS
    assert FACTS in str(texts["moderation/decisions"]) and "She read aloud" in str(texts["moderation/appeals"])
    assert_sound_ledger()


def test_a_reporter_has_no_violation_overturned_and_the_new_decision_is_appealed_to_a_third(
    chromium: Chromium, room: Room, mara: Reviews, nils: Reviews
) -> None:
    her, olga = ada_of(room), Reviews(chromium, staff("moderator", "olga"))
    about: dict[str, Any] = {"subject": her, "from_ms": 10_000, "to_ms": 14_000}
    report = stranger_report(room, **about)
    case = report.case
    assert mara.next_case() == case.pk
    mara.read()
    mara.dismiss()
    theirs = AppealPage.by_mail(chromium, letter("piet@example.org", OUTCOME))
    expect(theirs.main).to_contain_text("No violation was found.")
    theirs.hear(ADA_SPOKE)
    theirs.type("Listen to how it goes on.")
    theirs.send()
    first = Review.objects.get()
    mara.sees_no_review(first)
    assert nils.next_review() == first.pk
    nils.listen(ADA)
    nils.replace(REASONS, ("no_stage", 7))
    assert "found a violation in what you reported" in letter("piet@example.org", DECIDED)
    theirs.shows("Your appeal was granted", REASONS)
    old, new = Decision.objects.order_by("pk")
    assert (old.state, new.state, new.by) == ("undone", "standing", nils.user)
    assert is_kept_until(room, 90, "violation") and in_force(room)[0]
    phone = AppealPage.by_mail(chromium, letter(her, STATEMENT))
    phone.hear(ADA_SPOKE)
    phone.type(WORDS)
    phone.send()
    second = Review.objects.get(decision=new)
    for each in (mara, nils):
        each.sees_no_review(second)
    assert olga.next_review() == second.pk
    olga.read()
    olga.overturn("Everybody knew the novel.")
    assert "Everybody knew the novel." in letter(her, DECIDED)
    phone.shows("Your appeal was granted", "Everybody knew the novel.")
    assert "does not stand" in letter("piet@example.org", CHANGED)
    theirs.shows("Your appeal was granted", REASONS, "This has changed since")
    expect(theirs.main).not_to_contain_text("Everybody knew the novel.")
    assert in_force(room) == ([], []) and not Decision.objects.filter(state="standing").exists()
    assert told_of(her) == ["statement", "appeal_received", "appeal_outcome"]
    assert told_of(None) == ["report_outcome", "appeal_received", "appeal_outcome", "outcome_changed"]
    olga.go("/admin/")
    assert is_purged_on(room, 30) and PurgeReceipt.objects.get().rule == "review-30-days"
    assert_sound_ledger()
