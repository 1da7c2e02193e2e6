"""Shapes of the API's requests and answers, for parsing and for the schema."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from core.api.fields import TypedField
from rooms.models import TITLE, TOPIC, Clip, Recording, Room

MOST_MS = 2**31 - 1


class Starts(serializers.Serializer[Any]):
    """When a room is to begin: a wall time in a zone. One that comes twice, as clocks go back, is the first."""

    wall = serializers.CharField(max_length=16, help_text="YYYY-MM-DDTHH:MM")
    zone = serializers.CharField(max_length=64, help_text="A name of the IANA database, such as Europe/Amsterdam.")


class RoomValues(serializers.Serializer[Any]):
    """Values that a host gives a room before it opens."""

    title = TypedField(text=TITLE)
    topic = TypedField(text=TOPIC, required=False, default="", allow_blank=True)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, default="en")
    speak_policy = serializers.ChoiceField(choices=Room.SpeakPolicy.choices, default=Room.SpeakPolicy.EVERYONE)
    entry_policy = serializers.ChoiceField(choices=Room.EntryPolicy.choices, default=Room.EntryPolicy.ANYONE)
    transcription = serializers.BooleanField(default=True)


class OpenRoom(RoomValues):
    """A room to be opened now or, with `starts`, to be prepared for later: 5 minutes to 90 days ahead."""

    starts = Starts(required=False)


class ChangePrepared(RoomValues):
    """All values of a prepared room anew; what is left out has its default again."""

    starts = Starts()


class PreparedShape(RoomValues):
    """A room with what its host said of it before it opened. `at` is null for a room that was not prepared."""

    slug = serializers.CharField()
    title_removed = serializers.BooleanField(help_text="Moderators removed title and topic; `title` says so.")
    status = serializers.ChoiceField(choices=Room.Status.choices)
    at = serializers.DateTimeField(allow_null=True)
    starts = Starts(allow_null=True)
    twice = serializers.BooleanField(help_text="The wall time comes twice, as clocks go back; `at` is the first.")
    cancel_reason = serializers.CharField()


class SeatShape(serializers.Serializer[Any]):
    """An occupied place. `picture` is an address or empty; then initials stand on `color`."""

    user = serializers.CharField()
    name = serializers.CharField()
    initials = serializers.CharField()
    picture = serializers.CharField()
    color = serializers.CharField()
    role = serializers.ChoiceField(choices=["host", "cohost", "speaker"])
    place = serializers.IntegerField()
    muted = serializers.BooleanField()
    held = serializers.BooleanField()
    connected = serializers.BooleanField()


class RoomShape(serializers.Serializer[Any]):
    """A room. Moments are ISO 8601 in UTC."""

    slug = serializers.CharField()
    title = serializers.CharField()
    title_removed = serializers.BooleanField(help_text="Moderators removed title and topic; `title` says so.")
    topic = serializers.CharField()
    language = serializers.CharField()
    status = serializers.ChoiceField(choices=Room.Status.choices)
    starts_at = serializers.DateTimeField(allow_null=True)
    starts_zone = serializers.CharField()
    starts_wall = serializers.CharField()
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancel_reason = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField()
    speak_policy = serializers.ChoiceField(choices=Room.SpeakPolicy.choices)
    entry_policy = serializers.ChoiceField(choices=Room.EntryPolicy.choices)
    hands_locked = serializers.BooleanField()
    max_speakers = serializers.IntegerField()
    recorded_days = serializers.IntegerField()
    transcription = serializers.BooleanField()
    host = serializers.CharField()
    host_name = serializers.CharField()
    host_lost_at = serializers.DateTimeField(allow_null=True)
    host_ends_at = serializers.DateTimeField(allow_null=True)
    host_hands_over_at = serializers.DateTimeField(allow_null=True)
    recording_paused_at = serializers.DateTimeField(allow_null=True)


class LiveRoomShape(serializers.Serializer[Any]):
    """A live room in the list."""

    room = RoomShape()
    host_followed = serializers.BooleanField()
    speakers = serializers.IntegerField()
    listening = serializers.IntegerField()


class LiveRooms(serializers.Serializer[Any]):
    """Hosts you follow first, then the newest."""

    rooms = LiveRoomShape(many=True)


class MayShape(serializers.Serializer[Any]):
    """Rights of the reader in this room."""

    take_seat = serializers.BooleanField()
    why_not = serializers.CharField(allow_null=True)
    never_speak = serializers.CharField(allow_null=True)
    speak_under = serializers.ListField(child=serializers.CharField(), help_text="Speak policies that admit.")
    manage = serializers.BooleanField()
    end = serializers.BooleanField()


class YouShape(serializers.Serializer[Any]):
    """The reader; `user` is null for who is not signed in."""

    user = serializers.CharField(allow_null=True)
    may = MayShape()
    consented = serializers.BooleanField()
    parts = serializers.DictField()


class SnapshotShape(serializers.Serializer[Any]):
    """A room as the reader sees it now; `seq` is the last event that is in it."""

    type = serializers.CharField()
    seq = serializers.IntegerField()
    room = RoomShape()
    seats = SeatShape(many=True)
    listening = serializers.IntegerField()
    you = YouShape()
    parts = serializers.DictField()
    now = serializers.DateTimeField()


class IceServer(serializers.Serializer[Any]):
    """One entry of RTCPeerConnection's `iceServers`."""

    urls = serializers.ListField(child=serializers.CharField())
    username = serializers.CharField(required=False)
    credential = serializers.CharField(required=False)


class IceServers(serializers.Serializer[Any]):
    """Servers that help a browser to reach us; their credentials end by themselves."""

    servers = IceServer(many=True)


class RecordingFileShape(serializers.Serializer[Any]):
    """One file. `start_ms` and `duration_ms` are room time."""

    kind = serializers.CharField()
    user = serializers.CharField(allow_null=True)
    start_ms = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    address = serializers.CharField(allow_null=True, help_text="Where to fetch it: a link that ends by itself.")


class RecordingShape(serializers.Serializer[Any]):
    """The retained copy of a room; how long it is kept, and why, is at `/rooms/<slug>/retention/`.

    The two moments are null unless the host announced that the replay will be public: it is from `published_at` on, for
    people whom `entry_policy` admits, unless somebody who speaks in it objects (`publication`).
    """

    state = serializers.ChoiceField(choices=Recording.State.choices)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    missing_ms = serializers.IntegerField()
    announced_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    publication = serializers.ChoiceField(choices=["", "announced", "objected", "public"])
    entry_policy = serializers.ChoiceField(choices=Room.EntryPolicy.choices)
    files = RecordingFileShape(many=True)


class Publish(serializers.Serializer[Any]):
    """Whether people may hear the replay, and which: at most those who could come in while each voice spoke."""

    published = serializers.BooleanField()
    entry_policy = serializers.ChoiceField(choices=Room.EntryPolicy.choices, required=False)


class Objection(serializers.Serializer[Any]):
    """Whether the caller objects to the publication of a replay."""

    objected = serializers.BooleanField()


class AudienceQuery(serializers.Serializer[Any]):
    """Query about an audience."""

    q = serializers.CharField(max_length=60, required=False, allow_blank=True, help_text="Part of a name or handle.")
    after = serializers.CharField(
        max_length=30, required=False, allow_blank=True, help_text="The handle of the last person that you have."
    )


class FaceShape(serializers.Serializer[Any]):
    """A person. `picture` is an address or empty; then initials stand on `color`."""

    user = serializers.CharField()
    name = serializers.CharField()
    initials = serializers.CharField()
    picture = serializers.CharField()
    color = serializers.CharField()


class AudienceShape(serializers.Serializer[Any]):
    """The audience as the reader may see it: for host and co-hosts the listeners who chose to be seen, by name, 50
    at once; for others those of them whom the reader follows, 12 at most."""

    listening = serializers.IntegerField(help_text="Everybody in it, anonymous and unseen listeners included.")
    named = serializers.IntegerField(allow_null=True, help_text="How many of them have a name; for host and co-hosts.")
    found = serializers.IntegerField(allow_null=True, help_text="How many of those `q` matches; for host and co-hosts.")
    people = FaceShape(many=True)
    more = serializers.BooleanField(help_text="Whether there are more behind the last of these.")


class DownloadShape(serializers.Serializer[Any]):
    """A zip of everything. The address works for about a day, also for parts of it (byte ranges, If-Range)."""

    address = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")
    digest = serializers.CharField(help_text="The same digest is the same zip, byte for byte.")


class ReplayShape(serializers.Serializer[Any]):
    """Addresses of a replay, which expire."""

    mix = serializers.CharField()
    peaks = serializers.CharField(allow_null=True, help_text="Waveform and who talked when; null until it is drawn.")
    duration_ms = serializers.IntegerField(allow_null=True)
    published = serializers.BooleanField()


class MakeClip(serializers.Serializer[Any]):
    """A clip to make: of a replay from and to ms of room time, of a live room its last ms (60,000 at most)."""

    kind = serializers.ChoiceField(choices=Clip.Kind.choices)
    from_ms = serializers.IntegerField(required=False, min_value=0, max_value=MOST_MS)
    to_ms = serializers.IntegerField(required=False, min_value=0, max_value=MOST_MS)
    last_ms = serializers.IntegerField(required=False, min_value=1, max_value=MOST_MS)


class SwitchClips(serializers.Serializer[Any]):
    """Whether clips are switched off in a room."""

    off = serializers.BooleanField()


class ClipShape(serializers.Serializer[Any]):
    """A clip. Its addresses work for some hours, for you alone; null where you may not have it, or it is not there."""

    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=Clip.Kind.choices)
    state = serializers.ChoiceField(choices=Clip.State.choices)
    why = serializers.CharField(allow_null=True, help_text="The code of why it cannot be made.")
    from_ms = serializers.IntegerField()
    to_ms = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    size = serializers.IntegerField(allow_null=True, help_text="In bytes.")
    address = serializers.CharField(allow_null=True, help_text="MP4 or M4A; with ?save it has a name to save it under.")
    captions = serializers.CharField(allow_null=True, help_text="WebVTT.")
    page = serializers.CharField()
    may_take_back = serializers.BooleanField()


class ClipsShape(serializers.Serializer[Any]):
    """The clips of a room that you may know of."""

    off = serializers.BooleanField()
    may_make = serializers.BooleanField()
    may_switch = serializers.BooleanField()
    clips = ClipShape(many=True)
