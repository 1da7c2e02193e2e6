"""The table of verbs, one for WebSocket and API: a new verb is one entry here and its function beside."""

from __future__ import annotations

from rest_framework import serializers

from rooms.live.verbs import captions, cohosts, hands, invitations, mutes, reactions, removals, sound, stage
from rooms.live.verbs.arguments import (
    ACCOUNT,
    ASKER,
    BEHIND,
    ENTRY_POLICY,
    FLAG,
    INVITATION,
    KEY,
    LABEL,
    LANGUAGE,
    LINES,
    LOCKED,
    NEXT_OR_ASKER,
    OFF,
    ON,
    PERSON,
    QUALITY,
    RAW,
    REACTION,
    SELF_OR_PERSON,
    SPEAK_POLICY,
    TEXT_VERSION,
    TONE,
    UNSEEN,
)
from rooms.live.verbs.verb import Rest, Verb
from rooms.rules import limits


def _handles() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text="Handles of speakers it would not admit.")


def _results() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()), help_text="`user` and `result` of each line."
    )


def _place() -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True)


VERBS: dict[str, Verb] = {
    "consent": Verb(stage.consent, args={"version": TEXT_VERSION}, rest=Rest("post", "consent")),
    "take_seat": Verb(
        stage.take_seat, rest=Rest("post", "seat", answer={"place": serializers.IntegerField}, status=201)
    ),
    "leave_seat": Verb(stage.leave_seat, rest=Rest("delete", "seat")),
    "mute": Verb(stage.mute, args={"user": SELF_OR_PERSON}, rest=Rest("post", "mute")),
    "unmute": Verb(stage.unmute, args={"user": SELF_OR_PERSON}, rest=Rest("post", "unmute", takes_arguments=False)),
    "mute_all": Verb(mutes.mute_all, rest=Rest("post", "mute-all")),
    "hold_mute": Verb(mutes.hold_mute, args={"user": PERSON}, rest=Rest("post", "hold-mute")),
    "lift_mute": Verb(mutes.lift_mute, args={"user": PERSON}, rest=Rest("post", "lift-mute")),
    "ask_unmute": Verb(mutes.ask_unmute, args={"user": PERSON}, rest=Rest("post", "ask-unmute")),
    "name_cohost": Verb(cohosts.name_cohost, args={"user": PERSON}, rest=Rest("post", "cohosts")),
    "demote": Verb(cohosts.demote, args={"user": PERSON}, rest=Rest("post", "demote")),
    "hand_over": Verb(cohosts.hand_over, args={"user": PERSON}, rest=Rest("post", "hand-over")),
    "unseat": Verb(stage.unseat, args={"user": PERSON}, rest=Rest("post", "unseat")),
    "remove": Verb(removals.remove, args={"user": ACCOUNT}, rest=Rest("post", "remove")),
    "undo_removal": Verb(removals.undo_removal, args={"user": ACCOUNT}, rest=Rest("post", "undo-removal")),
    "speak_claim": Verb(stage.speak_claim, args={"take": FLAG}),
    "speak_stop": Verb(stage.speak_stop),
    "set_entry_policy": Verb(stage.set_entry_policy, args={"policy": ENTRY_POLICY}, rest=Rest("put", "entry")),
    "set_speak_policy": Verb(
        hands.set_speak_policy,
        args={"policy": SPEAK_POLICY},
        rest=Rest("put", "speak", answer={"not_admitted": _handles}),
    ),
    "set_captions": Verb(captions.set_captions, args={"on": ON}, rest=Rest("put", "captions")),
    "own_captions": Verb(
        captions.own_captions, args={"off": OFF, "user": SELF_OR_PERSON}, rest=Rest("put", "own-captions")
    ),
    "set_language": Verb(captions.set_language, args={"language": LANGUAGE}, rest=Rest("put", "language")),
    "raise_hand": Verb(
        hands.raise_hand, rest=Rest("post", "hand", answer={"place": serializers.IntegerField}, status=201)
    ),
    "lower_hand": Verb(hands.lower_hand, rest=Rest("delete", "hand")),
    "let_up": Verb(
        hands.let_up,
        args={"user": NEXT_OR_ASKER},
        rest=Rest("post", "let-up", answer={"user": serializers.CharField, "place": serializers.IntegerField}),
    ),
    "decline_hand": Verb(hands.decline_hand, args={"user": ASKER}, rest=Rest("post", "decline-hand")),
    "lock_hands": Verb(hands.lock_hands, args={"locked": LOCKED}, rest=Rest("put", "lock-hands")),
    "invite": Verb(
        invitations.invite,
        args={"users": LINES, "kind": INVITATION},
        limit=limits.INVITING,
        rest=Rest("post", "invitations", answer={"results": _results}),
    ),
    "accept_invitation": Verb(
        invitations.accept_invitation,
        rest=Rest(
            "post",
            "accept-invitation",
            answer={
                "seat_free": serializers.BooleanField,
                "place": _place,
                "needs_consent": serializers.BooleanField,
            },
        ),
    ),
    "decline_invitation": Verb(invitations.decline_invitation, rest=Rest("post", "decline-invitation")),
    "revoke_invitation": Verb(
        invitations.revoke_invitation, args={"invitation": KEY}, rest=Rest("post", "revoke-invitation")
    ),
    "make_link": Verb(
        invitations.make_link,
        args={"label": LABEL},
        rest=Rest(
            "post",
            "personal-links",
            answer={"id": serializers.IntegerField, "url": serializers.CharField},
            status=201,
        ),
    ),
    "revoke_link": Verb(invitations.revoke_link, args={"link": KEY}, rest=Rest("post", "revoke-link")),
    "share_link": Verb(invitations.share_link, rest=Rest("post", "share-link", answer={"url": serializers.CharField})),
    "end": Verb(stage.end, rest=Rest("post", "end")),
    "quality": Verb(stage.quality, args={"level": QUALITY}, limit=limits.QUALITY, rest=Rest("put", "quality")),
    "react": Verb(
        reactions.react,
        args={"kind": REACTION, "tone": TONE, "behind": BEHIND},
        limit=limits.REACTIONS,
        rest=Rest("post", "reactions", answer={"counted": serializers.BooleanField}),
        blocking=reactions.react_over_api,
    ),
    "listen_unseen": Verb(stage.listen_unseen, args={"unseen": UNSEEN}, rest=Rest("put", "unseen")),
    "leave": Verb(stage.leave, for_staff=True),
    "snapshot": Verb(stage.snapshot, for_staff=True),
    "ping": Verb(stage.ping, limit=None, for_staff=True),
    "speak_offer": Verb(sound.speak_offer, "sound", {"sdp": RAW}, limits.SOUND),
    "candidate": Verb(sound.candidate, "sound", {"handle": RAW, "candidate": RAW}, limits.SOUND, for_staff=True),
    "listen": Verb(sound.listen, "sound", limit=limits.SOUND, for_staff=True),
    "listen_answer": Verb(sound.listen_answer, "sound", {"sdp": RAW}, limits.SOUND, for_staff=True),
    "listen_stop": Verb(sound.listen_stop, "sound", limit=limits.SOUND, for_staff=True),
    "check_offer": Verb(sound.check_offer, "sound", {"sdp": RAW}, limits.SOUND),
    "check_stop": Verb(sound.check_stop, "sound", limit=limits.SOUND),
    "ice": Verb(sound.ice, "sound", limit=limits.SOUND, for_staff=True),
}
