"""Texts of scripts about invitations: on the room's page, and on the page for inviting."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from rooms.rules.refusals import TABLE

WHOM = gettext_lazy("Choose somebody, or write a handle.")
NO_LABEL = gettext_lazy("Say who it is for.")
# What may become of one of several people who are invited, beside `invited`.
ANSWERS = (
    *("unknown_person", "bad_value", "not_invite_oneself", "you_block_receiver", "cannot_be_reached"),
    *("invited_already", "invited_often", "declined_here", "removed_here", "on_stage_already", "not_acquainted"),
    *("invitations_full", "invitations_used_up"),
)


def answer(code: str) -> str:
    """Return what became of one invitation, by the code that the action gives."""
    if code == "invited":
        return pgettext("a person", "is invited.")
    if code == "bad_value":
        return _("This is no handle.")
    return str(TABLE[code].text)


def invite_words() -> dict[str, str]:
    """Return the texts of the form by which people are invited, by key."""
    return {
        **{f"answer_{code}": answer(code) for code in ("invited", *ANSWERS)},
        "answer_other": _("This person could not be invited."),
        "invite_nobody": pgettext("people", "Invite"),
        "invite_people_one": ngettext("Invite {number} person", "Invite {number} people", 1),
        "invite_people_other": ngettext("Invite {number} person", "Invite {number} people", 2),
        "invite_whom": str(WHOM),
        "invite_done_one": ngettext("{number} person is invited.", "{number} people are invited.", 1),
        "invite_done_other": ngettext("{number} person is invited.", "{number} people are invited.", 2),
        "invite_refused_one": ngettext("{number} could not be.", "{number} could not be.", 1),
        "invite_refused_other": ngettext("{number} could not be.", "{number} could not be.", 2),
        "invite_failed": _("No answer came, so perhaps nobody was invited. Try again: nobody is invited twice."),
        **_pick_words(),
        **_link_words(),
    }


def _pick_words() -> dict[str, str]:
    return {
        "pick_type": _("Type at least two letters of a name or handle."),
        "pick_none": _("Nobody is found."),
        "pick_failed": _("People could not be searched. Try again in a moment."),
        "pick_found_one": ngettext("{number} person", "{number} people", 1),
        "pick_found_other": ngettext("{number} person", "{number} people", 2),
        "pick_more": _("The first {number}. Type a name or a handle to find others."),
        "pick_on_stage": _("at the table"),
        "pick_removed": pgettext("a person", "removed"),
        "pick_pending": pgettext("a person", "invited"),
        "pick_accepted": pgettext("a person", "accepted"),
        "pick_declined": pgettext("a person", "declined"),
    }


def _link_words() -> dict[str, str]:
    return {
        "link_label": str(NO_LABEL),
        "link_failed_to_make": _("No link could be made. Try again in a moment."),
        "link_made": _("A link for {name}. Copy it now: it is not shown again."),
        "link_copied": _("The link is copied."),
        "link_failed": _("The link could not be copied. Select it and copy it."),
        "share_failed": _("There is no link at the moment. Try again."),
    }


def invitation_words() -> dict[str, str]:
    """Return the texts of the host's list and of the invited person's banner, by key."""
    return {
        "invited_by": _("{name} invites you to speak."),
        "place_waits": _("You are invited to speak, and a place at the table is free."),
        "queue_waits": _("You are invited to speak. Every place is taken: raise your hand and wait for one."),
        "accept_invitation": pgettext("an invitation", "Accept"),
        "decline_invitation": pgettext("an invitation", "Decline"),
        "later": _("Not now"),
        "invitation_taken_back": _("The invitation to speak was taken back."),
        "invitation_declined_now": _("You declined. You can go on listening."),
        "hand_up_invited": _("You are invited, and every place is taken. You are number {place}."),
        "hand_place_invited": _("Number {place}, invited"),
        "invitation_speak": pgettext("invited", "to speak"),
        "invitation_listen": pgettext("invited", "to listen"),
        "invitation_pending": _("no answer yet"),
        "invitation_accepted": pgettext("an invitation", "accepted"),
        "invitation_declined": pgettext("an invitation", "declined"),
        "invitation_revoked": pgettext("an invitation", "taken back"),
        "invitation_expired": pgettext("an invitation", "expired"),
        "invitation_came": _("came in"),
        "invitation_revoke_name": _("Take back the invitation for {name}"),
        "personal_link_open": pgettext("a link", "not used yet"),
        "personal_link_used": pgettext("a link", "used"),
        "personal_link_revoked": pgettext("a link", "taken back"),
        "personal_link_expired": pgettext("a link", "expired"),
        "personal_link_revoke_name": _("Take back the link for {name}"),
        "came_one": ngettext("{number} person in all", "{number} people in all", 1),
        "came_other": ngettext("{number} person in all", "{number} people in all", 2),
    }
