"""`manage.py recordings`: list unfinished recordings, retry them, adopt another folder."""

from __future__ import annotations

from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone

from rooms.actions import adopt_folder, retry_recording
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import marker, store
from rooms.rules.refusals import RoomRefused

SHOWN = 200  # recordings that are listed


class Command(BaseCommand):
    help = "Recordings: list those that are not finished, try again, adopt another folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb")
        verbs.add_parser("list", help="the folder, and what is not finished (this is what no word at all does)")
        retry = verbs.add_parser("retry", help="finish these now, whatever failed before")
        retry.add_argument("rooms", nargs="*", help="addresses of rooms; none: all that failed")
        adopt = verbs.add_parser("adopt", help="RECORDINGS_DIR is where recordings are kept from now on")
        adopt.add_argument("--why", required=True, help="the reason; it is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
            case "retry":
                self.retry(options["rooms"])
            case "adopt":
                self.adopt(options["why"])
            case _:
                self.overview()

    def overview(self) -> None:
        """Print the folder and the unfinished recordings."""
        why = marker.trouble()
        self.stdout.write(f"folder: {settings.RECORDINGS_DIR}{f': {why}' if why else ''}")
        unfinished = unfinished_recordings().order_by("-attempts", "room__ended_at").select_related("room")
        self.stdout.write(f"not finished: {unfinished.count()}")
        for recording in unfinished[:SHOWN]:
            self.stdout.write(f"  {recording.room.slug}  {line(recording)}")

    def retry(self, rooms: list[str]) -> None:
        """Retry the recordings of these rooms, or all that failed."""
        wanted = Room.objects.filter(slug__in=rooms) if rooms else Room.objects.filter(recording__in=failed())
        known = set(wanted.values_list("slug", flat=True))
        for slug in rooms:
            if slug not in known:
                raise CommandError(f"there is no room {slug}")
        for room in wanted:
            try:
                retry_recording(room.pk, None)
            except RoomRefused as refused:
                raise CommandError(f"{room.slug}: {refused.text}") from refused
            self.stdout.write(f"{room.slug}: tried again")

    def adopt(self, why: str) -> None:
        """Adopt RECORDINGS_DIR, and print how many of the newest files are missing in it."""
        mark = marker.read_marker()
        if mark is not None and not mark.is_ours:
            raise CommandError(
                f"{settings.RECORDINGS_DIR} is marked by another installation, or its marker is damaged. "
                f"If it is ours all the same, remove {marker.NAME} in it first."
            )
        if not why.strip():
            raise CommandError("Write a reason: --why …")
        adopt_folder(why.strip())
        lost = sum(not store.file_path(file).exists() for file in islice(files().iterator(), SHOWN))
        self.stdout.write(f"recordings are kept in {settings.RECORDINGS_DIR}; start the processes again")
        if lost:
            self.stderr.write(f"files that are not there, of the newest {SHOWN}: {lost}")


def unfinished_recordings() -> QuerySet[Recording]:
    """Unfinished recordings of ended rooms."""
    return Recording.objects.filter(state__in=Recording.OPEN, room__status=Room.Status.ENDED, room__purged_at=None)


def failed() -> QuerySet[Recording]:
    """Recordings whose last attempt failed."""
    return unfinished_recordings().filter(state=Recording.State.FAILED)


def files() -> QuerySet[RecordingFile]:
    """Files of recordings that are not purged, the newest first."""
    return RecordingFile.objects.filter(recording__room__purged_at=None).order_by("-pk")


def line(recording: Recording) -> str:
    """Format a recording as a line: state, attempts, time of the next one, error."""
    at = recording.next_try_at
    again = "soon" if at is None or at <= timezone.now() else f"{at:%Y-%m-%d %H:%M} UTC"
    why = f"  {recording.error}" if recording.error else ""
    return f"{recording.state}  attempts {recording.attempts}, next {again}{why}"
