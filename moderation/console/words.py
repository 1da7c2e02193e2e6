"""Texts of the console's scripts, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def console_words() -> dict[str, str]:
    """Return the texts by key; scripts fill in `{at}` and the like."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "position": _("{at} of {all}"),
        "range_set": _("From {from} to {to}."),
        "case_listen": _("Listen to {from}–{to}"),
        "case_mute": pgettext("sound of a recording", "Mute"),
        "case_unmute": pgettext("sound of a recording", "Unmute"),
        "case_sound_failed": _("The sound could not be loaded. Reload the page to try again."),
        "case_nothing_drawn": _("There is no waveform yet."),
        "case_stage": _("On stage at {at}: {names}"),
        "case_stage_empty": _("Nobody was on stage at {at}."),
        "case_muted": _("{name} (muted)"),
        "case_failed": _("That did not arrive. Nothing was lost: try again."),
        "case_draft_kept": _("Your earlier draft is back."),
        "case_writing": _("The range is being transcribed. Its lines appear here."),
        "key_help": _("Show the keys"),
        "key_space": _("Space"),
        "case_key_play": _("Play or pause the range"),
        "case_key_back": _("Back 10 seconds"),
        "case_key_ahead": _("On 10 seconds"),
        "case_key_mute": _("Mute or unmute"),
        "case_key_from": _("The range begins here"),
        "case_key_to": _("The range ends here"),
        "case_key_mark": _("Mark the range as evidence"),
        "case_key_lines": _("Open the lines"),
        "case_key_before": _("The line before"),
        "case_key_after": _("The next line"),
        "case_key_quote": _("Quote the line, or take it back"),
        "case_key_transcribe": _("Transcribe the range"),
        "case_key_claim": _("Claim the case"),
        "case_key_show": _("Open what was reported"),
        "case_key_note": _("Write a note"),
        "case_key_decide": _("Go to the decision"),
        "case_key_preview": _("Preview the decision"),
        "case_key_next": _("Go to “Next case”"),
        "queue_key_next": _("Claim the next case"),
        "queue_key_search": _("Search"),
        "queue_new": _("A report came in."),
        "live_found": _("A word of the list was found."),
        "live_failed": _("These rooms cannot be read at the moment. The page goes on trying."),
        "queue_ended": _("This page does not update any more. Reload it to go on."),
    }
