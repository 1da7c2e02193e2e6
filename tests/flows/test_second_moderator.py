"""In browsers: a proposal that another moderator approves or turns down, and a second decision, which is refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from moderation.actions.decisions import approve
from moderation.models import Case, Decision, Statement
from people.models import Sanction, User
from rooms.models import Room
from rooms.rules.restrictions import is_restricted
from tests.e2e.browser import Chromium
from tests.flows.concerned import HostPages, report_by_form, suspended
from tests.flows.console import QUEUE, Console, answering
from tests.flows.line import acts, assert_sound_ledger, is_kept_until, is_purged_on
from tests.support.cases import refused, staff
from tests.support.people import person

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "0:10–0:14"
SAID = "ill-disposed young man"
TOO_LATE = "This case was decided already."


@pytest.fixture
def ada(chromium: Chromium, room: Room) -> tuple[User, Page]:
    """The person concerned, and their page."""
    user = room.seats.get(user__handle="ada").user
    return user, chromium.page("/", user)


@pytest.fixture
def case(chromium: Chromium, room: Room) -> Case:
    return report_by_form(chromium, person("lea"), room, "ada")[0]


def work_on(case: Case, mara: Console) -> None:
    """Claim a case, and mark and quote its evidence."""
    mara.open(case)
    mara.claim()
    mara.read(SAID)
    mara.mark(ADA)


def test_a_second_decision_is_refused(chromium: Chromium, case: Case, mara: Console, nils: Console) -> None:
    """From pages that were loaded before the first: another moderator's, and two more tabs of who decided."""
    nils.open(case)
    work_on(case, mara)
    later, marking = mara.another(case), mara.another(case)
    for tab in (mara, later):
        tab.draft(("no_stage", 7))
        tab.preview()
    mara.confirm()
    expect(mara.page.get_by_text("Decided. It is in force")).to_be_visible()
    before = acts(case.ledger_subject)
    with answering(chromium, later.page, 409):
        later.confirm()
    expect(later.page.get_by_text(TOO_LATE)).to_be_visible()
    nils.press("Claim")
    expect(nils.page.get_by_text(TOO_LATE)).to_be_visible()
    marking.page.get_by_role("button", name="Mark as evidence").click()
    expect(marking.page.locator("[data-acted]")).to_contain_text(TOO_LATE)
    assert Decision.objects.count() == 1 and Sanction.objects.count() == 1
    assert acts(case.ledger_subject) == before, "refusals leave no entry"
    assert nils.cases() == [] and nils.cases("decided") == [case.pk]


def test_a_proposal_is_approved(
    chromium: Chromium, room: Room, case: Case, mara: Console, nils: Console, ada: tuple[User, Page]
) -> None:
    host, (person_concerned, page) = HostPages(chromium, room), ada
    work_on(case, mara)
    mara.propose(("suspend", None), ("restrict", None))
    suspended(chromium, page, "Until")
    assert is_kept_until(room, 90, "violation") and not Statement.objects.exists() and not is_restricted(room)
    host.shows("playing")
    decision = Decision.objects.get()
    mara.go(f"{QUEUE}{case.pk}/second/")
    expect(mara.page.get_by_text("Another moderator has to approve what you proposed.")).to_be_visible()
    assert refused(approve, decision, mara.user) == "own_proposal"
    nils.approve(case)
    now = Sanction.objects.in_force().get()
    assert now.ends_at is None and is_restricted(room) and Statement.objects.get().person == person_concerned
    suspended(chromium, page, "For good.")
    host.shows("closed")
    nils.go(f"{QUEUE}{case.pk}/second/")
    expect(nils.page.get_by_text("Nothing in this case waits for a second moderator.")).to_be_visible()
    assert refused(approve, decision, staff()) in ("decided_already", "not_proposed")
    assert nils.cases("second") == mara.cases("second") == []
    assert is_purged_on(room, 90)
    assert_sound_ledger()


def test_a_proposal_is_turned_down_and_the_case_decided_otherwise(
    chromium: Chromium, room: Room, case: Case, mara: Console, nils: Console, ada: tuple[User, Page]
) -> None:
    _person, page = ada
    work_on(case, mara)
    mara.propose(("suspend", None), ("restrict", None))
    suspended(chromium, page, "Until")
    nils.turn_down(case, "A quotation from a novel")
    chromium.go(page, "/dashboard/")
    expect(page.get_by_role("heading", name="Your rooms")).to_be_visible()
    assert is_kept_until(room, 90, "case") and not Statement.objects.exists()
    mara.open(case)
    expect(mara.page.locator('[data-part="decided"]')).to_contain_text("A quotation from a novel")
    assert nils.next_case() == case.pk
    nils.read()
    nils.dismiss()
    assert list(Decision.objects.order_by("pk").values_list("state", "outcome")) == [
        ("turned_down", "violation"),
        ("standing", "no_violation"),
    ]
    HostPages(chromium, room).shows("playing")
    assert nils.cases() == mara.cases() == []
    assert is_purged_on(room, 30)
    assert_sound_ledger()
