"""Rules of access to cases: pure functions of facts. Each returns a refusal code, or None for yes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rights:
    """Permissions of a member of staff on cases (codenames of this app), as granted now."""

    view: bool = False
    claim: bool = False
    decide: bool = False
    approve: bool = False
    senior: bool = False
    child_safety: bool = False
    ordinary: bool = False  # cases beside child safety, for somebody who has `child_safety` too
    open: bool = False


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Facts on which access to one case depends for one person, at one moment."""

    rights: Rights
    party: bool = False
    child_safety: bool = False
    for_seniors: bool = False
    state: str = "open"
    mine: bool = False  # claimed by this person
    taken: bool = False  # claimed by another, and not over
    looked: bool = False  # this person played the range, opened its lines, or opened what was reported
    own_proposal: bool = False  # the proposal that waits is this person's
    replaces: bool = False  # a review's new decision waits for a second moderator; the case itself is decided
    took_part: bool = False  # in an earlier decision of such a case, or in the review of one
    given: bool = False  # a review of this case, as an outside reviewer


def sees_ordinary(rights: Rights) -> bool:
    """Whether somebody sees cases beside child safety: the child-safety role alone does not."""
    return rights.view and (not rights.child_safety or rights.ordinary or rights.senior)


def why_not_see(facts: CaseFacts) -> str | None:
    """Refuse a case as if there were none to those who may not see it. A child-safety case is for that role alone, also
    one about staff; other cases about staff are for seniors. An outside reviewer sees that of the review they were
    given."""
    rights = facts.rights
    if facts.party:
        return "unknown_case"
    if facts.given:
        return None
    if not rights.view:
        return "unknown_case"
    if facts.child_safety:
        return None if rights.child_safety else "unknown_case"
    if not sees_ordinary(rights) or (facts.for_seniors and not rights.senior):
        return "unknown_case"
    return None


def why_not_claim(facts: CaseFacts) -> str | None:
    if code := why_not_see(facts):
        return code
    if not facts.rights.claim:
        return "not_allowed"
    if code := why_closed(facts.state):
        return code
    return "claimed_by_another" if facts.taken and not facts.mine else None


def why_not_work(facts: CaseFacts) -> str | None:
    """Working on the evidence of a case: whoever claimed it."""
    if code := why_not_claim(facts):
        return code
    return None if facts.mine else "not_claimed"


def why_not_decide(facts: CaseFacts) -> str | None:
    """Deciding: whoever claimed the case and has looked at what it is about."""
    if code := why_not_see(facts):
        return code
    if not facts.rights.decide:
        return "not_allowed"
    if code := why_closed(facts.state):
        return code
    if not facts.mine:
        return "claimed_by_another" if facts.taken else "not_claimed"
    return None if facts.looked else "not_looked"


def why_not_approve(facts: CaseFacts) -> str | None:
    """Approving a proposal, or turning it down: another person than who made it. A review's new decision is for
    somebody who had no part in the case before."""
    if code := why_not_see(facts):
        return code
    if not facts.rights.approve:
        return "not_allowed"
    if facts.state != "proposed" and not facts.replaces:
        return "not_proposed"
    if facts.own_proposal:
        return "own_proposal"
    return "took_part" if facts.replaces and facts.took_part else None


def why_not_act_at_once(facts: CaseFacts) -> str | None:
    """Ending a room or restricting its recording before a decision, without a claim: it is urgent."""
    if code := why_not_see(facts):
        return code
    if not facts.rights.decide:
        return "not_allowed"
    return why_closed(facts.state)


def why_not_reopen(facts: CaseFacts) -> str | None:
    """Opening a copy that a child-abuse report closed."""
    if code := why_not_see(facts):
        return code
    return None if facts.rights.child_safety else "not_allowed"


def why_closed(state: str) -> str | None:
    return {"decided": "decided_already", "proposed": "waits_for_second"}.get(state)
