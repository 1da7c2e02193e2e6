"""The files of an ended room by signed links: the mix and its picture, tracks, everything as a zip."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from people.models import User
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import marker, store
from rooms.recording.delivery import downloads, exports, links
from rooms.recording.delivery.responses import deliver_bytes, deliver_file, named
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.roles import check_replay, role_of

SOUND = {".m4a": "audio/mp4", ".opus": "audio/ogg"}


@require_safe
def file(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """What a link opens, if it is ours and in time, the copy is there, and that person may have it still; else 404."""
    link = links.read(token)
    recording = None if link is None else ready_recording(link.room)
    if link is None or recording is None or not allowed(link, recording):
        raise Http404
    if marker.trouble():
        unavailable = RoomRefused("unavailable")
        headers = {"Retry-After": "60", "Cache-Control": "no-store"}
        return HttpResponse(unavailable.text, status=503, content_type="text/plain; charset=utf-8", headers=headers)
    return downloads.counted(request, opened(request, link, recording), link.user, lambda: still_allowed(link))


def opened(request: HttpRequest, link: links.Link, recording: Recording) -> HttpResponseBase:
    """The response to a link that is good."""
    if link.what.startswith("all-"):
        return archive(request, recording.room, link.what.removeprefix("all-"))
    if link.what == "peaks":
        path = store.peaks_path(link.room)
        version = str(recording.prepared_at and int(recording.prepared_at.timestamp()))
        return deliver_file(request, path, f"peaks-{version}", "application/json")
    return sound(request, link, recording)


def ready_recording(room_pk: int) -> Recording | None:
    """The recording of a room that can be used: finished, and not being purged."""
    ready = Recording.objects.filter(room_id=room_pk, state=Recording.State.READY, room__purged_at=None)
    return ready.select_related("room__host").first()


def allowed(link: links.Link, recording: Recording) -> bool:
    """Whether the person whom the link was given to may have this now: what the replay's page asks of its readers.

    What spoke for that person when the link was given out still does: a new password ends the link too.
    A link for everybody is read by somebody who is signed out, and opens where such a person may come in.
    """
    user = None if link.user is None else User.objects.filter(pk=link.user, is_active=True).first()
    if (link.user is not None and user is None) or link.since != links.stamp(user):
        return False
    who = Who(None, "") if user is None else Who.of_user(user)
    try:
        if link.what in ("mix", "peaks"):
            check_replay(recording.room, who)
        else:
            refuse(facts_of(recording.room, user).kept_out)
            refuse(permissions.may_download(role=role_of(who, recording.room), ready=True))
    except RoomRefused:
        return False
    return True


def still_allowed(link: links.Link) -> bool:
    """The same, asked again while its bytes are on their way."""
    recording = ready_recording(link.room)
    return recording is not None and allowed(link, recording)


def sound(request: HttpRequest, link: links.Link, recording: Recording) -> HttpResponseBase:
    """The mix to listen to, or one file for the host to keep."""
    if link.what == "mix":
        found = recording.files.filter(kind=RecordingFile.Kind.MIX).first()
    else:
        found = recording.files.filter(pk=int(link.what.removeprefix("file-"))).first()
    if found is None:
        raise Http404
    path = store.file_path(found)
    download_as = "" if link.what == "mix" else f"{recording.room.slug}-{path.name}"
    content_type = SOUND.get(path.suffix, "application/octet-stream")
    return deliver_file(request, path, found.sha256, content_type, download_as)


def archive(request: HttpRequest, room: Room, digest: str) -> HttpResponseBase:
    """Everything, as it was when the link was made; any part of it."""
    try:
        export = exports.load(room.pk, digest)
    except FileNotFoundError as error:
        raise Http404 from error
    response = deliver_bytes(request, export.read, export.layout.size, export.digest, "application/zip")
    response["X-Accel-Buffering"] = "no"  # nginx would fill its disk for a slow reader
    return named(response, f"{room.slug}.zip")
