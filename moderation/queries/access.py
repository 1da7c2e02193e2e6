"""Cases that a member of staff may see, and the facts on which acts in one case depend."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from moderation.models import Case, CaseParty, Decision, EvidenceRange, Look, OutsideReviewer, Report
from moderation.models.appeals import UNDECIDED
from moderation.models.cases import WITH_SOUND
from moderation.queries.among import Among
from moderation.refusals import ModerationRefused
from moderation.rules.access import CaseFacts, Rights, sees_ordinary, why_not_see
from people.models import User
from rooms.models import Seat

Row = TypeVar("Row", bound=Model)
CODENAMES = {
    "view": "view_case",
    "claim": "claim_case",
    "decide": "decide_case",
    "approve": "approve_decision",
    "senior": "senior_case",
    "child_safety": "child_safety_case",
    "ordinary": "ordinary_case",
    "open": "open_case",
}


def rights_of(user: User) -> Rights:
    """Return what a person may do with cases; Django keeps the permissions of a user object that was asked once."""
    return Rights(**{name: user.has_perm(f"moderation.{codename}") for name, codename in CODENAMES.items()})


def visible_cases(user: User) -> QuerySet[Case]:
    """Select the cases that a person may see: none of those they are a party of."""
    rights = rights_of(user)
    allowed = Q()
    if rights.child_safety:
        allowed |= Q(child_safety=True)
    if sees_ordinary(rights):
        allowed |= Q(child_safety=False) if rights.senior else Q(child_safety=False, for_seniors=False)
    if not rights.view or not allowed:
        return Case.objects.none()
    # By key, not joined row by row: PostgreSQL then reads what one person is a party of once, and a list goes on along
    # its index however many of its rows are passed over.
    parties = CaseParty.objects.filter(user=user.pk).values("case")
    seats = Seat.objects.filter(user=user.pk).values("room")  # in a live room, taken since the case was opened
    return Case.objects.filter(allowed).exclude(Q(pk__in=parties) | Q(room__in=seats))


def of_visible_cases(rows: QuerySet[Row], user: User, **such: Any) -> QuerySet[Row]:
    """Select the rows whose `case` is `such` a case that a person may see; only cases of these rows are read for it."""
    return rows.filter(case__in=visible_cases(user).filter(Among("pk", rows.values("case")), **such))


def visible_case(user: User, pk: int) -> Case:
    """Get a case that a person may see. Raises unknown_case."""
    case = visible_cases(user).filter(pk=pk).first()
    if case is None:
        raise ModerationRefused("unknown_case")
    return case


def is_party(case: Case, user_pk: int) -> bool:
    """Whether a person is a party, also by a seat that they took a moment ago."""
    if CaseParty.objects.filter(case=case, user=user_pk).exists():
        return True
    return case.room_id is not None and Seat.objects.filter(room=case.room_id, user=user_pk).exists()


def facts_of(case: Case, user: User) -> CaseFacts:
    """Load the facts of a case for one person; at most four queries beside their permissions, five where a new decision
    waits in a decided case."""
    rights, holder = rights_of(user), case.holder(timezone.now())
    facts = CaseFacts(
        rights,
        party=is_party(case, user.pk),
        given=not rights.view and was_given(case, user),
        child_safety=case.child_safety,
        for_seniors=case.for_seniors,
        state=case.state,
        mine=holder == user.pk,
        taken=holder is not None,
        looked=False,
    )
    if why_not_see(facts):
        return facts
    more = {"looked": has_looked(case, user)}
    if facts.state != Case.State.OPEN:
        proposer = (
            Decision.objects.filter(case=case, state=Decision.State.PROPOSED).values_list("by", flat=True).first()
        )
        more["own_proposal"] = proposer == user.pk
        more["replaces"] = facts.state == Case.State.DECIDED and proposer is not None
        more["took_part"] = more["replaces"] and user.pk in took_part(case)
    return CaseFacts(**{**{name: getattr(facts, name) for name in CaseFacts.__slots__}, **more})


def was_given(case: Case, user: User) -> bool:
    """Whether a person has an open review of this case as an outside reviewer."""
    if not user.has_perm("moderation.review_assigned"):
        return False
    return OutsideReviewer.objects.filter(
        user=user, ended_at=None, review__decision__case=case, review__state__in=UNDECIDED
    ).exists()


def took_part(case: Case | int) -> set[int]:
    """Keys of those who had a part in a decision of a case, or in the review of one: who decided, approved or turned
    down, or reviewed."""
    found: set[int | None] = set()
    for sides in Decision.objects.filter(case=case).values_list("by", "second_by", "reviews__reviewer"):
        found.update(sides)
    return {pk for pk in found if pk is not None}


def waiting_proposals(user: User) -> QuerySet[Decision]:
    """Select the proposals that wait for a second moderator; not a review's new decision for those who had a part in
    the case, and know nothing of the review."""
    had = Q(by=user.pk) | Q(second_by=user.pk) | Q(reviews__reviewer=user.pk)
    part = Decision.objects.filter(had, case=OuterRef("case")).exclude(pk=OuterRef("pk"))
    return Decision.objects.filter(~Q(Exists(part), case__state=Case.State.DECIDED), state=Decision.State.PROPOSED)


def has_looked(case: Case, user: User) -> bool:
    """Whether a person looked at what a case is about: played a reported range or opened its lines (a marked one where
    nothing was reported: own initiative, a split); opened what was reported. Where the copy is gone, the record of the
    case is what there is to open."""
    looks = Look.objects.filter(case=case, user=user)
    if case.kind not in WITH_SOUND or (case.room is not None and case.room.purged_at is not None):
        return looks.filter(what=Look.What.SHOWN).exists()
    overlaps = {"from_ms__lt": OuterRef("to_ms"), "to_ms__gt": OuterRef("from_ms")}
    reported = Report.objects.filter(case=case, **overlaps)
    marked = EvidenceRange.objects.filter(case=case, **overlaps)
    heard = looks.filter(what__in=[Look.What.PLAYED, Look.What.LINES])
    any_reported = Report.objects.filter(case=case, from_ms__isnull=False)
    return heard.filter(Exists(reported) | Exists(marked) & ~Exists(any_reported)).exists()
