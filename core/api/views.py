"""Bases of the API's views."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar, NoReturn, TypeVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from core.api.errors import ErrorSerializer
from core.refusals import Refused

F = TypeVar("F", bound=Callable[..., Any])
REFUSED = {
    status: OpenApiResponse(ErrorSerializer, description="Refused; the code says why.")
    for status in (400, 401, 403, 404, 409, 410, 429)
}


def described(
    operation: str,
    answer: Any,
    request: Any = None,
    *,
    tag: str,
    status: int = 200,
    description: str | None = None,
    parameters: Collection[Any] = (),
) -> Callable[[F], F]:
    """Describe an operation in the schema: its name, what goes in, what comes out, and how it refuses."""
    return extend_schema(
        operation_id=operation,
        request=request,
        parameters=list(parameters),
        responses={status: answer, **REFUSED},
        tags=[tag],
        description=description,
    )


class ApiView(APIView):
    """A view whose refusals are those of its app (`refused`), which has the codes not_signed_in and not_allowed."""

    refused: ClassVar[type[Refused]]

    @property
    def me(self) -> Any:
        """The account that asks."""
        return self.request.user

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """Say that one is not signed in; the framework would answer a bare 403."""
        raise self.refused("not_allowed" if request.user.is_authenticated else "not_signed_in")

    def values(self, shape: type[Serializer[Any]], data: Any = None) -> dict[str, Any]:
        """The request's body, or `data`, checked for form. Raises ValidationError."""
        parsed = shape(data=self.request.data if data is None else data)
        parsed.is_valid(raise_exception=True)
        return cast(dict[str, Any], parsed.validated_data)
