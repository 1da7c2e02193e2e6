"""The file of an own-data download, for its owner alone."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from people.models import DataExport, User
from people.own_data.actions import note_download, ready_export
from people.own_data.files import path_of
from people.sessions import SessionStore, alive
from people.signed_in import signed_in
from rooms.recording.delivery.downloads import limited
from rooms.recording.delivery.responses import deliver_file


@require_safe
@signed_in
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a download, whole or a range. One of somebody else answers as one that never was; the owner of one that is
    over reads on the page what became of it.

    What is being sent stops within seconds after the right to it ends: signed out, closed, expired, purged.
    """
    user = cast(User, request.user)
    export = ready_export(user, pk)
    if export is None:
        if not DataExport.objects.filter(pk=pk, person=user).exists():
            raise Http404
        return redirect("people:own_data")
    session = cast(SessionStore, request.session).ident
    response = deliver_file(request, path_of(export.file), export.sha256, "application/zip", name_of(export))
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would fill its disk for a slow reader
    if response.status_code in (200, 206) and request.method == "GET":
        response = limited(request, response, user.pk, lambda: still_allowed(export, session), by_address=True)
        if response.status_code != 429:
            note_download(export)
    return cast(HttpResponse, response)


def still_allowed(export: DataExport, session: str) -> bool:
    """Whether a download may go on: it is the same file, and its owner's session has not ended."""
    now = ready_export(export.person, export.pk)
    return now is not None and now.file == export.file and bool(alive([session]))


def name_of(export: DataExport) -> str:
    """Return the name under which a browser saves a download."""
    day = timezone.localtime(export.ready_at).date()
    return f"own-data-{export.person.handle}-{day.isoformat()}.zip"
