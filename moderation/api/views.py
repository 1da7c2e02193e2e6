"""One view an operation: parse, call one action, answer."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView, described
from core.client_address import address_of_request, counted_as
from moderation.actions.messages import report_message
from moderation.actions.reports import report
from moderation.api import shapes
from moderation.queries import seen_message, subject_named
from moderation.refusals import ModerationRefused
from moderation.wording import MESSAGE_RECEIVED, RECEIVED
from people.models import User
from rooms.models import Room


class Reports(ApiView):
    """`/rooms/<slug>/reports/`."""

    refused = ModerationRefused

    @described("rooms_report", shapes.ReportReceipt, shapes.ReportRequest, tag="rooms", status=201)
    def post(self, request: Request, slug: str) -> Response:
        """Report a range of a room to moderators; nobody else learns of it."""
        room = Room.objects.by_slug(slug)
        if room is None:
            raise ModerationRefused("unknown_room")
        values = self.values(shapes.ReportRequest)
        row = report(
            self.me,
            room,
            **{**values, "subject": _subject(room, values["subject"])},
            address=counted_as(address_of_request(cast(HttpRequest, request))),
        )
        return Response({"id": row.receipt, "text": str(RECEIVED)}, status=201)


class MessageReports(ApiView):
    """`/me/threads/<thread>/messages/<id>/report/`."""

    refused = ModerationRefused

    @described("message_report", shapes.ReportReceipt, shapes.MessageReportRequest, tag="messages", status=201)
    def post(self, request: Request, thread: int, pk: int) -> Response:
        """Report a message that one got; whom it is about does not learn of it."""
        message = seen_message(self.me, thread, pk)
        if message is None:
            raise ModerationRefused("unknown_message")
        address = counted_as(address_of_request(cast(HttpRequest, request)))
        row = report_message(self.me, message, **self.values(shapes.MessageReportRequest), address=address)
        return Response({"id": row.receipt, "text": str(MESSAGE_RECEIVED)}, status=201)


def _subject(room: Room, handle: str | None) -> User | None:
    """The account that a report is about; None for the room. Raises unknown_person."""
    if handle is None:
        return None
    user = subject_named(room, handle)
    if user is None:
        raise ModerationRefused("unknown_person")
    return user
