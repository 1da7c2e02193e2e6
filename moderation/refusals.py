"""Refusals of trust and safety: a code, its HTTP status and its text."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.refusals import Refusal, Refused

TABLE: dict[str, Refusal] = {
    "not_signed_in": Refusal(401, _("Sign in to do this.")),
    "not_allowed": Refusal(403, _("You cannot do that here.")),
    "account_closed": Refusal(403, _("This account is closed.")),
    "account_suspended": Refusal(403, _("This account is suspended.")),
    "unknown_room": Refusal(404, _("There is no room at this address.")),
    "unknown_message": Refusal(404, _("There is no such message.")),
    "unknown_person": Refusal(404, _("There is nobody with this handle.")),
    "not_report_oneself": Refusal(409, _("You cannot report yourself.")),
    "stale_form": Refusal(
        409, _("Somebody else changed this meanwhile. Look at it as it is now, and send yours again.")
    ),
    "rule_in_use": Refusal(409, _("Categories of reports name this rule. Let them name another one first.")),
    "last_rule": Refusal(409, _("One rule has to stay: without any, no violation could be found.")),
    "rule_retired": Refusal(409, _("The rule of this category is retired. Return the rule first.")),
    "category_stays": Refusal(409, _("This category is handled in a way of its own and cannot be retired.")),
    "hold_exists": Refusal(409, _("An order with this reference already holds this recording.")),
    "hold_ended": Refusal(409, _("This hold has ended already.")),
    "party_of_room": Refusal(403, _("You were part of this room: somebody else has to do this.")),
    "reported_oneself": Refusal(409, _("You reported something in this room yourself: somebody else has to do this.")),
    "case_is_open": Refusal(409, _("There is an open case about this already.")),
    "not_in_room": Refusal(409, _("This person was not on the stage of that room.")),
    "no_picture": Refusal(409, _("This person has no picture now.")),
    "not_asked": Refusal(409, _("No question was asked about this report.")),
    "case_closed": Refusal(409, _("Moderators have decided: nothing can be added any more.")),
    "too_many_answers": Refusal(409, _("Your answers have arrived. Wait until a moderator writes again.")),
    "too_many_questions": Refusal(409, _("There were too many questions about this report.")),
    "copy_gone": Refusal(410, _("The recording of this room was deleted on its day: there is nothing to look at.")),
    "unknown_case": Refusal(404, _("There is no such case, or you may not see it.")),
    "claimed_by_another": Refusal(409, _("Somebody else is working on this case.")),
    "not_claimed": Refusal(409, _("You do not have this case, or not any more: claim it first.")),
    "not_looked": Refusal(409, _("Play the range, or open its lines or what was reported, before you decide.")),
    "case_changed": Refusal(409, _("This case has changed since the preview. Read it again before you decide.")),
    "decided_already": Refusal(409, _("This case was decided already. A new report opens a new case.")),
    "waits_for_second": Refusal(409, _("This case waits for a second moderator.")),
    "not_proposed": Refusal(409, _("Nothing in this case waits for a second moderator.")),
    "own_proposal": Refusal(403, _("Another moderator has to approve what you proposed.")),
    "copy_closed": Refusal(409, _("A report closed the recording. Restrict it, or open it again first.")),
    "act_was_late": Refusal(409, _("This was lifted because no decision came in time. Decide the case instead.")),
    "not_standing": Refusal(409, _("This decision no longer stands.")),
    "not_live": Refusal(409, _("This room is not live.")),
    "no_case": Refusal(409, _("Nobody reported this room: open a case first.")),
    "unknown_hit": Refusal(404, _("There is no such place, or you may not see it.")),
    "hit_handled": Refusal(409, _("Somebody has looked at this already.")),
    "list_full": Refusal(409, _("The list is full: 1,000 words are in use. Take one out of use first.")),
    "no_sound": Refusal(409, _("This case is not about a recording.")),
    "not_told": Refusal(409, _("You can appeal once you were told what was decided.")),
    "appeal_too_late": Refusal(409, _("The time for an appeal is over.")),
    "appealed_already": Refusal(409, _("Your appeal has arrived already. One is enough: each side appeals once.")),
    # The same words whoever appealed: a reporter must not learn of others.
    "review_final": Refusal(409, _("This can no longer be appealed here.")),
    "nothing_to_appeal": Refusal(409, _("There is nothing here to appeal.")),
    "unknown_review": Refusal(404, _("There is no such appeal, or you may not see it.")),
    "reviewed_already": Refusal(409, _("This appeal was decided already.")),
    "took_part": Refusal(403, _("You had a part in this case before: somebody else has to do this.")),
    "reviewer_given": Refusal(409, _("An outside reviewer has this appeal already.")),
    "reviewer_eligible": Refusal(409, _("Somebody of the staff can decide this appeal, and has time left.")),
    "not_eligible": Refusal(
        409, _("This account cannot review this appeal: it needs the role of an outside reviewer, and no part in it.")
    ),
    "bad_value": Refusal(400, _("Something in what was sent is not right.")),
    "too_fast": Refusal(429, _("That was a bit much at once. Nothing was lost: wait a moment and try again.")),
}


class ModerationRefused(Refused):
    """A refusal of an action of trust and safety."""

    table = TABLE
