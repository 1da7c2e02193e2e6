"""Pages of appeals: their queue, a review and its outcome without script, outside reviewers, and who sees nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from ledger.models import Entry
from ledger.verify import verify
from moderation.actions.claims import claim
from moderation.actions.decisions import decide
from moderation.actions.evidence import mark_range, note_look
from moderation.actions.reviews import claim_review
from moderation.models import Appeal, Case, Decision, Look, Review
from moderation.notified import LINES
from moderation.rulebook import current_rules
from people.groups import MODERATORS, SENIORS
from people.models import Sanction, User
from rooms.models import Room
from tests.support.case_pages import at as case_at
from tests.support.cases import (
    aged,
    concerned_appeal,
    draft,
    kept_room,
    no_violation,
    open_case,
    reporter_appeal,
    review_decided,
    reviewed,
    violation,
)
from tests.support.people import person
from tests.support.reports import report
from tests.support.staff import sign_in_staff, with_fresh_step

pytestmark = pytest.mark.django_db
QUEUE = "/admin/moderation/review/"
PARTS, NEXT = f"{QUEUE}queue/parts/", f"{QUEUE}queue/next/"
WORDS = "It was a quote from a play."
VIEWS = ("change", "peaks", "stage", "playlist", "lines")
ACTS = ("claim", "show", "transcribe", "decide", "look")


def staff(*groups: str, handle: str = "") -> User:
    user = with_fresh_step(person(handle, is_staff=True))
    user.groups.set(Group.objects.filter(name__in=groups or [MODERATORS]))
    return user


def signed_in(user: User) -> Any:
    return sign_in_staff(Client(), user)


def at(review: Review, name: str = "change", *more: object) -> str:
    return reverse(f"admin:moderation_review_{name}", args=[review.pk, *more])


def appealed(*measures: tuple[str, int | None], by: User | None = None) -> Review:
    """The review of a violation of Bert in a room, who appealed it."""
    bert = person("bert") if not User.objects.filter(handle="bert").exists() else person()
    case = open_case(kept_room("", 10, bert), person("anna") if not Case.objects.exists() else None, subject=bert)
    return concerned_appeal(violation(case, *measures, by=by or staff()), WORDS).review


def not_found() -> Review:
    """The review of a decision that found nothing, which its reporter appealed."""
    bert = person("bert", language="nl")
    case = report(person("anna"), kept_room("", 10, bert), subject=bert, from_ms=1000, to_ms=4000).case
    no_violation(case, by=staff(handle="decider"))
    return reporter_appeal(case.reports.get().pk, "Listen again, please.").review


def shown(client: Any, query: str = "?show=open") -> list[int]:
    answer = client.get(QUEUE + query)
    assert answer.status_code == 200
    return [int(key) for key in re.findall(r'data-queue-review="(\d+)"', answer.content.decode())]


def tabs_of(client: Any) -> dict[str, str | None]:
    return {tab["url"].partition("=")[2]: tab["count"] for tab in client.get(QUEUE).context["tabs"]}


def form(**values: Any) -> dict[str, Any]:
    rule = current_rules()[0]
    new = {"rule": rule.pk, "ground": "rule", "facts": "You threatened a guest.", "measure": ["no_stage"]}
    new |= {"public_facts": "A speaker threatened a guest.", "days_no_stage": "14"}
    return {"verdict": "upheld", "reasons": "I listened to it twice.", **new, **values}


def decided(client: Any, review: Review, values: dict[str, Any], **more: Any) -> Any:
    """Preview an outcome, then decide it from the preview, as without script."""
    seen = client.post(at(review, "decide"), {**values, "do": "preview"})
    assert seen.status_code == 200, seen.content.decode()
    stamp = re.search(r'name="stamp" value="(\w+)"', seen.content.decode())
    assert stamp is not None
    return client.post(at(review, "decide"), {**values, "do": "decide", "stamp": stamp[1], **more})


# --- the queue --------------------------------------------------------------------------------------------------------


def test_appeals_come_by_their_day_and_what_is_overdue_stands_in_large() -> None:
    late, soon = appealed(), appealed()
    Review.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(days=1))
    client = signed_in(staff())
    assert shown(client) == [late.pk, soon.pk]
    page = client.get(QUEUE)
    text = " ".join(page.content.decode().split())
    assert page.context["late"] == 1 and "overdue since" in text and "by the person concerned" in text
    assert "@anna" not in text and WORDS not in text
    index = client.get("/admin/").content.decode()
    assert "appeals are open" in index and "1 is overdue." in index
    taken = staff(handle="mod")
    claim_review(late, taken)
    assert "Mod is working on this" in " ".join(client.get(QUEUE).content.decode().split())
    assert shown(signed_in(taken), "?show=mine") == [late.pk]
    review_decided(soon, "upheld")
    assert shown(client, "?show=decided") == [soon.pk] and tabs_of(client)["open"] == "1"
    assert "late" in client.get(f"{PARTS}?show=open").content.decode()
    for query in ("?show=nonsense", "?page=9999", "?page=x"):
        assert client.get(QUEUE + query).status_code == 200


def test_next_appeal_claims_the_one_that_is_due_first_and_free() -> None:
    first, second = appealed(), appealed()
    anna, mod = signed_in(staff()), signed_in(staff())
    assert anna.get(NEXT).status_code == 405
    assert anna.post(NEXT).url == at(first) and mod.post(NEXT).url == at(second)
    answer = signed_in(staff()).post(NEXT, follow=True)
    assert "No appeal is free" in answer.content.decode()


def test_who_took_part_and_parties_see_no_appeal_not_even_in_counts() -> None:
    decider, second = staff(handle="decider"), staff()
    review = appealed(by=decider)
    Decision.objects.update(second_by=second)
    party = staff()
    review.decision.case.parties.create(user=party)
    root = with_fresh_step(person("root", is_staff=True, is_superuser=True))
    review.decision.case.parties.create(user=root)
    for user in (decider, second, party, root):
        client = signed_in(user)
        assert shown(client) == [] and set(tabs_of(client).values()) <= {"0", None}
        assert str(review.pk) not in re.findall(r"review/(\d+)", client.get("/admin/").content.decode())
        assert client.post(NEXT).url == QUEUE
        assert {name: client.get(at(review, name)).status_code for name in VIEWS} == dict.fromkeys(VIEWS, 404)
        assert {name: client.post(at(review, name)).status_code for name in ACTS} == dict.fromkeys(ACTS, 404)
        assert client.get(at(review, "sound", "mix.m4a")).status_code == 404
        assert client.get(at(review, "reviewer")).status_code in (403, 404)
    assert signed_in(staff()).get(at(review)).status_code == 200 and not Look.objects.exclude(user=decider).exists()
    assert Client().get(QUEUE).status_code == 302


def test_the_page_of_the_case_tells_of_the_appeal_those_alone_who_may_see_both() -> None:
    decider = staff(handle="decider")
    review = appealed(("no_stage", 3), by=decider)
    case = review.decision.case
    other = staff(handle="watcher")
    reviewed(review, other)
    page = signed_in(other).get(case_at(case)).content.decode()
    assert at(review) in page and "An appeal is open" in page and "Appeal by the person concerned" in page
    own = signed_in(decider).get(case_at(case)).content.decode()
    assert "An appeal" not in own and "Appeal by" not in own and "/review/" not in own
    assert "Watcher" not in own, "nor who looks at it"
    review_decided(review, "overturned", other)
    assert "An appeal was decided" in " ".join(signed_in(other).get(case_at(case)).content.decode().split())


def test_the_queue_and_a_review_cost_as_much_with_fifty_as_with_five_hundred_rows() -> None:
    model = appealed()
    client = signed_in(staff(SENIORS))

    def cost(number: int) -> int:
        fill(model, number)
        for page in (QUEUE, at(model)):  # what comes once a minute is written before anything is counted
            client.get(page)
        with CaptureQueriesContext(connection) as caught:
            assert len(client.get(QUEUE).context["rows"]) == 50
        with CaptureQueriesContext(connection) as of_page:
            assert client.get(at(model)).status_code == 200
        return len(caught) * 1000 + len(of_page)

    few = cost(60)
    assert cost(500) == few and few // 1000 < 40


def fill(model: Review, number: int) -> None:
    """Lay reviews of cases about one room's speakers, some overdue, beside the actions."""
    wanted, now = number - Review.objects.count(), timezone.now()
    names = [f"f{number}x{n}" for n in range(wanted)]
    people = User.objects.bulk_create(User(handle=one, display_name=one, email=f"{one}@x.example") for one in names)
    decision = model.decision
    room = decision.case.room
    cases = Case.objects.bulk_create(
        Case(kind="person", room=room, subject=user, state="decided", decided_at=now) for user in people
    )
    made = {"outcome": "violation", "state": "standing", "rule": decision.rule, "facts": "Hm.", "by": decision.by}
    decisions = Decision.objects.bulk_create(Decision(case=case, **made) for case in cases)
    due = [now + timedelta(days=n % 20 - 5) for n in range(wanted)]
    reviews = Review.objects.bulk_create(
        Review(decision=row, due_at=day, stranded_at=now if n % 7 == 0 else None)
        for n, (row, day) in enumerate(zip(decisions, due, strict=True))
    )
    Appeal.objects.bulk_create(
        Appeal(review=row, decision=row.decision, side="concerned", person=user, words="No.", language="en")
        for row, user in zip(reviews, people, strict=True)
    )


# --- a review ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_appeal_decision_and_statement_and_names_neither_decider_nor_reporter() -> None:
    review = appealed(("no_stage", 3), by=staff(handle="decider"))
    page = signed_in(staff()).get(at(review)).content.decode()
    decision = review.decision
    assert WORDS in page and decision.facts in page and decision.rule is not None and decision.rule.title() in page
    assert "The statement, as it was told" in page and "by a moderator" in page and "no place on stages" not in page
    assert "Decider" not in page and "@anna" not in page and "Anna" not in page
    assert "data-decide" not in page and "Claim the appeal to decide it." in page


def test_nobody_decides_what_they_did_not_claim_and_look_at() -> None:
    review = appealed()
    mod = staff()
    client = signed_in(mod)
    answer = client.post(at(review, "decide"), {**form(), "do": "preview"})
    assert answer.status_code == 409 and "I listened to it twice." in answer.content.decode()
    client.post(at(review, "claim"))
    answer = client.post(at(review, "decide"), {**form(), "do": "preview"})
    assert answer.status_code == 409 and "before you decide" in answer.content.decode()
    looked = client.post(at(review, "look"), {"what": "lines", "from": "0:00", "to": "0:01"})
    assert looked.url.startswith(at(review, "lines"))
    page = client.get(looked.url)
    assert page.status_code == 200 and at(review) in page.content.decode()
    entry = Entry.objects.filter(kind="evidence_read", actor=mod.pk).get()
    assert entry.subject == review.decision.case.ledger_subject
    wrong = client.post(at(review, "decide"), {**form(reasons="", verdict="maybe"), "do": "preview"})
    assert wrong.status_code == 400
    assert decided(client, review, form()).status_code == 302
    review.refresh_from_db()
    assert (review.state, review.outcome, review.reviewer) == ("decided", "upheld", mod)
    assert "I listened to it twice." in client.get(at(review)).content.decode() and verify().ok
    client.post(at(review, "claim"), {"do": "release"})
    assert client.post(at(review, "decide"), {**form(), "do": "decide"}).status_code == 409


def test_an_overturned_decision_is_previewed_with_what_is_undone_and_undone() -> None:
    review = appealed(("no_stage", 3), ("warning", None))
    mod = staff()
    client = signed_in(mod)
    reviewed(review, mod)
    values = form(verdict="overturned")
    text = " ".join(client.post(at(review, "decide"), {**values, "do": "preview"}).content.decode().split())
    assert "Your appeal was granted" in text and "I listened to it twice." in text and "Undone" in text
    assert "After this" in text and Review.objects.get().state == "open"
    back = client.post(at(review, "decide"), {**values, "do": "edit"}).content.decode()
    assert "I listened to it twice." in back and 'value="overturned" checked' in " ".join(back.split())
    assert decided(client, review, values).status_code == 302
    assert Decision.objects.get().state == "undone"
    assert not Sanction.objects.in_force().filter(user__handle="bert", kind="no_stage").exists() and verify().ok


def test_what_comes_after_the_preview_is_seen_before_the_outcome() -> None:
    bert = person("bert")
    room = kept_room("", 10, bert)
    case = report(person("anna"), room, subject=bert, from_ms=1000, to_ms=2000).case
    report(person("carl"), room, subject=bert, from_ms=60_000, to_ms=70_000)
    mod, other = staff(), staff()
    first = case.reports.order_by("pk").first()
    assert first is not None
    no_violation(case, by=other)
    review = reporter_appeal(first.pk).review
    client = signed_in(mod)
    reviewed(review, mod)
    seen = client.post(at(review, "decide"), {**form(), "do": "preview"}).content.decode()
    stamp = re.search(r'name="stamp" value="(\w+)"', seen)
    assert stamp is not None
    reporter_appeal(case.reports.exclude(pk=first.pk).get().pk, "Mine too.")
    answer = client.post(at(review, "decide"), {**form(), "do": "decide", "stamp": stamp[1]})
    assert answer.status_code == 409 and "changed since the preview" in answer.content.decode()
    assert "I listened to it twice." in answer.content.decode() and Review.objects.get().state == "open"


def test_the_preview_says_to_each_side_what_came_of_its_own_appeal() -> None:
    """Both sides appeal: a new violation in the reporter's range grants that appeal, and replaces for the other."""
    bert = person("bert", language="nl")
    room = kept_room("", 10, bert)
    case = report(person("anna"), room, subject=bert, from_ms=1000, to_ms=4000).case
    other = report(person("carl"), room, subject=bert, from_ms=60_000, to_ms=70_000)
    mod = staff()
    decider = staff()
    claim(case, decider)
    mark_range(case, decider, 1000, 4000)
    note_look(case, decider, "lines", 1000, 4000)
    review = concerned_appeal(decide(case, decider, draft()), WORDS).review
    reporter_appeal(other.pk)
    client = signed_in(mod)
    reviewed(review, mod)
    values = form(verdict="replaced", range_from="1:00", range_to="1:05")
    seen = client.post(at(review, "decide"), {**values, "do": "preview"})
    lines = {appeal.side: line for appeal, line in seen.context["sides"]}
    with translation.override("en"):
        assert lines["reporter"] == str(LINES["appeal_outcome", "granted"])
    with translation.override("nl"):
        assert lines["concerned"] == str(LINES["appeal_outcome", "replaced"])
    assert decided(client, review, values).status_code == 302
    away = client.post(at(review, "decide"), {**values, "do": "preview"})
    assert away.status_code == 409 and verify().ok


def test_no_violation_is_overturned_by_a_new_decision_with_its_own_statement() -> None:
    review = not_found()
    mod = staff()
    client = signed_in(mod)
    reviewed(review, mod)
    page = client.get(at(review)).content.decode()
    assert 'value="overturned"' not in page and 'value="replaced"' in page
    assert (
        "needs evidence"
        in client.post(
            at(review, "decide"), {**form(verdict="replaced", range_from="x", range_to=""), "do": "preview"}
        ).content.decode()
    )
    values = form(verdict="replaced", range_from="0:01", range_to="0:04")
    seen = client.post(at(review, "decide"), {**values, "do": "preview"}).content.decode()
    assert '<div lang="nl">' in seen and "You threatened a guest." in seen
    assert decided(client, review, values).status_code == 302
    review.refresh_from_db()
    assert review.replacement is not None and review.replacement.state == "standing"
    assert review.replacement.statement.person.handle == "bert" and verify().ok


def test_a_long_suspension_waits_for_somebody_without_a_part_and_is_approved() -> None:
    review = not_found()
    mod = staff(handle="mod")
    client = signed_in(mod)
    reviewed(review, mod)
    values = form(verdict="replaced", measure=["suspend"], days_suspend="60", range_from="0:01", range_to="0:04")
    unsure = decided(client, review, values)
    assert unsure.status_code == 400 and Review.objects.get().state == "open"
    assert decided(client, review, values, sure="yes").status_code == 302
    assert Review.objects.get().state == "proposed"
    case = review.decision.case
    decider = signed_in(User.objects.get(handle="decider"))
    assert decider.get(case_at(case, "second")).status_code in (302, 404)
    assert "proposed" not in decider.get(case_at(case)).content.decode()
    second = signed_in(staff())
    assert case_at(case, "second") in second.get(at(review)).content.decode()
    page = second.get(case_at(case, "second")).content.decode()
    assert "It replaces what an appeal overturned" in page and "I listened to it twice." in page
    new = Decision.objects.get(state="proposed")
    second.post(case_at(case, "second"), {"decision": new.pk, "do": "approve", "sure": "yes"})
    review.refresh_from_db()
    assert review.state == "decided" and Decision.objects.get(pk=new.pk).state == "standing" and verify().ok


def test_once_the_copy_is_gone_a_review_is_decided_on_the_record() -> None:
    review = appealed()
    room = review.decision.case.room
    assert room is not None
    aged(room, 10)
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    client = signed_in(staff())
    page = client.get(at(review)).content.decode()
    assert "data-audio" not in page and "Open what was reported" in page
    client.post(at(review, "claim"))
    client.post(at(review, "show"))
    assert "was deleted on its day" in client.get(at(review)).content.decode()
    assert decided(client, review, form()).status_code == 302 and Look.objects.filter(what="shown").count() == 1
