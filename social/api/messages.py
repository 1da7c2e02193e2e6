"""/api/v1/: the reader's own threads, their messages, and messages to people. One view an operation."""

from __future__ import annotations

from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import TypedField
from core.api.views import ApiView
from core.api.views import described as _described
from people.models import User
from people.queries import person
from people.refusals import PeopleRefused
from social.actions import messages, threads
from social.models import BODY
from social.queries import unread_of_many
from social.threads import InboxThread, Line, inbox, lines_of, messages_of, own_thread, thread_with

described = partial(_described, tag="messages")
_MOST_KEY = 2**63 - 1


class OtherSerializer(serializers.Serializer[Any]):
    """The other person of a thread."""

    handle = serializers.CharField()
    name = serializers.CharField(source="display_name")
    picture = serializers.CharField(source="picture_url")
    colour = serializers.CharField()


class MessageSerializer(serializers.Serializer[Line]):
    """A message as the reader sees it."""

    id = serializers.IntegerField(source="message.pk")
    kind = serializers.CharField(source="message.kind", help_text="`text`, `official`, or the kind of a card.")
    own = serializers.BooleanField(help_text="Whether the reader sent it.")
    text = serializers.CharField(source="drawn.text")
    card = serializers.DictField(source="drawn.data", help_text="What a card holds for programs; empty for text.")
    sent_at = serializers.DateTimeField(source="message.sent_at")


class ThreadSerializer(serializers.Serializer[InboxThread]):
    """A thread in the reader's inbox."""

    id = serializers.IntegerField(source="thread.pk")
    person = OtherSerializer(source="other", allow_null=True, help_text="Null: official messages.")
    last = MessageSerializer()
    unread = serializers.IntegerField()
    last_at = serializers.DateTimeField()


class InboxSerializer(serializers.Serializer[Any]):
    """A page of the reader's inbox, newest first."""

    threads = ThreadSerializer(many=True)
    older = serializers.CharField(help_text="`before` of the next page; empty at the end.")


class MessagesSerializer(serializers.Serializer[Any]):
    """A page of a thread, oldest first."""

    messages = MessageSerializer(source="lines", many=True)
    older = serializers.IntegerField(allow_null=True, help_text="`before` of the page before; null at the beginning.")


class SendSerializer(serializers.Serializer[Any]):
    """A message to a person."""

    body = TypedField(text=BODY)
    once = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="Any text of yours: sent again with it, the message is not a second one.",
    )


class SentSerializer(MessageSerializer):
    """The message that was sent, and its thread."""

    thread = serializers.IntegerField(source="message.thread_id")


class UptoSerializer(serializers.Serializer[Any]):
    """How far something reaches."""

    upto = serializers.IntegerField(
        min_value=0,
        max_value=_MOST_KEY,
        required=False,
        allow_null=True,
        default=None,
        help_text="The last message that the reader saw; null: all there are.",
    )


class BeforeSerializer(serializers.Serializer[Any]):
    before = serializers.IntegerField(min_value=0, max_value=_MOST_KEY, required=False, default=None)


class UnreadSerializer(serializers.Serializer[Any]):
    """How many messages the reader has not read, in all threads."""

    unread = serializers.IntegerField()


class MessagesView(ApiView):
    """Base of the views of the reader's own messages."""

    refused = PeopleRefused

    def unread(self) -> Response:
        return Response(UnreadSerializer({"unread": unread_of_many([self.me.pk]).get(self.me.pk, 0)}).data)


class Threads(MessagesView):
    """`/me/threads/`."""

    @described("threads", InboxSerializer, parameters=[OpenApiParameter("before", str)])
    def get(self, request: Request) -> Response:
        """One's own threads, the newest first."""
        return Response(InboxSerializer(inbox(self.me, request.query_params.get("before"))).data)


class OneThread(MessagesView):
    """`/me/threads/<id>/`."""

    @described("thread_delete", UnreadSerializer, UptoSerializer)
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a thread for oneself; the other person keeps it. Doing it twice is the same as once."""
        upto = self.values(UptoSerializer, request.data or {})["upto"]
        threads.clear_thread(self.me, own_thread(self.me, pk), upto)
        return self.unread()


class ThreadMessages(MessagesView):
    """`/me/threads/<id>/messages/`."""

    @described("thread_messages", MessagesSerializer, parameters=[BeforeSerializer])
    def get(self, request: Request, pk: int) -> Response:
        """A page of a thread, from its end or from before a message."""
        before = self.values(BeforeSerializer, request.query_params)["before"]
        return Response(MessagesSerializer(messages_of(self.me, own_thread(self.me, pk), before)).data)


class ThreadRead(MessagesView):
    """`/me/threads/<id>/read/`."""

    @described("thread_read", UnreadSerializer, UptoSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Mark a thread as read. Nobody else learns of it."""
        upto = self.values(UptoSerializer)["upto"]
        threads.mark_read(self.me, own_thread(self.me, pk), upto)
        return self.unread()


class Write(MessagesView):
    """`/people/<handle>/messages/`."""

    @described("message_send", SentSerializer, SendSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Send a message to a person."""
        values = self.values(SendSerializer)
        message = messages.send_text(self.me, self._receiver(handle), values["body"], once=values["once"])
        (line,) = lines_of([message], self.me)
        return Response(SentSerializer(line).data, status=201)

    def _receiver(self, handle: str) -> User:
        """The account to write to; a closed one is found by those who have a thread with it. Raises unknown_person."""
        if found := person(handle):
            return found
        closed = User.objects.by_handle(handle, signing_up=False)
        if closed is None or thread_with(self.me, closed) is None:
            raise PeopleRefused("unknown_person")
        return closed
