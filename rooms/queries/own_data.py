"""Rooms' part of own-data downloads: the rooms a person hosted, their part in each room whose copy is kept, and their
own tracks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.db.models import F, Model, Q
from django.utils.translation import gettext as _

from people.hooks import OwnFile, own_data
from people.models import User
from rooms.models import (
    CaptionsOff,
    Clip,
    ClipVoice,
    Consent,
    Hand,
    HandOver,
    Invitation,
    ListenerChoice,
    PersonalLink,
    Recording,
    RecordingFile,
    Removal,
    ReplayObjection,
    Room,
    Seat,
    ShareLink,
)
from rooms.recording import marker, store
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.restrictions import is_restricted
from social.models import Block

# Rows by which a room has something of a person, and the lookup from a row to the person.
PARTS: tuple[tuple[type[Model], str], ...] = (
    (Seat, "user"),
    (Hand, "user"),
    (ListenerChoice, "user"),
    (CaptionsOff, "user"),
    (Invitation, "by"),
    (PersonalLink, "by"),
    (ShareLink, "by"),
    (HandOver, "former"),
    (HandOver, "to"),
    (Clip, "maker"),
    (Clip, "taken_back_by"),
)
SHOWN_STATES = (Invitation.State.PENDING, Invitation.State.ACCEPTED, Invitation.State.DECLINED)


@own_data.register("rooms")
def files_of_rooms(user: User) -> Iterator[OwnFile]:
    """Yield rooms hosted, consents, and for each room that is kept the person's part in it and their tracks."""
    hosted = _("The rooms that you hosted.")
    yield OwnFile("rooms/hosted.json", hosted, lambda: rooms_hosted(user))
    consents = _("When you agreed to be recorded, in which room, and to which version of the text.")
    yield OwnFile("rooms/consents.json", consents, lambda: consents_of(user))
    part = _(
        "Your part in a room of which the copy is still kept: when you were on stage, raised a hand, were invited or "
        "removed, and how you listened. Times in ms count from the beginning of the room."
    )
    sound = _("Your own voice in that room, as it was recorded.")
    rooms = Room.objects.filter(pk__in=rooms_with(user)).order_by("pk")
    for pk, slug in list(rooms.values_list("pk", "slug")):
        yield OwnFile(f"rooms/{slug}/my-part.json", part, partial(part_in, pk, user), pk)
        for number, track in enumerate(tracks_in(pk, user), 1):
            yield OwnFile(f"rooms/{slug}/my-voice-{number}.opus", sound, partial(track_path, track), pk)


def rooms_with(user: User) -> set[int]:
    """Return keys of rooms with something of a person of which the copy is not purged."""
    kept = {"room__purged_at": None}
    keys: set[int] = set(Room.objects.filter(host=user, purged_at=None).values_list("pk", flat=True))
    for model, person in PARTS:
        keys.update(model._default_manager.filter(**{person: user}, **kept).values_list("room", flat=True))
    for rows in (invitations_to(user), removals_of(user)):
        keys.update(rows.filter(**kept).values_list("room", flat=True))
    objections = ReplayObjection.objects.filter(user=user, recording__room__purged_at=None)
    keys.update(objections.values_list("recording__room", flat=True))
    return keys


def invitations_to(user: User) -> Any:
    """Invitations that reached a person: those of somebody whom they block did not."""
    return Invitation.objects.filter(user=user).exclude(by__in=Block.objects.filter(blocker=user).values("blocked"))


def removals_of(user: User) -> Any:
    """Removals that a person knows of: those that came with a block are shown to nobody."""
    return Removal.objects.filter(user=user, listed=True)


def rooms_hosted(user: User) -> list[dict[str, Any]]:
    """List the rooms of a host, without what goes with their copies."""
    rows = Room.objects.filter(host=user).order_by("pk")
    return [
        {
            "room": room.slug,
            "title": room.shown_title,
            "language": room.language,
            "status": room.status,
            "to_begin_at": room.starts_at,
            "started_at": room.started_at,
            "ended_at": room.ended_at,
            "end_reason": room.end_reason,
            "cancelled_at": room.cancelled_at,
            "copy_deleted_at": room.purged_at,
        }
        for room in rows
    ]


def consents_of(user: User) -> list[dict[str, Any]]:
    """List a person's consents to being recorded."""
    rows = Consent.objects.filter(user=user).order_by("at", "pk")
    return [
        {"room": slug, "text_version": version, "at": at, "captioned": captioned}
        for slug, version, at, captioned in rows.values_list("room__slug", "text_version", "at", "captioned")
    ]


def kept_room(pk: int) -> Room | None:
    """Load a room unless its copy is purged."""
    return Room.objects.select_related("host").filter(pk=pk, purged_at=None).first()


def part_in(pk: int, user: User) -> dict[str, Any] | None:
    """Describe a person's part in a room; None where its copy is purged."""
    room = kept_room(pk)
    if room is None:
        return None
    hosts = room.host_id == user.pk
    objection = ReplayObjection.objects.filter(recording__room=room, user=user).first()
    sent = Invitation.objects.filter(room=room, by=user)
    handed = HandOver.objects.filter(Q(former=user) | Q(to=user), room=room)
    parties = {"from": F("former__handle"), "new_host": F("to__handle")}
    return {
        "room": room.slug,
        "host": room.host.handle,
        "title": room.shown_title if hosts or knows_title(room, user) else None,
        "topic": room.topic if hosts else None,
        "started_at": room.started_at,
        "ended_at": room.ended_at,
        "policies": {"entry": room.entry_policy, "speak": room.speak_policy} if hosts else None,
        "on_stage": list(
            Seat.objects.filter(room=room, user=user)
            .order_by("taken_at", "pk")
            .values("role", "place", "taken_at", "left_at", "left_reason")
        ),
        "hands": list(
            Hand.objects.filter(room=room, user=user).order_by("pk").values("raised_at", "lowered_at", "outcome")
        ),
        "invitations": [invitation(row) for row in invitations_to(user).filter(room=room).select_related("by")],
        "invitations_sent": list(sent.order_by("pk").values("kind", "sent_at", to=F("user__handle"))),
        "handed_over": list(handed.order_by("pk").values("at", "reason", **parties)),
        "removed": list(removals_of(user).filter(room=room).order_by("pk").values("at", "undone_at")),
        "listens_unseen": ListenerChoice.objects.filter(room=room, user=user).values_list("unseen", flat=True).first(),
        "without_captions": list(
            CaptionsOff.objects.filter(room=room, user=user).order_by("pk").values("since", "until")
        ),
        "objected_to_publication_at": None if objection is None else objection.at,
        "personal_links_made": list(
            PersonalLink.objects.filter(room=room, by=user).order_by("pk").values("label", "made_at", "revoked_at")
        ),
        "share_links_made": list(ShareLink.objects.filter(room=room, by=user).order_by("pk").values("code", "made_at")),
        "clips_made": [clip_of(row) for row in Clip.objects.filter(room=room, maker=user).order_by("pk")],
        "clips_with_your_voice": [
            clip_of(row.clip) for row in ClipVoice.objects.filter(clip__room=room, user=user).select_related("clip")
        ],
        "clips_taken_back": [clip_of(row) for row in Clip.objects.filter(room=room, taken_back_by=user).order_by("pk")],
        "voice": [
            {"start_ms": row.start_ms, "duration_ms": row.duration_ms, "sha256": row.sha256}
            for row in tracks_in(room.pk, user)
        ],
    }


def clip_of(row: Clip) -> dict[str, Any]:
    """Describe a clip; who else is heard in it is not said."""
    return {
        "kind": row.kind,
        "from_ms": row.from_ms,
        "to_ms": row.to_ms,
        "asked_at": row.asked_at,
        "state": row.state,
        "taken_back_at": row.taken_back_at,
    }


def knows_title(room: Room, user: User) -> bool:
    """Whether a guest may read a room's title as it is now: they were on its stage, or may come in, and were not
    removed or blocked."""
    facts = facts_of(room, user)
    if facts.removed or facts.blocked_by_host:
        return False
    return Seat.objects.filter(room=room, user=user).exists() or permissions.may_enter(facts) is None


def invitation(row: Invitation) -> dict[str, Any]:
    """Describe an invitation as its card does: one that is not open is over, and no more."""
    state = str(row.state) if row.state in SHOWN_STATES else "over"
    return {
        "by": row.by.handle,
        "kind": row.kind,
        "state": state,
        "sent_at": row.sent_at,
        "answered_at": row.answered_at if state != "over" else None,
    }


def tracks_in(pk: int, user: User) -> list[RecordingFile]:
    """A person's own tracks of a finished recording with sound in them; none where moderators closed it, as for every
    other download."""
    room = kept_room(pk)
    if room is None or is_restricted(room):
        return []
    rows = RecordingFile.objects.filter(recording__room=room, recording__state=Recording.State.READY, seat__user=user)
    return list(rows.filter(Q(has_sound=True) | Q(has_sound=None)).order_by("start_ms", "pk"))


def track_path(track: RecordingFile) -> Path | None:
    """Return where a track lies; None where it may not be read any more. Raises OSError for another disk."""
    room = Room.objects.filter(recording__files=track.pk, purged_at=None).first()
    if room is None or is_restricted(room):
        return None
    if why := marker.trouble():
        raise OSError(f"RECORDINGS_DIR: {why}")
    return store.file_path(track)
