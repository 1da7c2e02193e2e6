"""Refusals of rooms: one table of codes, HTTP statuses and texts for pages, API and WebSockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from core import refusals
from core.refusals import NOTHING_MORE, Refusal, Refused

TABLE: dict[str, Refusal] = {
    "not_signed_in": Refusal(401, _("Sign in first: everybody may listen, but only people with an account speak.")),
    "not_a_creator": Refusal(403, _("Only members of the creator group open rooms. You can ask to join it.")),
    "account_closed": Refusal(403, _("This account is closed.")),
    "account_suspended": Refusal(403, _("This account is suspended.")),
    "no_stage": Refusal(403, _("This account may not take a place at a table at the moment. You can listen.")),
    "no_hosting": Refusal(403, _("This account may not open rooms at the moment.")),
    "signed_out": Refusal(403, _("You were signed out. Sign in, or load this page again to listen.")),
    "already_hosting": Refusal(409, _("You are hosting a room already. End that one before you open another.")),
    "unknown_room": Refusal(404, _("There is no room at this address.")),
    "room_ended": Refusal(410, _("This room has ended.")),
    "not_open_yet": Refusal(409, _("This room is not open yet. It opens when its host comes.")),
    "open_already": Refusal(409, _("This room is open already.")),
    "room_cancelled": Refusal(410, _("This room was cancelled.")),
    "too_many_prepared": Refusal(
        409, _("You have prepared as many rooms as you can have at once. Cancel one, or wait until one has been.")
    ),
    "starts_together": Refusal(
        409, _("You have prepared another room for that hour. Leave 60 minutes between the starts of two rooms.")
    ),
    "starts_too_soon": Refusal(
        400, _("A room is prepared for at least 5 minutes from now. You can also open one at once.")
    ),
    "starts_too_late": Refusal(400, _("A room is prepared for at most 90 days from now.")),
    "no_such_time": Refusal(
        400, _("This time does not exist on that day: clocks go forward over it. Choose another time.")
    ),
    "stage_full": Refusal(409, _("Every place at the table is taken. Try again when somebody stands up.")),
    "not_allowed_to_speak": Refusal(
        403, _("In this room only people whom the host follows take a place at the table.")
    ),
    "no_invitation": Refusal(403, _("In this room only people whom the host invites take a place at the table.")),
    "place_free": Refusal(409, _("A place at the table is free: you can take it at once.")),
    "hands_locked": Refusal(403, _("The host takes no new hands at the moment.")),
    "hands_full": Refusal(409, _("Very many people ask to speak already. Try again in a few minutes.")),
    "no_hand": Refusal(409, _("This hand is not up any more.")),
    "on_stage_already": Refusal(409, _("This person sits at the table already.")),
    "mute_held": Refusal(403, _("The host keeps your microphone off for now.")),
    "cohosts_full": Refusal(409, _("There are two co-hosts already.")),
    "not_a_cohost": Refusal(409, _("This person is no co-host.")),
    "hosts_elsewhere": Refusal(409, _("This person hosts another room at the moment.")),
    "may_not_host": Refusal(409, _("This person may not host a room at the moment.")),
    "unknown_person": Refusal(404, _("There is nobody with this handle.")),
    "not_invite_oneself": Refusal(409, _("You cannot invite yourself.")),
    "you_block_receiver": Refusal(409, _("You blocked this person. Undo that first, then you can invite them.")),
    "cannot_be_reached": Refusal(403, _("This person cannot be reached by message.")),
    "invited_already": Refusal(409, _("This person was invited already.")),
    "invited_often": Refusal(409, _("This person was invited to this room three times. That is enough.")),
    "declined_here": Refusal(409, _("This person declined. Once they raise a hand, you can invite them again.")),
    "removed_here": Refusal(
        409, _("This person was removed from the room. Undo that first, then you can invite them.")
    ),
    "not_acquainted": Refusal(403, _("You can invite people who follow you, and people you follow.")),
    "invitations_full": Refusal(
        409, _("As many invitations to speak are open as a room may have. Take one back, or wait for an answer.")
    ),
    "invitations_used_up": Refusal(409, _("You have invited as many people to this room as you can.")),
    "unknown_invitation": Refusal(404, _("This invitation is not open any more.")),
    "unknown_link": Refusal(404, _("This link does not work. Look whether you have all of it.")),
    "link_not_here": Refusal(
        404, _("This browser has no personal link to this room. Open the link that you got again; it needs cookies.")
    ),
    "link_used": Refusal(
        410, _("This link was used already. It was made for one person: ask the host for another one.")
    ),
    "link_ended": Refusal(410, _("This link does not work any more. Ask the host for another one.")),
    "not_removed": Refusal(409, _("This person was not removed from the room.")),
    "you_blocked_host": Refusal(403, _("You blocked the host of this room. Undo that on their page to come in.")),
    "not_consented": Refusal(403, _("Rooms are recorded. Agree to being recorded before your microphone opens.")),
    "not_on_stage": Refusal(409, _("This person has no place at the table.")),
    "mic_elsewhere": Refusal(
        409, _("Your microphone is in another page or on another device. Here you can take it over.")
    ),
    "not_host": Refusal(403, _("Only the host of the room can do that.")),
    "not_allowed": Refusal(403, _("You cannot do that here.")),
    "no_staff_access": Refusal(
        403,
        _(
            "You cannot listen to this room as staff. It must have been reported, unless you may look on your own "
            "initiative; you must have used your second step lately, and have no part in the room."
        ),
    ),
    "staff_listens": Refusal(403, _("You listen as staff. To take part, open the room as a guest.")),
    "bad_sdp": Refusal(400, _("The sound settings your browser sent could not be used.")),
    "bad_candidate": Refusal(400, _("The network address your browser sent could not be used.")),
    "media_unavailable": Refusal(503, _("Sound is not available right now. Nothing is lost; it will be tried again.")),
    "no_near_place": Refusal(503, _("All direct connections are in use. You hear the room a few seconds later.")),
    "too_fast": Refusal(429, _("That went too fast. Wait a moment and try again.")),
    "too_many": Refusal(
        429,
        _(
            "Too many downloads or connections are open, from you or from your network. "
            "Close one, or try again in a moment."
        ),
    ),
    "bad_frame": Refusal(400, _("This message could not be read.")),
    "unknown_verb": Refusal(400, _("This is not something a room can do.")),
    "bad_value": Refusal(400, _("Something in this request has a value that cannot be used.")),
    "no_recording": Refusal(409, _("There is no recording that can be used: it is not finished yet, or it is gone.")),
    "recording_unavailable": Refusal(403, _("This recording is not available.")),
    "title_taken_down": Refusal(403, _("Moderators removed title and topic. They cannot be changed.")),
    "being_prepared": Refusal(
        409, _("The files are being looked through for the first download. Try again in a few minutes.")
    ),
    "publication_not_agreed": Refusal(
        409,
        _(
            "This replay cannot be published: somebody who speaks in it agreed to being recorded, "
            "but to a text that did not yet name publishing."
        ),
    ),
    "too_wide": Refusal(
        409,
        _(
            "This replay cannot be open to more people than could come into the room while somebody spoke. "
            "Choose fewer people."
        ),
    ),
    "no_objection_now": Refusal(
        409, _("You can object from the moment a publication is announced until the replay is public.")
    ),
    "clips_off": Refusal(403, _("The host switched clips off in this room.")),
    "clip_range": Refusal(400, _("A clip lasts from 1 to 90 seconds, and lies within the room.")),
    "clip_not_public": Refusal(403, _("Until the replay is public, only host and co-hosts make clips of it.")),
    "clips_full": Refusal(409, _("This room has as many clips as a room can have.")),
    "clips_yours_full": Refusal(409, _("This room has as many clips of yours as one person can have of a room.")),
    "clips_often": Refusal(429, _("You have asked for as many clips as you can. Try again later.")),
    "clip_no_sound": Refusal(409, _("There is no sound in this part.")),
    "clip_voice": Refusal(409, _("Somebody whose voice is in this part does not want it passed on.")),
    "clip_no_video": Refusal(503, _("This house cannot make videos now. Sound with captions works.")),
    "clip_failed": Refusal(503, _("This clip could not be made. The people who run this house can see why.")),
    "nothing_failed": Refusal(409, _("There is nothing to try again: the recording is finished, or it is gone.")),
    "not_found": Refusal(404, _("There is nothing at this address.")),
    "not_available": Refusal(405, _("This cannot be done at this address.")),
    "unavailable": Refusal(
        503, _("Something on the server is being restarted. Nothing is lost; try again in a moment.")
    ),
}


class RoomRefused(Refused):
    """A refusal by an action or by one of the rules in `permissions`."""

    table = TABLE


def as_error(code: str, fields: dict[str, str] | None = None, more: Mapping[str, str] = NOTHING_MORE) -> dict[str, Any]:
    """Body of a refusal by its code, for edges that raise nothing (a bad frame)."""
    return refusals.as_error(code, str(TABLE[code].text), fields, more)


def refuse(code: str | None) -> None:
    """Raise RoomRefused for a code that a rule returned; None means yes."""
    if code is not None:
        raise RoomRefused(code)
