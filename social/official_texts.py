"""Official messages about the own account, by name (`social.hooks.official_texts`). They hold keys only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from people.models import DataExport, User
from social.hooks import DrawnMessage, official_texts

OWN_DATA = "own_data"


@official_texts.register(OWN_DATA)
def own_data_cards(values: Sequence[Mapping[str, Any]], reader: User) -> list[DrawnMessage]:
    """Cards about a download of the own data, as it stands now: `export` is its key. One query."""
    keys = {value.get("export") for value in values}
    exports = DataExport.objects.filter(person=reader).in_bulk(keys - {None})
    return [_own_data(exports.get(value.get("export", 0))) for value in values]


def _own_data(export: DataExport | None) -> DrawnMessage:
    url = reverse("people:own_data")
    line = _line(export)
    return DrawnMessage(line, "social/own_data.html", {"line": line, "url": url}, {"url": url})


def _line(export: DataExport | None) -> str:
    if export is None or export.state == DataExport.State.EXPIRED:
        return _("Your data was ready to download. The file is deleted now; you can ask for a new one.")
    if export.state == DataExport.State.FAILED:
        return _("Your data could not be put together. Ask for it again; if that fails too, write to us.")
    until = export.expires_at
    if export.state != DataExport.State.READY or until is None:
        return _("Your data is being put together again, because something in it was deleted.")
    local = timezone.localtime(until)
    return _("Your data is ready. You can download it until {day}, {time}.").format(
        day=date_format(local, "j F Y"), time=date_format(local, "H:i")
    )
