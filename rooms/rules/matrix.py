"""The permission matrix: what each role may do in a room, written down apart from the rules.

`tests/rooms/test_matrix.py` compares every cell with `rooms.rules.permissions` in every state and policy; the page
`docs/permissions.md` is made of it (`script/permission_matrix.py`). A cell is a refusal code, or None for yes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from rooms.rules import clips, inviting
from rooms.rules import permissions as may
from rooms.rules.inviting import Sent
from rooms.rules.permissions import Facts

Code = str | None

STATUSES = ("scheduled", "live", "ended", "cancelled")
ENTRY = ("anyone", "signed_in", "followers", "invited")
SPEAK = ("everyone", "followed", "invited")

_LISTENER = Facts("live", "anyone", "everyone", signed_in=True, consented=True)
_SEATED = replace(_LISTENER, seated=True)

ROLES: dict[str, Facts] = {
    "anonymous": Facts("live", "anyone", "everyone", signed_in=False, kept_off_stage="not_signed_in"),
    "listener": _LISTENER,
    "follower": replace(_LISTENER, follows_host=True),
    "followed": replace(_LISTENER, followed_by_host=True),
    "invited": replace(_LISTENER, invited=True, invited_to_speak=True),
    "speaker": replace(_SEATED, role="speaker"),
    "co-host": replace(_SEATED, role="cohost"),
    "host": replace(_SEATED, role="host"),
    "former host": replace(_LISTENER, former_host=True),
    "removed": replace(_LISTENER, removed=True),
    "blocked": replace(_LISTENER, blocked_by_host=True),
    "blocks the host": replace(_LISTENER, blocks_host=True),
    "closed account": replace(_LISTENER, kept_out="account_closed", kept_off_stage="account_closed"),
    "staff": _LISTENER,
}
"""Facts of each role in a live room that is open to anyone. Everybody signed in has agreed to being recorded."""

_SPEAKING, _COHOST, _HOST = ROLES["speaker"], ROLES["co-host"], ROLES["host"]
_WAITING = replace(_LISTENER, hand_raised=True)
_DECLINED = Sent("speak", declined=True)


@dataclass(frozen=True)
class Act:
    """One act. `rule` asks the permissions; `cells` has the answers by role in a live room open to anyone, `others`
    that of roles not named. `gated`: needs the right to be in the room, except for staff where their permission decides
    (`by_staff`). `alive`: needs a live room; `early`: or a prepared one, for host and co-hosts; `early_for_all`: or a
    prepared one, for everybody. `prepared`: needs one that is prepared and not open yet."""

    rule: Callable[[Facts, bool], Code]
    cells: dict[str, Code]
    others: Code = "not_host"
    gated: bool = True
    alive: bool = True
    by_staff: bool = False
    prepared: bool = False
    early: bool = False
    early_for_all: bool = False

    def works_in(self, status: str, role: str) -> bool:
        """Whether the room's status allows the act."""
        if self.prepared:
            return status == "scheduled"
        early = status == "scheduled" and (self.early_for_all or (self.early and role in ("host", "co-host")))
        return not self.alive or status == "live" or early

    def cell(self, role: str) -> Code:
        return self.cells.get(role, self.others)


def _to_helpers(**more: Code) -> dict[str, Code]:
    return {"host": None, "co-host": None, **{role.replace("_", "-"): code for role, code in more.items()}}


_ONLY_HOST: dict[str, Code] = {"host": None}
_NOT_ON_HOST: dict[str, Code] = {"host": "not_allowed", "co-host": "not_allowed"}
_ON_COHOST: dict[str, Code] = {"host": None, "co-host": "not_allowed"}
_SITTING: dict[str, Code] = dict.fromkeys(("speaker", "co-host", "host"))
_UP: dict[str, Code] = dict.fromkeys(("speaker", "co-host", "host"), "on_stage_already")

ACTS: dict[str, Act] = {
    "enter": Act(lambda facts, _staff: may.may_enter(facts), {}, None, alive=False),
    "agree to being recorded": Act(lambda facts, _staff: may.may_take_part(facts), {}, None),
    "react": Act(lambda facts, _staff: may.may_react(facts), {}, None),
    "take a free seat": Act(
        lambda facts, _staff: may.may_take_seat(facts, free_places=1), {"anonymous": "not_signed_in"}, None
    ),
    "take a seat on a full stage": Act(
        lambda facts, _staff: may.may_take_seat(facts, free_places=0),
        {"anonymous": "not_signed_in", "host": None, "co-host": None},
        "stage_full",
    ),
    "raise a hand while the stage is full": Act(
        lambda facts, _staff: may.may_raise_hand(facts, free_places=0, queue_full=False),
        {"anonymous": "not_signed_in", **_UP},
        None,
    ),
    "raise a hand while hands are locked": Act(
        lambda facts, _staff: may.may_raise_hand(replace(facts, hands_locked=True), free_places=0, queue_full=False),
        {"anonymous": "not_signed_in", "invited": None, **_UP},
        "hands_locked",
    ),
    "let a hand up": Act(lambda facts, _staff: may.may_let_up(facts, _WAITING, free_places=1), _to_helpers()),
    "let up somebody whose hand is not up": Act(
        lambda facts, _staff: may.may_let_up(facts, _LISTENER, free_places=1),
        {"host": "no_hand", "co-host": "no_hand"},
    ),
    "decline a hand": Act(lambda facts, _staff: may.may_decline_hand(facts, _WAITING), _to_helpers()),
    "open one's microphone": Act(
        lambda facts, _staff: may.may_unmute(facts, by_self=True),
        {"anonymous": "not_signed_in", **_SITTING},
        "not_on_stage",
    ),
    "open a microphone that is held off": Act(
        lambda facts, _staff: may.may_unmute(replace(facts, mute_held=True), by_self=True),
        {"anonymous": "not_signed_in", **dict.fromkeys(_SITTING, "mute_held")},
        "not_on_stage",
    ),
    "listen unseen, or seen": Act(
        lambda facts, _staff: may.may_listen_unseen(facts), {"anonymous": "not_signed_in"}, None
    ),
    "read the names of listeners": Act(lambda facts, _staff: may.may_see_names(facts), _to_helpers()),
    "say how good one's connection is": Act(
        lambda facts, _staff: may.may_tell_quality(facts), _SITTING, "not_on_stage"
    ),
    "open somebody's microphone": Act(
        lambda facts, _staff: may.may_unmute(facts, by_self=False), {}, "not_allowed", gated=False
    ),
    "mute a speaker": Act(
        lambda facts, _staff: may.may_mute(facts, by_self=False, target_role="speaker"), _to_helpers()
    ),
    "mute a co-host": Act(lambda facts, _staff: may.may_mute(facts, by_self=False, target_role="cohost"), _ON_COHOST),
    "mute the host": Act(lambda facts, _staff: may.may_mute(facts, by_self=False, target_role="host"), _NOT_ON_HOST),
    "hold a speaker's mute, or ask to unmute": Act(
        lambda facts, _staff: may.may_act_on_speaker(facts, target_role="speaker"), _to_helpers()
    ),
    "take a speaker off the stage": Act(
        lambda facts, _staff: may.may_act_on_speaker(facts, target_role="speaker"), _to_helpers()
    ),
    "take a listener off the stage": Act(
        lambda facts, _staff: may.may_act_on_speaker(facts, target_role=None),
        {"host": "not_on_stage", "co-host": "not_on_stage"},
    ),
    "remove a listener": Act(lambda facts, _staff: may.may_act_on(facts, target_role="listener"), _to_helpers()),
    "remove a speaker": Act(lambda facts, _staff: may.may_act_on(facts, target_role="speaker"), _to_helpers()),
    "remove a co-host": Act(lambda facts, _staff: may.may_act_on(facts, target_role="cohost"), _ON_COHOST),
    "remove the host": Act(lambda facts, _staff: may.may_act_on(facts, target_role="host"), _NOT_ON_HOST),
    "undo a removal": Act(lambda facts, _staff: may.may_manage(facts), _to_helpers()),
    "lock hands": Act(lambda facts, _staff: may.may_manage(facts), _to_helpers()),
    "set the speak policy": Act(lambda facts, _staff: may.may_manage(facts), _to_helpers()),
    "invite to speak; make a personal link": Act(
        lambda facts, _staff: inviting.may_invite_to_speak(facts), _to_helpers(), early=True
    ),
    "invite somebody who declined": Act(
        lambda facts, _staff: (
            inviting.may_invite_to_speak(facts) or inviting.may_be_invited(facts, _LISTENER, _DECLINED)
        ),
        {"host": "declined_here", "co-host": "declined_here"},
        early=True,
    ),
    "invite somebody who was removed": Act(
        lambda facts, _staff: (
            inviting.may_invite_to_speak(facts)
            or inviting.may_be_invited(facts, ROLES["removed"], Sent("speak", removed=True))
        ),
        {"host": "removed_here", "co-host": "removed_here"},
        early=True,
    ),
    "invite to listen; share a link": Act(
        lambda facts, _staff: inviting.may_invite_to_listen(facts),
        {"anonymous": "not_signed_in"},
        None,
        early=True,
    ),
    "invite a stranger to listen": Act(
        lambda facts, _staff: (
            inviting.may_invite_to_listen(facts) or inviting.may_be_invited(facts, _LISTENER, Sent("listen"))
        ),
        _to_helpers(anonymous="not_signed_in"),
        "not_acquainted",
        early=True,
    ),
    "take an invitation or personal link back": Act(
        lambda facts, _staff: inviting.may_invite_to_speak(facts), _to_helpers(), early=True
    ),
    "accept an invitation to speak": Act(
        lambda facts, _staff: inviting.may_answer_invitation(facts, stands=facts.invited_to_speak, accepting=True),
        {"anonymous": "not_signed_in", "invited": None},
        "unknown_invitation",
        early_for_all=True,
    ),
    "decline an invitation to speak": Act(
        lambda facts, _staff: inviting.may_answer_invitation(facts, stands=facts.invited_to_speak, accepting=False),
        {"anonymous": "unknown_invitation", "invited": None},
        "unknown_invitation",
        early_for_all=True,
    ),
    "set captions of the room, or its language": Act(lambda facts, _staff: may.may_manage(facts), _to_helpers()),
    "have one's own words captioned, or not": Act(
        lambda facts, _staff: may.may_switch_own_captions(facts, by_self=True), {"anonymous": "not_signed_in"}, None
    ),
    "have somebody else's words captioned, or not": Act(
        lambda facts, _staff: may.may_switch_own_captions(facts, by_self=False),
        {"anonymous": "not_signed_in"},
        "not_allowed",
    ),
    "set the entry policy": Act(
        lambda facts, staff: may.may_set_entry_policy(facts, as_staff=staff), _to_helpers(staff=None), by_staff=True
    ),
    "clip the last minute": Act(
        lambda facts, _staff: clips.may_clip_live(facts, off=False, restricted=False), _to_helpers()
    ),
    "clip the last minute while clips are off": Act(
        lambda facts, _staff: clips.may_clip_live(facts, off=True, restricted=False),
        {"host": "clips_off", "co-host": "clips_off"},
    ),
    "switch clips off": Act(
        lambda facts, _staff: clips.may_switch_clips(facts),
        {"host": None, "closed account": "account_closed"},
        gated=False,
        alive=False,
    ),
    "name a co-host": Act(
        lambda facts, _staff: may.may_name_cohost(facts, target_role="speaker", cohosts=1), _ONLY_HOST
    ),
    "name a third co-host": Act(
        lambda facts, _staff: may.may_name_cohost(facts, target_role="speaker", cohosts=2), {"host": "cohosts_full"}
    ),
    "demote a co-host": Act(
        lambda facts, _staff: may.may_demote(facts, by_self=False, target_role="cohost"), _ONLY_HOST
    ),
    "hand the room over": Act(
        lambda facts, _staff: may.may_hand_over(facts, _COHOST, kept_from_hosting=False, hosts_elsewhere=False),
        _ONLY_HOST,
    ),
    "hand the room to a speaker": Act(
        lambda facts, _staff: may.may_hand_over(facts, _SPEAKING, kept_from_hosting=False, hosts_elsewhere=False),
        {"host": "not_a_cohost"},
    ),
    "end the room": Act(
        lambda facts, staff: may.may_end(facts, as_staff=staff),
        {"host": None, "staff": None, "closed account": "account_closed"},
        gated=False,
    ),
    "listen in as staff": Act(
        lambda facts, staff: may.may_listen_as_staff(facts, fresh_step=staff, access=staff),
        {"staff": None, "closed account": "account_closed"},
        "no_staff_access",
        gated=False,
    ),
    "change or open a prepared room": Act(
        lambda facts, _staff: may.may_change_prepared(facts), _ONLY_HOST, alive=False, prepared=True
    ),
    "cancel a prepared room": Act(
        lambda facts, staff: may.may_cancel(facts, as_staff=staff),
        {"host": None, "staff": None},
        alive=False,
        prepared=True,
        by_staff=True,
    ),
}

# What a room answers to an act for which it is in the wrong state.
_OTHERWISE = {
    "scheduled": "not_open_yet",
    "live": "open_already",
    "ended": "room_ended",
    "cancelled": "room_cancelled",
}


def cells() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield every (act, role, status, entry policy, speak policy)."""
    return product(ACTS, ROLES, STATUSES, ENTRY, SPEAK)


def expected(act: str, role: str, status: str, entry: str, speak: str) -> Code:
    """Return the cell of the matrix. Where several refusals are due, the order is: the room, the account, the door, the
    act."""
    wanted = ACTS[act]
    if not wanted.works_in(status, role):
        return _OTHERWISE[status]
    if wanted.gated and not (wanted.by_staff and role == "staff") and (code := at_the_door(role, entry)):
        return code
    return _by_speak_policy(act, role, speak) or wanted.cell(role)


def at_the_door(role: str, entry: str) -> Code:
    """Return why a role may not be in a room with this entry policy."""
    if role == "closed account":
        return "account_closed"
    if role in ("removed", "blocked"):
        return "not_allowed"
    if role == "blocks the host":
        return "you_blocked_host"
    if entry == "anyone" or role in (*_SITTING, "former host"):
        return None
    if role == "anonymous":
        return "not_signed_in"
    admitted = {"signed_in": True, "followers": role in ("follower", "invited"), "invited": role == "invited"}
    return None if admitted[entry] else "not_allowed"


def _by_speak_policy(act: str, role: str, speak: str) -> Code:
    """Return what a speak policy refuses: seats, to people who are not on stage. Whoever signed in may raise a hand."""
    if not act.startswith("take a ") or "seat" not in act or role in (*_SITTING, "anonymous", "invited"):
        return None
    if speak == "everyone" or (speak == "followed" and role == "followed"):
        return None
    return "no_invitation" if speak == "invited" else "not_allowed_to_speak"


def answered(act: str, role: str, status: str, entry: str, speak: str) -> Code:
    """Ask the rules what the matrix says."""
    facts = replace(ROLES[role], status=status, entry_policy=entry, speak_policy=speak)
    return ACTS[act].rule(facts, role == "staff")
