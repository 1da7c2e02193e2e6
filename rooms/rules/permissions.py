"""Rules of a room: pure functions, without queries or clock. Each returns a refusal code, or None for yes.

`Facts` are loaded in one place, `rooms.rules.facts`.
"""

from __future__ import annotations

from dataclasses import dataclass

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}
MOST_COHOSTS = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that decide what one person may do in one room, as of one reading of the database.

    `role` is "host", "cohost", "speaker" or "listener"; a host is host without a seat too. `kept_out` and
    `kept_off_stage` are refusal codes of the account itself: it may not enter, or not speak, in any room. `invited`
    counts invitations by the host's side only: those of guests admit nobody. `awaited` counts everybody's: the person
    has not come in since one was sent. `follows_host` is also true for followers of a former host who were in the room
    when it was handed over (`StayingFollower`).

    An account `listens_unseen` until it chose in this room to be seen; `chose_listening` once it chose either, here or
    in its settings. No rule depends on them, nor on `blocks_on_stage` (somebody there is blocked by this person) and
    `has_unread` messages, which save a snapshot the queries for what most readers do not have. `captions_off`: what
    this person says here is not written down.
    """

    status: str
    entry_policy: str
    speak_policy: str
    signed_in: bool
    hands_locked: bool = False
    kept_out: str | None = None
    kept_off_stage: str | None = None
    role: str = "listener"
    seated: bool = False
    mute_held: bool = False
    removed: bool = False
    blocked_by_host: bool = False
    blocks_host: bool = False
    former_host: bool = False
    follows_host: bool = False
    followed_by_host: bool = False
    invited: bool = False
    awaited: bool = False
    invited_to_speak: bool = False
    hand_raised: bool = False
    listens_unseen: bool = False
    chose_listening: bool = False
    blocks_on_stage: bool = False
    has_unread: bool = False
    consented: bool = False
    captions_off: bool = False


def live(status: str) -> str | None:
    """Taking part at all: the room must be live."""
    if status == "live":
        return None
    return "not_open_yet" if status == "scheduled" else over(status)


def prepared(status: str) -> str | None:
    """Acts on a room before it opens: it must be prepared, and neither open nor over."""
    if status == "scheduled":
        return None
    return "open_already" if status == "live" else over(status)


def over(status: str) -> str:
    """Code of a room that is over."""
    return "room_cancelled" if status == "cancelled" else "room_ended"


def may_open(*, hosts_already: bool) -> str | None:
    """Opening a room: one at a time. Membership of the creator group is checked in `people.standing`."""
    return "already_hosting" if hosts_already else None


def may_prepare(*, full: bool) -> str | None:
    """Preparing a room: so many of one host wait at a time (`rooms.rules.starts`). Membership of the creator group is
    checked in `people.standing`."""
    return "too_many_prepared" if full else None


def may_change_prepared(facts: Facts) -> str | None:
    """Changing or opening a prepared room: the host alone. Whether the host may open rooms at all, and hosts another
    one now, is checked beside this."""
    if code := prepared(facts.status) or may_enter(facts):
        return code
    return None if facts.role == "host" else "not_host"


def may_cancel(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Cancelling a prepared room: the host, whether or not they may still open it; staff by their own permission."""
    return prepared(facts.status) if as_staff else may_change_prepared(facts)


def may_enter(facts: Facts) -> str | None:
    """Entering: anyone with the link, unless the host chose otherwise. A policy never removes host, co-hosts, people
    on stage or a former host. Removed, blocked and uninvited people read the same code."""
    if facts.kept_out is not None:
        return facts.kept_out
    if facts.role == "host":
        return None
    if facts.removed or facts.blocked_by_host:
        return "not_allowed"
    if facts.blocks_host:
        return "you_blocked_host"
    if facts.entry_policy == "anyone" or facts.role in ON_STAGE or facts.former_host:
        return None
    if not facts.signed_in:
        return "not_signed_in"
    admitted = (
        facts.entry_policy == "signed_in" or facts.invited or (facts.entry_policy == "followers" and facts.follows_host)
    )
    return None if admitted else "not_allowed"


def may_listen_as_staff(facts: Facts, *, fresh_step: bool, access: bool) -> str | None:
    """Listening in to a live room as staff, unseen: with a second step used lately, where moderation gives `access`.
    Blocks, removals and the entry policy bind staff as guests alone; nobody listens in where they host or speak."""
    if code := live(facts.status) or facts.kept_out:
        return code
    takes_part = facts.role in ON_STAGE or facts.former_host
    return None if fresh_step and access and not takes_part else "no_staff_access"


def may_take_part(facts: Facts) -> str | None:
    """Acting in a room: it must be live, and this person must be allowed in it."""
    return live(facts.status) or may_enter(facts)


def may_react(facts: Facts) -> str | None:
    """Reacting with an emoji: everybody in the room, also without an account."""
    return may_take_part(facts)


def speak_under(facts: Facts) -> list[str]:
    """Speak policies that give a seat to this person, apart from their role."""
    admitting = {
        "everyone": facts.signed_in,
        "followed": facts.invited_to_speak or facts.followed_by_host,
        "invited": facts.invited_to_speak,
    }
    return [policy for policy, admits in admitting.items() if admits]


def may_speak(facts: Facts) -> str | None:
    """Having the right to a seat, free or not. A policy never takes a seat away: seated people keep the right."""
    if facts.kept_off_stage is not None:
        return facts.kept_off_stage
    if code := may_enter(facts):
        return code
    if facts.seated or facts.role in HELPERS or facts.speak_policy in speak_under(facts):
        return None
    return "no_invitation" if facts.speak_policy == "invited" else "not_allowed_to_speak"


def may_take_seat(facts: Facts, *, free_places: int) -> str | None:
    """Taking a seat: after consent to being recorded. Host and co-hosts need no free place, theirs are reserved."""
    if code := live(facts.status) or may_speak(facts):
        return code
    if not facts.consented:
        return "not_consented"
    return "stage_full" if free_places < 1 and facts.role not in HELPERS else None


def may_raise_hand(facts: Facts, *, free_places: int, queue_full: bool) -> str | None:
    """Asking to speak: signed-in people who cannot simply sit down, after consent to being recorded. Asking again while
    the hand is up is never refused: it changes nothing. Neither a lock nor the length of the queue keeps out somebody
    who was invited to speak."""
    if code := live(facts.status) or facts.kept_off_stage or may_enter(facts):
        return code
    if facts.seated:
        return "on_stage_already"
    if facts.hand_raised:
        return None
    if facts.hands_locked and not facts.invited_to_speak:
        return "hands_locked"
    if (free_places > 0 or facts.role in HELPERS) and may_speak(facts) is None:
        return "place_free"
    if not facts.consented:
        return "not_consented"
    return "hands_full" if queue_full and not facts.invited_to_speak else None


def may_lower_hand(facts: Facts) -> str | None:
    """Lowering one's own hand: always, while the room is live."""
    return live(facts.status)


def may_manage(facts: Facts) -> str | None:
    """Acts of the host's side on the room as a whole: its policies, the queue of hands, undoing a removal."""
    if code := may_take_part(facts):
        return code
    return None if facts.role in HELPERS else "not_host"


def may_let_up(facts: Facts, target: Facts, *, free_places: int) -> str | None:
    """Giving a seat to a person whose hand is up, whatever the speak policy."""
    if code := may_manage(facts):
        return code
    if not target.hand_raised:
        return "no_hand"
    return may_be_let_up(target) or ("stage_full" if free_places < 1 else None)


def may_be_let_up(target: Facts) -> str | None:
    """Keeping a hand up, and being given a seat for it: whoever may be in the room and on a stage."""
    return None if target.kept_off_stage is None and may_enter(target) is None else "not_allowed"


def may_decline_hand(facts: Facts, target: Facts) -> str | None:
    """Declining a hand that is up."""
    return may_manage(facts) or (None if target.hand_raised else "no_hand")


def may_open_microphone(facts: Facts) -> str | None:
    """Sending sound: only with a seat and after consent, the host included."""
    if code := live(facts.status) or facts.kept_off_stage or may_enter(facts):
        return code
    if not facts.seated:
        return "not_on_stage"
    return None if facts.consented else "not_consented"


def may_listen_unseen(facts: Facts) -> str | None:
    """Choosing whether one listens unseen: everybody in the room who has an account. Anonymous people are unseen."""
    return may_take_part(facts) or (None if facts.signed_in else "not_signed_in")


def may_see_names(facts: Facts) -> str | None:
    """Reading and searching the names of listeners: the host's side. Others see whom they follow."""
    return may_manage(facts)


def may_tell_quality(facts: Facts) -> str | None:
    """Telling the host's side how good one's own connection is: only on stage."""
    return may_take_part(facts) or (None if facts.seated else "not_on_stage")


def may_switch_own_captions(facts: Facts, *, by_self: bool) -> str | None:
    """Having one's own words written down or not: oneself alone, with an account, before or after one sits down."""
    if code := may_take_part(facts) or (None if facts.signed_in else "not_signed_in"):
        return code
    return None if by_self else "not_allowed"


def may_set_entry_policy(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Setting the entry policy of a live room: host and co-hosts; staff by their own permission."""
    if code := live(facts.status):
        return code
    return None if as_staff else may_manage(facts)


def may_act_on(facts: Facts, *, target_role: str) -> str | None:
    """Acts of the host's side on a person: never on the host, and co-hosts not on each other."""
    if code := may_manage(facts):
        return code
    return "not_allowed" if target_role == "host" or (target_role == facts.role == "cohost") else None


def may_act_on_speaker(facts: Facts, *, target_role: str | None) -> str | None:
    """Acts of the host's side on a person who must be on stage: taking off the stage, holding or lifting a mute, asking
    to unmute. `target_role` is None for a person who is not."""
    if code := may_manage(facts):
        return code
    return "not_on_stage" if target_role is None else may_act_on(facts, target_role=target_role)


def may_mute(facts: Facts, *, by_self: bool, target_role: str | None) -> str | None:
    """Closing a microphone: one's own, and as the host's side others'."""
    if not by_self:
        return may_act_on_speaker(facts, target_role=target_role)
    return may_take_part(facts) or ("not_on_stage" if target_role is None else None)


def may_unmute(facts: Facts, *, by_self: bool) -> str | None:
    """Opening a microphone: one's own only, and not while the host's side holds it off."""
    if code := live(facts.status):
        return code
    if not by_self:
        return "not_allowed"
    return may_open_microphone(facts) or ("mute_held" if facts.mute_held else None)


def may_name_cohost(facts: Facts, *, target_role: str | None, cohosts: int) -> str | None:
    """Making a speaker a co-host: the host alone. `target_role` is None for a person who is not on stage."""
    if code := may_take_part(facts):
        return code
    if facts.role != "host":
        return "not_host"
    if target_role is None:
        return "not_on_stage"
    if target_role == "host":
        return "not_allowed"
    return "cohosts_full" if target_role != "cohost" and cohosts >= MOST_COHOSTS else None


def may_demote(facts: Facts, *, by_self: bool, target_role: str | None) -> str | None:
    """Ending somebody's being co-host: the host, and co-hosts their own."""
    if code := may_take_part(facts):
        return code
    if facts.role != "host" and not by_self:
        return "not_host"
    return None if target_role == "cohost" else "not_a_cohost"


def may_become_host(target: Facts, *, kept_from_hosting: bool, hosts_elsewhere: bool) -> str | None:
    """Receiving a room: a co-host on stage who is not sanctioned and hosts no other room. Membership of the creator
    group is not needed for this."""
    if target.role != "cohost":
        return "not_a_cohost"
    if target.kept_off_stage is not None or kept_from_hosting:
        return "may_not_host"
    return "hosts_elsewhere" if hosts_elsewhere else None


def may_hand_over(facts: Facts, target: Facts, *, kept_from_hosting: bool, hosts_elsewhere: bool) -> str | None:
    """Giving a room to a co-host for good: the host alone."""
    if code := may_take_part(facts):
        return code
    if facts.role != "host":
        return "not_host"
    return may_become_host(target, kept_from_hosting=kept_from_hosting, hosts_elsewhere=hosts_elsewhere)


def may_end(facts: Facts, *, as_staff: bool = False) -> str | None:
    """Ending a room: the host (not co-hosts), or staff."""
    if code := live(facts.status):
        return code
    if as_staff:
        return None
    return facts.kept_out or (None if facts.role == "host" else "not_host")


def may_see_recording(*, is_host: bool) -> str | None:
    """Seeing the state and files of the retained copy: the host."""
    return None if is_host else "not_host"


def may_replay(
    *, kept_out: bool, role: str, published: bool, admitted: bool, waiting: bool = False, restricted: bool = False
) -> str | None:
    """Hearing a room again: the host, the co-hosts at its end and people whose voice is in it; once it is
    public, everybody whom the entry policy admits. For others the answer does not reveal that there is a recording.

    `role` is as in `rooms.rules.roles.role_in`; `kept_out` is true for a closed or suspended account. `waiting` is true
    for a person who opened a microphone while the recording is not finished: they see its progress. `restricted`:
    moderators closed the recording for everybody (`rooms.models.Restriction`).
    """
    if not kept_out and (role in ON_STAGE or waiting or (published and admitted)):
        return "recording_unavailable" if restricted else None
    return "not_found"


def may_publish(*, role: str, ready: bool, agreed: bool, too_wide: bool, restricted: bool = False) -> str | None:
    """Publishing the recording: the host, once there is something to hear, if every voice in it agreed to a text that
    names publication, and for nobody who could not have come in while they spoke."""
    if role != "host":
        return "not_host"
    if not ready:
        return "no_recording"
    if restricted:
        return "recording_unavailable"
    if not agreed:
        return "publication_not_agreed"
    return "too_wide" if too_wide else None


def may_withdraw(*, role: str) -> str | None:
    """Taking a publication back, and admitting fewer people to a replay: the host, at any time."""
    return None if role == "host" else "not_host"


def may_object(*, role: str, voice: bool, announced: bool, public: bool, objected: bool) -> str | None:
    """Objecting to a publication: people whose voice is in it, the host aside, from the announcement until it is
    public; `objected` people may say it again, and take it back, at any time. Others get the answer of a replay they
    may not hear."""
    if not voice or role not in ON_STAGE:
        return "not_found"
    if role == "host":
        return "not_allowed"
    return None if objected or (announced and not public) else "no_objection_now"


def may_download(*, role: str, ready: bool, restricted: bool) -> str | None:
    """Downloading the full copy: the host, while it exists and is not `restricted`."""
    if role != "host":
        return "not_host"
    if not ready:
        return "no_recording"
    return "recording_unavailable" if restricted else None
