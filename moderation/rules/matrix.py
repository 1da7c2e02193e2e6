"""Rights of each role of staff, written down apart from the groups that give the permissions.

`tests/moderation/test_groups.py` compares every cell with the groups that are made; `docs/permissions.md` is made of it
(`script/permission_matrix.py`). Case by case more is asked (`moderation/rules/access.py`): a party sees nothing.
"""

from __future__ import annotations

ROLES = ("moderator", "senior", "auditor", "administrator", "child-safety", "outside-reviewer")

_DECIDERS = ("moderator", "senior", "child-safety")
_REVIEWERS = ("moderator", "senior", "auditor")
_SENIORS = ("senior",)
_ACCOUNTS = ("senior", "administrator")
_STAFF = ("moderator", "senior", "auditor", "administrator", "child-safety")

# By act: the permission that it needs, and the roles that have it.
ACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "see a reported case": ("moderation.view_case", _DECIDERS),
    "claim a case": ("moderation.claim_case", _DECIDERS),
    "decide a case": ("moderation.decide_case", _DECIDERS),
    "approve as second moderator": ("moderation.approve_decision", _DECIDERS),
    "review a decision that was appealed": ("moderation.review_appeal", _DECIDERS),
    "give an appeal to an outside reviewer": ("moderation.assign_reviewer", _ACCOUNTS),
    "review the appeal that was given to them": ("moderation.review_assigned", ("outside-reviewer",)),
    "handle cases beside child safety": ("moderation.ordinary_case", ("moderator", "senior")),
    "handle a case about staff": ("moderation.senior_case", _SENIORS),
    "open a case on own initiative": ("moderation.open_case", _SENIORS),
    "read along in live rooms with a case they see": ("moderation.view_case", _DECIDERS),
    "read along in all live rooms, after a reason": ("moderation.watch_live", _SENIORS),
    "handle a child-safety case": ("moderation.child_safety_case", ("child-safety",)),
    "change rules and categories": ("moderation.change_rulebook", _SENIORS),
    "keep the list of words": ("moderation.change_rulebook", _SENIORS),
    "see clocks of recordings": ("moderation.view_roomclock", _REVIEWERS),
    "see receipts of purges": ("retention.view_purgereceipt", _REVIEWERS),
    "set a legal hold": ("moderation.add_legalhold", _SENIORS),
    "lift a legal hold": ("moderation.change_legalhold", _SENIORS),
    "read the order of a legal hold": ("moderation.view_legalhold", ("senior", "auditor")),
    "read the ledger": ("ledger.view_entry", ("auditor",)),
    "see who follows whom": ("social.view_follow", _REVIEWERS),
    "see accounts": ("people.view_user", _STAFF),
    "see sanctions": ("people.view_sanction", _STAFF),
    # Superusers alone: others would go round the second pair of eyes that a long suspension needs.
    "impose a sanction outside a case": ("people.add_sanction", ()),
    "lift a sanction outside a case": ("people.lift_sanction", _SENIORS),
    "see the creator group": ("people.view_creator", ("moderator", "senior", "auditor", "administrator")),
    "let people into the creator group": ("people.change_creator", _ACCOUNTS),
    "see e-mail addresses": ("people.view_address", _ACCOUNTS),
    "close and open accounts": ("people.close_account", _ACCOUNTS),
    "end sessions": ("people.end_sessions", _ACCOUNTS),
    "make an account": ("people.add_user", ("administrator",)),
    "change an account": ("people.change_user", ("administrator",)),
    "give and take away roles": ("people.change_role", ("administrator",)),
    "see mails that wait": ("mail.view_mail", ("administrator",)),
    "see how the parts of the site are": ("moderation.view_health", ("administrator",)),
}
