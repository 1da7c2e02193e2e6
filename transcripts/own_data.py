"""A person's own lines of transcripts, for their own-data download."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from people.hooks import OwnFile, own_data
from people.models import User
from rooms.models import Room
from rooms.rules.restrictions import is_closed_for_child_safety
from transcripts.models import Cue, Transcript
from transcripts.queries import cues_in_order


@own_data.register("transcripts")
def files_of_lines(user: User) -> Iterator[OwnFile]:
    """Yield the person's lines of each room, also where moderators closed the recording for everybody else."""
    about = _("What you said in that room, as it was written down. Times in ms count from the beginning of the room.")
    rooms = Room.objects.filter(purged_at=None, pk__in=Cue.objects.filter(seat__user=user).values("transcript__room"))
    for pk, slug in list(rooms.order_by("pk").values_list("pk", "slug")):
        yield OwnFile(f"rooms/{slug}/my-lines.json", about, partial(lines_in, pk, user), pk)


def lines_in(pk: int, user: User) -> Iterator[dict[str, Any]] | None:
    """Return the lines of a person in a room; None where its copy is purged, or closed by a report of child abuse."""
    transcript = Transcript.objects.select_related("room").filter(room=pk, room__purged_at=None).first()
    if transcript is None or is_closed_for_child_safety(transcript.room):
        return None
    cues = cues_in_order(transcript).filter(seat__user=user)
    return (
        {
            "from_ms": cue.start_ms,
            "to_ms": cue.end_ms,
            "text": cue.shown_text,
            "kind": cue.kind,
            "corrected": cue.corrected_text is not None,
        }
        for cue in cues.iterator(500)
    )
