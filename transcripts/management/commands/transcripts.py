"""`manage.py transcripts`: list transcripts with gaps, and retry them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, F, Q, QuerySet

from transcripts.actions import retry_transcript
from transcripts.models import Transcript, WorkItem
from transcripts.refusals import TranscriptRefused

SHOWN = 200  # transcripts that are listed


class Command(BaseCommand):
    help = "Transcripts: list those with gaps, try again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb")
        verbs.add_parser("list", help="what could not be transcribed (this is what no word at all does)")
        retry = verbs.add_parser("retry", help="transcribe what failed, afresh")
        retry.add_argument("rooms", nargs="*", help="addresses of rooms; none: all with gaps")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "retry":
            self.retry(options["rooms"])
        else:
            self.overview()

    def overview(self) -> None:
        gaps = with_gaps()
        self.stdout.write(f"with gaps: {gaps.count()}")
        for row in gaps.values("room__slug", "state", "failed")[:SHOWN]:
            self.stdout.write(f"  {row['room__slug']}  {row['state']}  failed pieces {row['failed']}")

    def retry(self, rooms: list[str]) -> None:
        wanted = Transcript.objects.filter(room__slug__in=rooms) if rooms else with_gaps()
        known = set(wanted.values_list("room__slug", flat=True))
        for slug in rooms:
            if slug not in known:
                raise CommandError(f"there is no transcript of room {slug}")
        for transcript in wanted.select_related("room"):
            try:
                retry_transcript(transcript.room, None, as_staff=True)
            except TranscriptRefused as refused:
                raise CommandError(f"{transcript.room.slug}: {refused.text}") from refused
            self.stdout.write(f"{transcript.room.slug}: tried again")


def with_gaps() -> QuerySet[Any]:
    """Select transcripts with failed items, and annotate how many (`failed`)."""
    plans = Count("plans", filter=Q(plans__state=WorkItem.State.FAILED), distinct=True)
    windows = Count("plans__windows", filter=Q(plans__windows__state=WorkItem.State.FAILED), distinct=True)
    counted = Transcript.objects.annotate(plans_failed=plans, windows_failed=windows)
    return counted.annotate(failed=F("plans_failed") + F("windows_failed")).filter(failed__gt=0).order_by("pk")
