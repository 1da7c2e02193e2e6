"""One view an operation: parse, call one action or query, answer. No rule lives here."""

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
    """Base of the views of one transcript, for its host, co-hosts and those whose voice is in it."""

    refused = TranscriptRefused

    def transcript(self, slug: str, mine: bool = False) -> Transcript:
        ACTIONS.check(f"u:{self.me.pk}")
        return queries.readable_transcript(slug, self.me, mine)

    def see(self, transcript: Transcript) -> Response:
        """How far the transcript is."""
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


class TranscriptState(TranscriptView):
    """`/rooms/<slug>/transcript/`."""

    @described("transcript_see", shapes.TranscriptShape)
    def get(self, request: Request, slug: str) -> Response:
        """How far the transcript is: percent, minutes left, gaps."""
        return self.see(self.transcript(slug))


class Retry(TranscriptView):
    """`/rooms/<slug>/transcript/retry/`."""

    @described("transcript_retry", shapes.TranscriptShape)
    def post(self, request: Request, slug: str) -> Response:
        """Try what failed again, as host or co-host."""
        return self.see(actions.retry_transcript(self.transcript(slug).room, self.me))


class CueList(TranscriptView):
    """`/rooms/<slug>/transcript/cues/`."""

    @described("cues_list", shapes.Cues, parameters=[shapes.WhichCues])
    def get(self, request: Request, slug: str) -> Response:
        """Lines in order of time; those with certain words, of one person, or of a range."""
        transcript = self.transcript(slug)
        which = self.values(shapes.WhichCues, request.query_params)
        found, following = queries.page(transcript, queries.Which(**which))
        return Response({"cues": [shapes.cue(row) for row in found], "next": following})


class OneCue(TranscriptView):
    """`/rooms/<slug>/transcript/cues/<id>/`."""

    @described("cue_correct", shapes.CueShape, shapes.CorrectCue)
    def patch(self, request: Request, slug: str, pk: int) -> Response:
        """Put what was really said beside the machine's text, as host or co-host."""
        room = self.transcript(slug).room
        text = self.values(shapes.CorrectCue, request.data)["text"]
        return Response(shapes.cue(actions.correct_cue(room, pk, self.me, text)))


class File(TranscriptView):
    """`/rooms/<slug>/transcript/files/<kind>/`."""

    @described(
        "transcript_file",
        OpenApiTypes.STR,
        parameters=[OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(FORMATS)), shapes.WhichFile],
    )
    def get(self, request: Request, slug: str, kind: str) -> HttpResponse:
        """The transcript as a file: WebVTT, SRT, plain text or JSON; all of it, or what you said yourself."""
        mine = self.values(shapes.WhichFile, request.query_params)["mine"]
        transcript = self.transcript(slug, mine)
        if kind not in FORMATS:
            raise TranscriptRefused("unknown_format")
        render, content_type = FORMATS[kind]
        lines = queries.format_lines(transcript, self.me if mine else None)
        answer = HttpResponse("".join(render(queries.about(transcript), lines)), content_type=content_type)
        answer["Content-Disposition"] = f'attachment; filename="{transcript.room.slug}.{kind}"'
        answer["Cache-Control"] = "private, no-store"
        return answer
