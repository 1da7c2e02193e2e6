"""From a decision to the end of its appeal, in browsers, with recorded speech and a real worker: a violation that is
upheld, or overturned; a new decision in the place of “no violation”."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import expect

from moderation.models import Review
from people.models import User
from people.standing import standing_of, why_not_enter
from retention import purge
from retention.models import PurgeReceipt
from rooms.models import Room
from tests.e2e.browser import Chromium
from tests.flows.concerned import AppealPage, HostPages, report_by_form
from tests.flows.console import Reviews
from tests.flows.letters import code_in, letter, told_of
from tests.flows.line import ADA_SPOKE, DAY, acts, assert_sound_ledger, ended_at, is_kept_until, is_purged_on
from tests.support.cases import staff
from tests.support.people import person
from tests.support.processes import LogTail, Site
from tests.support.shared_site import shared_site

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "0:10–0:14"
SAID = "ill-disposed young man"
WORDS = "I read it aloud from a novel, and had said so. Listen to the minute before."
REASONS = "It was said to a guest, who had asked to be left alone; that it is from a novel changes nothing."
STATEMENT, OUTCOME = "What our moderators decided about you", "What became of your report"
ARRIVED, DECIDED, CHANGED = "Your appeal has arrived", "Your appeal was decided", "A decision has changed"


@pytest.fixture
def web(request: pytest.FixtureRequest, static_files: None, transactional_db: None) -> Generator[Site]:
    """The shared site with a worker, which tells people what was decided. Nothing in a log may be a failure of ours."""
    site = shared_site("web", "work", file=request.path)
    logs = [LogTail(site.log(name)) for name in ("web", "work")]
    yield site
    site.take_back()
    for log in logs:
        log.assert_no_failure()


@pytest.fixture
def mara(chromium: Chromium) -> Reviews:
    return Reviews(chromium, staff("moderator", "mara"))


@pytest.fixture
def nils(chromium: Chromium) -> Reviews:
    return Reviews(chromium, staff("moderator", "nils"))


def ada(room: Room) -> User:
    return room.seats.get(user__handle="ada").user


def test_a_suspended_person_appeals_by_the_link_on_a_phone_and_it_is_upheld(
    chromium: Chromium, room: Room, mara: Reviews, nils: Reviews
) -> None:
    her, lea = ada(room), person("lea")
    case, receipt = report_by_form(chromium, lea, room, "ada")
    assert mara.next_case() == case.pk
    mara.read(SAID)
    mara.mark(ADA)
    mara.decide(("suspend", 7), ("restrict", None))
    assert "found a violation in what you reported" in " ".join(letter(lea, OUTCOME).split())
    phone = AppealPage.by_mail(chromium, sent := letter(her, STATEMENT))
    phone.shows("You can appeal this decision", SAID, "No harassment", "You can appeal until")
    phone.hear(ADA_SPOKE)
    phone.type(WORDS)
    later = AppealPage.by_mail(chromium, sent)
    expect(later.main.get_by_label("Why do you see it differently?")).to_have_value(WORDS)
    assert not Review.objects.exists() and is_kept_until(room, 90, "violation")
    later.send()
    phone.shows("Your appeal has arrived", "You get an answer by", "The sound is kept until then.")
    assert "You get an answer by" in letter(her, ARRIVED)
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
    mara.go("/admin/"), nils.go("/admin/")
    assert is_purged_on(room, 90) and PurgeReceipt.objects.get().rule == "violation-90-days"
    phone.shows("Your appeal was dismissed", "The recording was deleted on its day.")
    expect(phone.main.get_by_role("heading", name="Listen again")).to_have_count(0)
    kinds = acts(case.ledger_subject)
    assert [kind for kind in kinds if "appeal" in kind or "review" in kind] == [
        *("appeal_filed", "review_claimed", "review_decided"),
    ]
    assert kinds.count("notified") == 4 and acts(f"room:{room.pk}")[-1] == "purged"
    assert_sound_ledger()
