"""/api/v1/: a person as others see them, follow and unfollow, block and unblock.

One view an operation; each calls one action.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import REFUSED
from people.api.views import me_of
from people.models import User
from people.queries import person
from people.refusals import PeopleRefused
from social.actions import blocks, follows
from social.api.serializers import BlocksSerializer, PersonSerializer
from social.queries import blocks_of, shown_to


def person_or_refuse(handle: str) -> User:
    """Find a person by handle. Raises PeopleRefused("unknown_person")."""
    found = person(handle)
    if found is None:
        raise PeopleRefused("unknown_person")
    return found


def person_answer(request: Request, found: User) -> Response:
    found.shown = shown_to(found, request)  # type: ignore[attr-defined]
    return Response(PersonSerializer(found).data)


class Person(APIView):
    """A person, as everybody may see them."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="person", responses={200: PersonSerializer, 404: REFUSED})
    def get(self, request: Request, handle: str) -> Response:
        return person_answer(request, person_or_refuse(handle))


class FollowPerson(APIView):
    """Follow and unfollow a person; doing either twice is the same as once."""

    @extend_schema(
        operation_id="follow",
        request=None,
        responses={200: PersonSerializer, 401: REFUSED, 404: REFUSED, 409: REFUSED, 429: REFUSED},
    )
    def post(self, request: Request, handle: str) -> Response:
        found = person_or_refuse(handle)
        follows.follow(me_of(request), found)
        return person_answer(request, found)

    @extend_schema(
        operation_id="unfollow",
        request=None,
        responses={200: PersonSerializer, 401: REFUSED, 404: REFUSED, 429: REFUSED},
    )
    def delete(self, request: Request, handle: str) -> Response:
        found = person_or_refuse(handle)
        follows.unfollow(me_of(request), found)
        return person_answer(request, found)


class BlockPerson(APIView):
    """Block and unblock a person; doing either twice is the same as once."""

    @extend_schema(
        operation_id="block",
        request=None,
        responses={200: PersonSerializer, 401: REFUSED, 404: REFUSED, 409: REFUSED, 429: REFUSED},
    )
    def post(self, request: Request, handle: str) -> Response:
        found = person_or_refuse(handle)
        blocks.block(me_of(request), found)
        return person_answer(request, found)

    @extend_schema(
        operation_id="unblock",
        request=None,
        responses={200: PersonSerializer, 401: REFUSED, 404: REFUSED, 429: REFUSED},
    )
    def delete(self, request: Request, handle: str) -> Response:
        # A closed account too: it may be opened again, and would still be blocked.
        found = User.objects.by_handle(handle, signing_up=False)
        if found is None:
            raise PeopleRefused("unknown_person")
        blocks.unblock(me_of(request), found)
        return person_answer(request, found)


class Blocks(APIView):
    """One's own blocks."""

    @extend_schema(operation_id="blocks", responses={200: BlocksSerializer, 401: REFUSED})
    def get(self, request: Request) -> Response:
        return Response(BlocksSerializer({"blocks": blocks_of(me_of(request))}).data)
