"""One view an operation: parse, call one action, answer."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView, described
from core.client_address import address_of_request, counted_as
from moderation.actions.filing import NewReport, file_report
from moderation.api import shapes
from moderation.models import Report
from moderation.queries.reports import seen_message, subject_named
from moderation.refusals import ModerationRefused
from moderation.wording import MESSAGE_RECEIVED, RECEIVED
from people.models import User
from people.queries import person
from rooms.models import Room


class NoticeView(ApiView):
    """A view by which one reports something."""

    refused = ModerationRefused

    def file(self, request: Request, **values: Any) -> Report:
        """File a report of the reader."""
        address = counted_as(address_of_request(cast(HttpRequest, request)))
        return file_report(NewReport(reporter=self.me, address=address, **values))


class Reports(NoticeView):
    """`/rooms/<slug>/reports/`."""

    @described("rooms_report", shapes.ReportReceipt, shapes.ReportRequest, tag="rooms", status=201)
    def post(self, request: Request, slug: str) -> Response:
        """Report a range of a room to moderators; nobody else learns of it."""
        room = _room(slug)
        values = self.values(shapes.ReportRequest)
        subject = _subject(room, values.pop("subject"))
        row = self.file(request, kind="person" if subject else "room", room=room, subject=subject, **values)
        return _receipt(row, RECEIVED)


class TitleReports(NoticeView):
    """`/rooms/<slug>/title/report/`."""

    @described("title_report", shapes.ReportReceipt, shapes.SeenReportRequest, tag="rooms", status=201)
    def post(self, request: Request, slug: str) -> Response:
        """Report a room's title and topic, as they read now, to moderators."""
        return _receipt(self.file(request, kind="title", room=_room(slug), **self.values(shapes.SeenReportRequest)))


class PersonReports(NoticeView):
    """`/people/<handle>/report/`."""

    @described("person_report", shapes.ReportReceipt, shapes.PersonReportRequest, tag="people", status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Report a person's page (name and text) or picture, as it is now, to moderators."""
        values = self.values(shapes.PersonReportRequest)
        subject = person(handle)
        if subject is None:
            raise ModerationRefused("unknown_person")
        return _receipt(self.file(request, kind=values.pop("what"), subject=subject, **values))


class MessageReports(NoticeView):
    """`/me/threads/<thread>/messages/<id>/report/`."""

    @described("message_report", shapes.ReportReceipt, shapes.MessageReportRequest, tag="messages", status=201)
    def post(self, request: Request, thread: int, pk: int) -> Response:
        """Report a message that one got; whom it is about does not learn of it."""
        message = seen_message(self.me, thread, pk)
        if message is None:
            raise ModerationRefused("unknown_message")
        row = self.file(request, kind="message", message=message.pk, **self.values(shapes.MessageReportRequest))
        return _receipt(row, MESSAGE_RECEIVED)


def _receipt(row: Report, text: object = RECEIVED) -> Response:
    return Response({"id": row.receipt, "text": str(text)}, status=201)


def _room(slug: str) -> Room:
    room = Room.objects.by_slug(slug)
    if room is None:
        raise ModerationRefused("unknown_room")
    return room


def _subject(room: Room, handle: str | None) -> User | None:
    """The account that a report is about; None for the room. Raises unknown_person."""
    if handle is None:
        return None
    user = subject_named(room, handle)
    if user is None:
        raise ModerationRefused("unknown_person")
    return user
