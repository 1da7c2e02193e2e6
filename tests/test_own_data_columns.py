"""Every column that names a person has a place in own-data downloads, or a reason to have none."""

from __future__ import annotations

from django.apps import apps

from people.models import User

# Each is in the files that the app's function of `people.hooks.own_data` yields.
HELD = {
    *("account.EmailAddress.user", "mfa.Authenticator.user", "people.DataExport.person", "people.User_groups.user"),
    *("people.ProfileTakedown.user", "people.Creator.user", "people.Sanction.user", "people.Session.user"),
    *("people.ApiToken.user", "social.Follow.follower", "social.Follow.followed", "social.Block.blocker"),
    *("social.Thread.low", "social.Thread.high", "social.ThreadSide.user", "social.Message.sender"),
    *("social.Message.receiver", "rooms.Room.host", "rooms.Invitation.user", "rooms.Invitation.by"),
    *("rooms.PersonalLink.by", "rooms.ShareLink.by", "rooms.ListenerChoice.user", "rooms.Removal.user"),
    "rooms.CaptionsOff.user",
    *("rooms.HandOver.former", "rooms.HandOver.to", "rooms.Consent.user", "rooms.Seat.user", "rooms.Hand.user"),
    *("rooms.Clip.maker", "rooms.Clip.taken_back_by", "rooms.ClipVoice.user"),
    *("rooms.ReplayObjection.user", "moderation.Report.reporter", "moderation.Statement.person"),
    *("moderation.Appeal.person",),
}
_ACT = "an act of staff, which is of whom it is about"
_CASE = "of a case: the person learns of it by a statement"
LEFT_OUT = {
    "admin.LogEntry.user": _ACT,
    "people.User_user_permissions.user": "nobody has any: roles are groups",
    **dict.fromkeys(("people.ProfileTakedown.by", "people.ProfileTakedown.lifted_by", "people.Creator.added_by"), _ACT),
    **dict.fromkeys(("people.Sanction.imposed_by", "people.Sanction.lifted_by"), _ACT),
    "people.DeletedAccount.user": "an account that is deleted asks for nothing any more",
    "people.Fingerprint.user": "an account that is deleted asks for nothing any more",
    "social.Block.blocked": "a block does not show to whom it keeps away",
    **dict.fromkeys(("social.MessageTakedown.by", "social.MessageTakedown.lifted_by"), _ACT),
    "rooms.Removal.by": "it is about whom they removed; a block is there as such",
    "rooms.StayingFollower.user": "a right to come in, which lasts as long as the room is live",
    **dict.fromkeys(("rooms.Restriction.by", "rooms.Restriction.lifted_by"), _ACT),
    **dict.fromkeys(("rooms.TitleTakedown.by", "rooms.TitleTakedown.lifted_by"), _ACT),
    "rooms.Recording.published_by": "the host, or staff",
    "transcripts.Cue.corrected_by": "the line is of whom it quotes",
    "transcripts.RangeTranscript.asked_by": _ACT,
    "transcripts.RangeCue.speaker": _CASE,
    "transcripts.LiveLine.speaker": "there until the transcript is ready, which has the same lines; the voice is held",
    **dict.fromkeys(("moderation.Case.subject", "moderation.CaseParty.user", "moderation.EvidenceLine.speaker"), _CASE),
    **dict.fromkeys(("moderation.Case.opened_by", "moderation.Case.claimed_by", "moderation.Look.user"), _ACT),
    **dict.fromkeys(("moderation.EvidenceRange.marked_by", "moderation.EvidenceLine.quoted_by"), _ACT),
    **dict.fromkeys(("moderation.CaseNote.author", "moderation.ActAtOnce.by", "moderation.QueueChoice.user"), _ACT),
    "moderation.WordHit.speaker": "a program's suggestion to moderators, which finds nothing about anybody",
    **dict.fromkeys(("moderation.WordHit.handled_by", "moderation.ListedWord.added_by"), _ACT),
    "moderation.SafetyGrant.user": _ACT,
    **dict.fromkeys(("moderation.RuleVersion.made_by", "moderation.CategoryVersion.made_by"), _ACT),
    **dict.fromkeys((f"moderation.Decision.{name}" for name in ("by", "second_by", "undone_by")), _ACT),
    **dict.fromkeys(("moderation.Review.claimed_by", "moderation.Review.reviewer"), _ACT),
    **dict.fromkeys(("moderation.OutsideReviewer.user", "moderation.OutsideReviewer.given_by"), _ACT),
    **dict.fromkeys(("moderation.LegalHold.set_by", "moderation.LegalHold.lifted_by"), _ACT),
    "moderation.Report.subject": "nobody learns who reported them, nor that somebody did",
    "moderation.ReportedMessage.sender": "copies in a report, whose original is in the conversation",
    "moderation.ReportQuestion.author": "a moderator; the words are with the report of whoever sent it",
    "moderation.AppealLink.person": "a key to a page, stored hashed",
    "moderation.Notification.person": "that something was told; what it was is with the report, decision or appeal",
}


def columns() -> set[str]:
    """Foreign keys to accounts, of all models that have a table of their own."""
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if field.related_model is User
    }


def test_every_column_that_names_a_person_is_held_or_left_out_for_a_reason() -> None:
    assert columns() == HELD | LEFT_OUT.keys() and not HELD & LEFT_OUT.keys()
