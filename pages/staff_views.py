"""A live room's page for staff: the same page, seen and heard by somebody who is not in the room."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from pages.door import door_context, reader
from people.models import User
from people.staff_gate import second_step_url
from rooms.actions.staff_listening import admit_staff
from rooms.models import Room
from rooms.recording.hls.views import checked_playlist
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.rules.staff import has_staff_access
from rooms.wire.snapshot import Snapshot, snapshot_as_staff


def wants_staff(request: HttpRequest) -> bool:
    """Whether the reader asks for the page as staff."""
    return request.GET.get("staff") == "1"


def as_staff(request: HttpRequest, room: Room) -> Snapshot | HttpResponse:
    """Return the snapshot that staff get of a room, or the page that somebody without this right gets."""
    me = reader(request)
    if me is not None and me.is_staff and not me.has_fresh_step:
        return redirect(second_step_url(request.get_full_path()))
    try:
        who = enter_as_staff(request, room)
    except RoomRefused as refused:
        return render(request, "pages/refused.html", door_context(request, room, refused), status=refused.status)
    return snapshot_as_staff(room.pk, who)


def enter_as_staff(request: HttpRequest, room: Room) -> Who:
    """Admit the reader to a room as staff, and record it. Raises not_signed_in and the codes of `admit_staff`."""
    me, session = reader(request), getattr(request.session, "ident", "")
    if me is None:
        raise RoomRefused("not_signed_in")
    admit_staff(room, me, session)
    return Who.of_user(me, session)


@require_safe
def live_playlist(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve the playlist of a live room to staff who listen in."""
    return checked_playlist(slug, lambda room: enter_as_staff(request, room))


def staff_context(me: User | None, *, listens: bool) -> dict[str, Any]:
    """Build the part of a live room's context about staff. While they listen in, the page is that of a `viewer` who is
    not signed in: the room knows nobody else."""
    return {
        "staff_listens": listens,
        "staff_bar": me is not None and me.has_perm(settings.STAFF_CHANNEL_PERMISSION),
        "viewer": AnonymousUser() if listens or me is None else me,
    }


def may_open_as_staff(me: User | None, room: Room) -> bool:
    """Whether a person who is not let in may be offered to listen as staff."""
    return me is not None and room.is_live and me.has_fresh_step and has_staff_access(me.pk, room.pk)
