"""Views that serve files of a room by signed links: mix, waveform, tracks, everything as a zip, clips."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from rooms.models import Recording, RecordingFile, Room
from rooms.recording import marker, store
from rooms.recording.clips import handing_out
from rooms.recording.delivery import downloads, exports, links
from rooms.recording.delivery.holders import holder_of
from rooms.recording.delivery.responses import deliver_bytes, deliver_file, named, not_now
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import COOKIE, unsign
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import check_replay, role_of

SOUND = {".m4a": "audio/mp4", ".opus": "audio/ogg"}


@require_safe
def file(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """Serve the file of a link; 404 unless the link is valid, the copy exists and the person still has the right."""
    link = links.parse_token(token)
    listener = unsign(request.COOKIES.get(COOKIE)) or ""
    if link is not None and link.what.startswith(("clip-", "captions-")):
        return handing_out.serve(request, link, listener)
    recording = None if link is None else ready_recording(link.room)
    if link is None or recording is None or not allowed(link, recording, listener):
        raise Http404
    if marker.trouble():
        return not_now()
    return downloads.limited(
        request, response_for(request, link, recording), link.user, lambda: still_allowed(link, listener)
    )


def response_for(request: HttpRequest, link: links.Link, recording: Recording) -> HttpResponseBase:
    """Respond to a link that was checked."""
    if link.what.startswith("all-"):
        return archive(request, recording.room, link.what.removeprefix("all-"))
    if link.what == "peaks":
        path = store.peaks_path(link.room)
        version = str(recording.prepared_at and int(recording.prepared_at.timestamp()))
        return deliver_file(request, path, f"peaks-{version}", "application/json")
    return sound(request, link, recording)


def ready_recording(room_pk: int) -> Recording | None:
    """The recording of a room if it is finished and not purged, else None."""
    ready = Recording.objects.filter(room_id=room_pk, state=Recording.State.READY, room__purged_at=None)
    return ready.select_related("room__host").first()


def allowed(link: links.Link, recording: Recording, listener: str = "") -> bool:
    """Whether the person of a link has the right to its file now, by the rules of the replay page and of downloads.

    The person's credentials must be those of the time when the link was made: a new password ends the link.
    A link for everybody has the rights of an anonymous person, whose key is `listener` where a cookie names it.
    """
    who = holder_of(link, listener)
    if who is None:
        return False
    user = who.user
    try:
        if link.what in ("mix", "peaks"):
            check_replay(recording.room, who)
        else:
            refuse(facts_of(recording.room, user).kept_out)
            refuse(_may_download(role_of(who, recording.room), recording.room))
    except RoomRefused:
        return False
    return True


def _may_download(role: str, room: Room) -> str | None:
    return permissions.may_download(role=role, ready=True, restricted=is_restricted(room))


def still_allowed(link: links.Link, listener: str = "") -> bool:
    """`allowed`, with the recording loaded again; called while bytes are sent."""
    recording = ready_recording(link.room)
    return recording is not None and allowed(link, recording, listener)


def sound(request: HttpRequest, link: links.Link, recording: Recording) -> HttpResponseBase:
    """Serve the mix for listening, or one file as a download for the host."""
    if link.what == "mix":
        row = recording.files.filter(kind=RecordingFile.Kind.MIX).first()
    else:
        row = recording.files.filter(pk=int(link.what.removeprefix("file-"))).first()
    if row is None:
        raise Http404
    path = store.file_path(row)
    download_as = "" if link.what == "mix" else f"{recording.room.slug}-{path.name}"
    content_type = SOUND.get(path.suffix, "application/octet-stream")
    return deliver_file(request, path, row.sha256, content_type, download_as)


def archive(request: HttpRequest, room: Room, digest: str) -> HttpResponseBase:
    """Serve the zip of everything in the version of the link, whole or in part."""
    try:
        export = exports.load(room.pk, digest)
    except FileNotFoundError as error:
        raise Http404 from error
    response = deliver_bytes(request, export.read, export.layout.size, export.digest, "application/zip")
    response["X-Accel-Buffering"] = "no"  # nginx would fill its disk for a slow reader
    return named(response, f"{room.slug}.zip")
