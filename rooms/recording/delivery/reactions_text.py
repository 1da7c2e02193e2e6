"""The reactions of a room as a text of the zip of everything."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from rooms.hooks import export_texts
from rooms.models import ReactionCount, Room
from rooms.rules.reactions import KINDS


@export_texts.register("reactions.csv")
def reactions_csv(room: Room) -> Iterator[str] | None:
    """Reactions by second of room time and kind as CSV; None where nobody reacted."""
    counts = ReactionCount.objects.filter(room=room)
    return _lines(room) if counts.exists() else None


def _lines(room: Room) -> Iterator[str]:
    """The byte order mark tells spreadsheets that it is UTF-8."""
    line = io.StringIO()
    writer = csv.writer(line)
    line.write(codecs.BOM_UTF8.decode())
    writer.writerow(("second", "kind", "emoji", "count"))
    rows = ReactionCount.objects.filter(room=room).order_by("second", "kind").values_list("second", "kind", "count")
    for second, kind, number in rows.iterator(chunk_size=500):
        writer.writerow((second, kind, KINDS[kind].emoji if kind in KINDS else "", number))
        yield line.getvalue()
        line.seek(0)
        line.truncate()
