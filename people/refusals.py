"""Refusals of people: a code, its HTTP status and its text."""

from __future__ import annotations

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.refusals import Refusal, Refused

TABLE: dict[str, Refusal] = {
    "not_signed_in": Refusal(401, _("Sign in to do this.")),
    "account_closed": Refusal(403, _("This account is closed.")),
    "unknown_person": Refusal(404, _("There is nobody with this handle.")),
    "token_made": Refusal(
        409,
        _("This form has made its token already, and it is not shown again. Load the page anew for another one."),
    ),
    "not_oneself": Refusal(409, _("You cannot follow yourself.")),
    "not_block_oneself": Refusal(409, _("You cannot block yourself.")),
    "you_blocked_person": Refusal(409, _("You blocked this person. Undo that first, then you can follow them.")),
    "not_write_oneself": Refusal(409, _("You cannot write to yourself.")),
    "you_block_receiver": Refusal(409, _("You blocked this person. Undo that first, then you can write to them.")),
    "cannot_be_reached": Refusal(403, _("This person cannot be reached by message.")),
    "unknown_thread": Refusal(404, _("There is no such conversation.")),
    "already_a_creator": Refusal(409, _("You are in the creator group already: you can open rooms.")),
    "no_plan": Refusal(400, _("Say in a few words what you plan to host.")),
    "no_wave_name": Refusal(400, _("Give the wave a name, so that it can be found again.")),
    "bad_wave_size": Refusal(400, _("Write how many people: a number of 1 or more.")),
    "too_fast": Refusal(429, _("That was a bit much at once. Nothing was lost: wait a moment and try again.")),
    "too_many": Refusal(429, _("Too many of these are running at once. Wait until one is done, then try again.")),
    "not_a_picture": Refusal(400, _("This file is not a picture we can read. Choose a JPEG, PNG, WebP or GIF file.")),
    "picture_too_large": Refusal(
        413,
        format_lazy(
            _("This picture is too large. Choose one of at most 5 MB and {megapixels} megapixels."),
            megapixels=settings.PICTURE_MAX_PIXELS // 1_000_000,
        ),
    ),
    "busy": Refusal(503, _("Many pictures are being saved at the moment. Try again in a few seconds.")),
    "bad_value": Refusal(400, _("Something in what was sent is not right.")),
    "not_allowed": Refusal(403, _("You cannot do that.")),
    "picture_taken_down": Refusal(403, _("Moderators removed your picture. You cannot choose another one for now.")),
    "profile_taken_down": Refusal(403, _("Moderators removed your name and text. You cannot change them for now.")),
    "account_suspended": Refusal(403, _("This account is suspended.")),
    "own_data_often": Refusal(
        429, _("You asked for your data several times today already. Nothing was lost: ask again tomorrow.")
    ),
    "too_many_tokens": Refusal(409, _("You have 20 tokens already. Take one back before you make another.")),
}


class PeopleRefused(Refused):
    """A refusal of an action on people."""

    table = TABLE
