"""Official messages about rooms, by name (`social.hooks.official_texts`). They hold keys only: words of a room are read
when the message is, and go with the room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.text import isolated
from people.models import User
from people.zones import is_zone
from rooms.models import Clip, Room
from rooms.rules.clips import clip_times
from social.hooks import DrawnMessage, official_texts

PUBLICATION = "publication"
CLIP = "clip"


@official_texts.register(PUBLICATION)
def publication_cards(values: Sequence[Mapping[str, Any]], reader: User) -> list[DrawnMessage]:
    """Cards that say that a replay will be published: `room` and `by` are keys, `at` is ISO 8601. Two queries."""
    rooms = Room.objects.in_bulk({value["room"] for value in values})
    people = User.objects.in_bulk({value["by"] for value in values})
    return [_publication(rooms.get(value["room"]), people.get(value["by"]), value["at"], reader) for value in values]


def _publication(room: Room | None, by: User | None, at: str, reader: User) -> DrawnMessage:
    if room is None or by is None:
        return DrawnMessage(text=_("A replay with your voice in it was to be published. The room is gone."))
    zone = reader.time_zone if is_zone(reader.time_zone) else settings.TIME_ZONE
    moment = timezone.localtime(datetime.fromisoformat(at), ZoneInfo(zone))
    line = _(
        "{name} publishes the replay of “{title}”. Your voice is in it: you can object until {day}, {time} ({zone})."
    ).format(
        name=isolated(by.display_name),
        title=isolated(room.shown_title),
        day=date_format(moment, "j F Y"),
        time=date_format(moment, "H:i"),
        zone=zone,
    )
    url = f"{room.get_absolute_url()}replay/#who-hears"
    data = {"room": room.slug, "url": url, "at": at}
    return DrawnMessage(line, "rooms/messages/publication.html", {"line": line, "url": url}, data)


@official_texts.register(CLIP)
def clip_cards(values: Sequence[Mapping[str, Any]], reader: User) -> list[DrawnMessage]:
    """Cards that say that somebody made a clip with the reader's voice in it: `clip` is a key. One query."""
    clips = Clip.objects.select_related("room", "maker").in_bulk({value["clip"] for value in values})
    return [_clip(clips.get(value["clip"])) for value in values]


def _clip(clip: Clip | None) -> DrawnMessage:
    if clip is None:
        return DrawnMessage(text=_("A clip with your voice in it was made. It is deleted, with the copy of its room."))
    url = f"{clip.room.get_absolute_url()}clips/{clip.key}/"
    over = clip.state == Clip.State.TAKEN_BACK
    line = (
        _("A clip of “{title}” with your voice in it was made. It was taken back.")
        if over
        else _("{name} made a clip of “{title}”, {times}. Your voice is in it: you can take it back, for everybody.")
    ).format(
        name=isolated(clip.maker.display_name),
        title=isolated(clip.room.shown_title),
        times=clip_times(clip.from_ms, clip.to_ms),
    )
    data = {"room": clip.room.slug, "clip": clip.key, "url": url, "state": "over" if over else "open"}
    return DrawnMessage(line, "rooms/messages/clip.html", {"line": line, "url": url, "over": over}, data)
