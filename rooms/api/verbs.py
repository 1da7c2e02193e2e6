"""Views of the verbs that the API has, made from the table of verbs: one view a path, one method a verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from rooms.api import shapes
from rooms.api.views import RoomView, described
from rooms.live.verbs.call import Call
from rooms.live.verbs.table import VERBS
from rooms.live.verbs.verb import Rest, Verb

Method = Callable[[Any, Request, str], Response]


def urlpatterns() -> list[URLPattern]:
    """`rooms/<slug>/<path>/` for each path of the table."""
    methods: dict[str, dict[str, Any]] = {}
    for name, verb in VERBS.items():
        if verb.rest is not None:
            methods.setdefault(verb.rest.path, {})[verb.rest.method] = _method(name, verb, verb.rest)
    return [
        path(f"rooms/<slug:slug>/{where}/", _view(where, body).as_view(), name=f"api-room-{where}")
        for where, body in methods.items()
    ]


def _view(where: str, methods: dict[str, Any]) -> type[RoomView]:
    return type(f"{where.title()}View", (RoomView,), methods)


def _method(name: str, verb: Verb, rest: Rest) -> Method:
    """The method of a view that performs one verb."""
    camel = name.title().replace("_", "")
    taken = verb.args if rest.takes_arguments else {}
    request_shape = _shape(camel, {key: argument.field() for key, argument in taken.items()})
    answer_shape = None if rest.answer is None else _shape(f"{camel}Answer", {k: f() for k, f in rest.answer.items()})

    def method(self: RoomView, request: Request, slug: str) -> Response:
        if verb.limit is not None:
            self.check_pace(verb.limit)
        room = self.room(slug)
        args = {} if request_shape is None else self.values(request_shape)
        answer = verb.perform(Call(room.pk, self.who, args=args))
        return self.see(room, rest.status) if answer_shape is None else Response(answer, status=rest.status)

    text = (verb.run.__doc__ or "").partition("\n")[0]
    answer = shapes.SnapshotShape if answer_shape is None else answer_shape
    return described(f"rooms_{name}", answer, request_shape, status=rest.status, description=text)(method)


def _shape(name: str, fields: dict[str, Any]) -> Any:
    """A serializer class for the schema and for checking a body's form; None where there are no fields."""
    return type(inline_serializer(name, fields)) if fields else None
