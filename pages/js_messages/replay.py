"""Texts of the replay page's scripts, in the reader's language."""

from django.utils.translation import gettext as _

from pages.js_messages.clips import clip_words


def replay_words() -> dict[str, str]:
    """Return the texts by key; scripts fill in `{at}` and the like."""
    return {
        **clip_words(),
        "play": _("Play"),
        "pause": _("Pause"),
        "position": _("{at} of {all}"),
        "copied": _("Link copied."),
        "copy_failed": _("The link could not be copied. It is in the address bar."),
        "none_found": _("No line has these words."),
        "one_found": _("1 line"),
        "found": _("{count} lines"),
        "machine": _("Heard by the machine: {text}"),
        "machine_nothing": _("nothing"),
        "empty": _("Write what was said: a line cannot be empty."),
        "saved": _("Saved."),
        "save_failed": _("That could not be saved. What you wrote is still there; try again."),
        "sound_failed": _("The sound could not be loaded. Reload the page to try again; nothing is lost."),
        "range_set": _("From {from} to {to}."),
        "range_how": _("Drag over the waveform to mark a part. Keys: [ where it begins, ] where it ends."),
        "report_part": _("Report {from} – {to}"),
        "percent": _("{percent} %"),
        "minutes_left": _("about {minutes} min left"),
    }
