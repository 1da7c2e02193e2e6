"""Appeals whose way is not the usual one, in browsers, with recorded speech and a real worker: nobody of the staff may
review; a host deletes the account with a case open."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import expect

from moderation.actions import sweep
from moderation.models import OutsideReviewer, Review, Statement
from people.actions.forgetting import tidy_deleted
from people.groups import ADMINISTRATORS, OUTSIDE_REVIEWERS
from people.models import DeletedAccount, Sanction, User
from people.queries import address_to_tell
from retention.models import PurgeReceipt
from rooms.models import Room
from rooms.rules.restrictions import is_restricted
from social.models import Message
from tests.e2e.browser import Chromium
from tests.flows.concerned import AppealPage, HostPages, delete_account, report_by_form, shows_replay
from tests.flows.console import QUEUE, Reviews, answering
from tests.flows.letters import ARRIVED, DECIDED, OUTCOME, STATEMENT, letter, told_of
from tests.flows.line import (
    DAY,
    acts,
    ada_of,
    assert_sound_ledger,
    files_of,
    is_kept_until,
    is_purged_on,
)
from tests.support.cases import concerned_appeal, kept_room, open_case, violation
from tests.support.people import person
from tests.support.processes import Site
from tests.support.staff import with_fresh_step
from tests.support.traces import in_columns

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "0:10–0:14"
HOST_SPOKE = (30, 36)
WORDS = "I read it aloud from a novel, and had said so. Listen to the minute before."
REASONS = "That it is from a novel changes nothing for who is meant."


@pytest.fixture
def web(telling_site: Site) -> Site:
    return telling_site


def in_role(chromium: Chromium, group: str, handle: str) -> Reviews:
    """Somebody with a role of staff, as administrators give it."""
    user = person(handle, is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    return Reviews(chromium, with_fresh_step(user))


def test_nobody_may_review_and_an_outside_reviewer_sees_one_appeal_and_decides(
    chromium: Chromium, room: Room, mara: Reviews
) -> None:
    her = ada_of(room)
    boss, outer = in_role(chromium, ADMINISTRATORS, "boss"), in_role(chromium, OUTSIDE_REVIEWERS, "outer")
    carl = person("carl")
    other = concerned_appeal(violation(open_case(kept_room("", 10, carl), subject=carl), by=mara.user)).review
    case, _receipt = report_by_form(chromium, person("lea"), room, "ada")
    assert mara.next_case() == case.pk
    mara.read("ill-disposed young man")
    mara.mark(ADA)
    mara.decide(("no_stage", 7), ("restrict", None))
    phone = AppealPage.by_mail(chromium, letter(her, STATEMENT))
    phone.words.fill(WORDS)
    phone.send()
    review = Review.objects.get(decision__case=case)
    mara.sees_no_review(review)
    assert outer.reviews() == [] and boss.reviews() == []
    assert sweep.sweep() and Message.objects.filter(receiver=boss.user, kind="official").exists()
    boss.open_review(review, 404)
    boss.give(review, outer.user, "Everybody else had a part in it.")
    expect(boss.page.get_by_role("main")).not_to_contain_text(WORDS)
    assert outer.reviews() == [review.pk], "and nothing of the other"
    outer.open_review(other, 404)
    outer.go(QUEUE, 403)
    outer.go(f"{QUEUE}{case.pk}/", 404)
    assert outer.next_review() == review.pk
    expect(outer.page.get_by_role("region", name="Appeals")).to_contain_text(WORDS)
    outer.listen(ADA)
    outer.read()
    outer.overturn("She read aloud.")
    assert outer.reviews() == [] and OutsideReviewer.objects.get().ended_at is not None
    outer.open_review(review, 404)
    assert "Your appeal was granted" in letter(her, DECIDED)
    phone.shows("Your appeal was granted", "She read aloud.")
    assert told_of(her) == ["statement", "appeal_received", "appeal_outcome"]
    assert not is_restricted(room) and not Sanction.objects.in_force().filter(user=her).exists()
    kinds = [kind for kind in acts(case.ledger_subject) if "review" in kind]
    assert kinds == ["outside_reviewer_given", "review_claimed", "review_decided", "outside_reviewer_ended"]
    outer.go("/admin/")
    mara.go("/admin/")
    assert is_purged_on(room, 30)
    assert_sound_ledger()


def test_a_host_deletes_the_account_with_a_case_open_and_appeals_by_the_link(
    chromium: Chromium, room: Room, mara: Reviews, nils: Reviews
) -> None:
    host, pages, address = room.host, HostPages(chromium, room), room.host.email
    lea, stranger, given = person("lea"), chromium.page("/"), files_of(room)
    shows_replay(chromium, stranger, room, "playing")
    case, _receipt = report_by_form(chromium, lea, room, "host", HOST_SPOKE)
    delete_account(chromium, pages.page, host, "We keep your address until you have been told")
    with answering(chromium, stranger, 404):
        chromium.go(stranger, f"/r/{room.slug}/replay/", 404)
    assert {Client().get(path).status_code for path in given} == {404}
    assert mara.next_case() == case.pk
    expect(mara.page.get_by_role("main")).to_contain_text("Deleted person")
    mara.read("more amiable woman")
    mara.mark("0:30–0:36")
    mara.decide(("no_hosting", 30), ("restrict", None))
    letter(lea, OUTCOME)
    phone = AppealPage.by_mail(chromium, letter(address, STATEMENT))
    phone.hear(HOST_SPOKE)
    phone.type(WORDS)
    phone.send()
    assert "The link by which you wrote shows how it goes." in letter(address, ARRIVED)
    assert is_kept_until(room, 180, "appeal")
    assert nils.next_review() == Review.objects.get().pk
    nils.listen("0:30–0:36")
    nils.uphold(REASONS)
    answer = AppealPage.by_mail(chromium, told := letter(address, DECIDED))
    assert REASONS in told
    answer.shows("Your appeal was dismissed", REASONS)
    assert told_of(host) == ["statement", "appeal_received", "appeal_outcome"]
    tidy_deleted()
    assert address_to_tell(User.objects.get(pk=host.pk)) == address, "the time for appeals is not over"
    for each in (mara, nils):
        each.go("/admin/")
    assert is_purged_on(room, 90) and PurgeReceipt.objects.get().rule == "violation-90-days"
    answer.shows("Your appeal was dismissed", "The recording was deleted when its time was over.")
    tidy_deleted(Statement.objects.get().appeal_until + 2 * DAY)
    assert not DeletedAccount.objects.exists() and set(in_columns((address,))) == set(), "nowhere any more"
    assert_sound_ledger()
