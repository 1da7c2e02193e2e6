"""One view per operation: parse the request, call one action or query, answer. Rules live in actions."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.api.views import described as _described
from rooms.rules.limits import ACTIONS
from rooms.rules.roles import role_in
from transcripts import actions, queries
from transcripts.api import shapes
from transcripts.files.formats import FORMATS
from transcripts.jobs.progress import progress
from transcripts.models import Transcript
from transcripts.permissions import may_correct
from transcripts.refusals import TranscriptRefused

described = partial(_described, tag="transcripts")


class TranscriptView(ApiView):
    """Base of the views of one transcript, open to the host, co-hosts and people who spoke in the room."""

    refused = TranscriptRefused

    def transcript(self, slug: str, mine: bool = False) -> Transcript:
        ACTIONS.check(f"u:{self.me.pk}")
        return queries.readable_transcript(slug, self.me, mine)

    def see(self, transcript: Transcript) -> Response:
        """Answer with the transcript's state."""
        done = progress(transcript)
        role = role_in(self.me, transcript.room)
        return Response(
            {
                "state": transcript.state,
                "language": transcript.language,
                "model": transcript.model,
                "version": transcript.version,
                "percent": done.percent,
                "minutes_left": done.minutes_left,
                "gaps": done.gaps,
                "finished_at": transcript.finished_at,
                "may_correct": may_correct(role) is None,
            }
        )


class TranscriptDetail(TranscriptView):
    """`/rooms/<slug>/transcript/`."""

    @described("transcript_see", shapes.TranscriptShape)
    def get(self, request: Request, slug: str) -> Response:
        """Get the state of the transcript: percent, minutes left, gaps."""
        return self.see(self.transcript(slug))


class TranscriptRetry(TranscriptView):
    """`/rooms/<slug>/transcript/retry/`."""

    @described("transcript_retry", shapes.TranscriptShape)
    def post(self, request: Request, slug: str) -> Response:
        """Retry what failed, as host or co-host."""
        return self.see(actions.retry_transcript(self.transcript(slug).room, self.me))


class CueList(TranscriptView):
    """`/rooms/<slug>/transcript/cues/`."""

    @described("cues_list", shapes.Cues, parameters=[shapes.CueFilterShape])
    def get(self, request: Request, slug: str) -> Response:
        """List lines in order of time, filtered by words, speaker or time range."""
        transcript = self.transcript(slug)
        which = self.values(shapes.CueFilterShape, request.query_params)
        cues, following = queries.page(transcript, queries.CueFilter(**which))
        return Response({"cues": [shapes.cue(row) for row in cues], "next": following})


class CueDetail(TranscriptView):
    """`/rooms/<slug>/transcript/cues/<id>/`."""

    @described("cue_correct", shapes.CueShape, shapes.CorrectCue)
    def patch(self, request: Request, slug: str, pk: int) -> Response:
        """Correct a line, as host or co-host; the machine's text is kept."""
        room = self.transcript(slug).room
        text = self.values(shapes.CorrectCue, request.data)["text"]
        return Response(shapes.cue(actions.correct_cue(room, pk, self.me, text)))


class TranscriptFile(TranscriptView):
    """`/rooms/<slug>/transcript/files/<kind>/`."""

    @described(
        "transcript_file",
        OpenApiTypes.STR,
        parameters=[OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(FORMATS)), shapes.FileFilterShape],
    )
    def get(self, request: Request, slug: str, kind: str) -> HttpResponse:
        """Download the transcript as WebVTT, SRT, plain text or JSON: all of it, or your own lines."""
        mine = self.values(shapes.FileFilterShape, request.query_params)["mine"]
        transcript = self.transcript(slug, mine)
        if kind not in FORMATS:
            raise TranscriptRefused("unknown_format")
        render, content_type = FORMATS[kind]
        lines = queries.format_lines(transcript, self.me if mine else None)
        answer = HttpResponse("".join(render(queries.file_header(transcript), lines)), content_type=content_type)
        answer["Content-Disposition"] = f'attachment; filename="{transcript.room.slug}.{kind}"'
        answer["Cache-Control"] = "private, no-store"
        return answer
