"""/api/v1/: the own account. One view an operation; each calls one action."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import REFUSED
from people.actions import account
from people.api.serializers import ApplicationSerializer, AskSerializer, MeSerializer
from people.creators import actions
from people.creators.queries import place_in_queue
from people.models import Creator, User
from people.standing import standing_of, why_not_host


def me_of(request: Request) -> User:
    return cast(User, request.user)


def me_answer(user: User) -> Response:
    user.may_host = why_not_host(standing_of(user)) is None  # type: ignore[attr-defined]
    return Response(MeSerializer(user).data)


class Me(APIView):
    """The own account."""

    @extend_schema(operation_id="me", responses={200: MeSerializer, 401: REFUSED})
    def get(self, request: Request) -> Response:
        return me_answer(me_of(request))

    @extend_schema(
        operation_id="me_change", request=MeSerializer, responses={200: MeSerializer, 400: REFUSED, 401: REFUSED}
    )
    def patch(self, request: Request) -> Response:
        wanted = MeSerializer(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        changes: dict[str, Any] = wanted.validated_data
        return me_answer(account.update_profile(me_of(request), **changes))


class Application(APIView):
    """The request to join the creator group."""

    @extend_schema(operation_id="creators_application", responses={200: ApplicationSerializer, 401: REFUSED})
    def get(self, request: Request) -> Response:
        return self.answer(me_of(request))

    @extend_schema(
        operation_id="creators_ask",
        request=AskSerializer,
        responses={200: ApplicationSerializer, 400: REFUSED, 401: REFUSED, 409: REFUSED, 429: REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = AskSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actions.ask_for_creator(me_of(request), asked.validated_data["plan"])
        return self.answer(me_of(request))

    @extend_schema(operation_id="creators_withdraw", responses={200: ApplicationSerializer, 401: REFUSED})
    def delete(self, request: Request) -> Response:
        actions.withdraw_ask(me_of(request))
        return self.answer(me_of(request))

    def answer(self, user: User) -> Response:
        mine = Creator.objects.filter(user=user).first()
        place = place_in_queue(mine) if mine and not mine.is_member else None
        state = "none" if mine is None else "waiting" if place else "member"
        data: dict[str, Any] = {"state": state, "plan": mine.plan if mine else ""}
        data |= {"number": place.number if place else None, "of": place.of if place else None}
        return Response(ApplicationSerializer(data).data)
