"""Pages of appeals that nobody of the staff may review, and of an outside reviewer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import get_resolver

from ledger.verify import verify
from moderation.actions.sweep import sweep
from moderation.models import OutsideReviewer, Review
from people.groups import ADMINISTRATORS, CHILD_SAFETY, OUTSIDE_REVIEWERS
from people.models import User
from tests.moderation.test_review_pages import (
    NEXT,
    PARTS,
    QUEUE,
    WORDS,
    appealed,
    at,
    decided,
    form,
    shown,
    signed_in,
    staff,
)
from tests.support.case_pages import at as case_at
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db


# --- nobody eligible, outside reviewers -------------------------------------------------------------------------------


def stranded() -> tuple[Review, User]:
    """A review that the only moderator of the site decided, with an administrator who learns of it."""
    review = appealed(by=staff(handle="only"))
    boss = staff(ADMINISTRATORS, handle="boss")
    sweep()
    review.refresh_from_db()
    assert review.stranded_at is not None
    return review, boss


def outside(handle: str = "outer") -> User:
    return staff(OUTSIDE_REVIEWERS, handle=handle)


def test_administrators_see_of_an_appeal_without_a_reviewer_its_number_and_nothing_of_its_content() -> None:
    review, boss = stranded()
    client = signed_in(boss)
    index = client.get("/admin/").content.decode()
    assert "appeal without a reviewer" in index
    for page in (client.get(QUEUE), client.get(PARTS), client.get(at(review, "reviewer"))):
        text = page.content.decode()
        assert page.status_code == 200 and str(review.pk) in text and "no eligible reviewer" in text
        assert "Bert" not in text and WORDS not in text and review.decision.facts not in text and "Regulars" not in text
    assert client.get(at(review)).status_code == 404 and client.post(NEXT).status_code == 403
    assert signed_in(staff(CHILD_SAFETY)).get(at(review, "reviewer")).status_code == 403
    assert signed_in(User.objects.get(handle="only")).get(at(review, "reviewer")).status_code == 403
    party = staff(ADMINISTRATORS)
    review.decision.case.parties.create(user=party)
    assert signed_in(party).get(at(review, "reviewer")).status_code == 404
    assert f">{review.pk}<" not in signed_in(party).get(QUEUE).content.decode()
    assert signed_in(party).get(QUEUE).context["stranded"] == []


def test_an_appeal_is_given_to_an_outside_reviewer_and_taken_back() -> None:
    review, boss = stranded()
    outer, client = outside(), signed_in(boss)
    assert shown(signed_in(outer)) == []
    for values in ({"user": outer.pk, "reason": ""}, {"user": boss.pk, "reason": "x"}, {"user": "x", "reason": "x"}):
        assert client.post(at(review, "reviewer"), values).status_code == 400, values
    given = client.post(at(review, "reviewer"), {"user": outer.pk, "reason": "Nobody else is here."})
    assert given.status_code == 302 and OutsideReviewer.objects.get().given_by == boss
    assert shown(signed_in(outer)) == [review.pk]
    assert "given to an outside reviewer" in client.get(QUEUE).content.decode()
    client.post(at(review, "reviewer"), {"do": "end"})
    assert shown(signed_in(outer)) == [] and signed_in(outer).get(at(review)).status_code == 404
    assert verify().ok


def addresses(review: Review) -> list[str]:
    """Every address of the admin, with the keys of this review and its case."""
    keys = {"pk": str(review.pk), "path": "mix.m4a"}
    case = str(review.decision.case_id)
    routes = [route for route in walk(get_resolver().url_patterns, "") if route.startswith("admin/")]
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda name: keys.get(name[1], case), route) for route in routes]


def walk(patterns: Any, before: str) -> Any:
    for one in patterns:
        route = before + str(one.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if hasattr(one, "url_patterns"):
            yield from walk(one.url_patterns, route)
        else:
            yield route


def test_an_outside_reviewer_begins_on_the_review_and_sees_nothing_else_of_the_admin() -> None:
    review, boss = stranded()
    another = appealed(by=with_fresh_step(User.objects.get(handle="only")))
    outer = outside()
    signed_in(boss).post(at(review, "reviewer"), {"user": outer.pk, "reason": "Nobody else is here."})
    client = signed_in(outer)
    assert client.get("/admin/home/").url == at(review)
    page = client.get(at(review)).content.decode()
    assert WORDS in page and case_at(review.decision.case) not in page and "Anna" not in page
    opened = {url for url in addresses(review) if client.get(url).status_code == 200}
    own = {
        "/admin/",
        "/admin/password_change/done/",
        QUEUE,
        PARTS,
        "/admin/jsi18n/",
        *(at(review, name) for name in ("change", "stage", "peaks")),
    }
    assert opened <= own | {at(review, "playlist"), at(review, "lines")}, opened - own
    assert at(review) in opened and client.get(at(another)).status_code == 404
    assert {name: client.post(case_at(review.decision.case, name)).status_code for name in ("claim", "note")} == {
        "claim": 404,
        "note": 404,
    }
    index = client.get("/admin/").content.decode()
    assert "appeal is open" in index and "cases are open" not in index
    client.post(at(review, "claim"))
    client.post(at(review, "look"), {"what": "lines", "from": "0:00", "to": "0:01"})
    done = decided(client, review, form(verdict="overturned"))
    assert done.url == QUEUE and Review.objects.get(pk=review.pk).reviewer == outer
    assert client.get(at(review)).status_code == 404, "their part is over"
    assert verify().ok
