"""The one shape of every error of the API: {"error": {"code", "text", "fields"?}}.

Refusals of actions have their code and text from their app's table; errors that Django REST framework raises itself get
a code too.
"""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.refusals import Refused, as_error

# HTTP status → code, for what the framework refuses before an action is called.
CODES = {
    400: "bad_value",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "not_available",
    406: "not_acceptable",
    415: "bad_format",
    429: "too_fast",
}


def sentences(detail: Any) -> str:
    """Join the texts that the framework nests in lists and objects into one."""
    if isinstance(detail, dict):
        return " ".join(f"{name}: {sentences(value)}" for name, value in detail.items())
    if isinstance(detail, list | tuple):
        return " ".join(sentences(value) for value in detail)
    return str(detail)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into a response (DRF's EXCEPTION_HANDLER). None for an unexpected one, which becomes a 500."""
    if isinstance(error, Refused):
        set_rollback()
        answer = Response({"error": as_error(error.code, error.text, error.fields, error.more)}, status=error.status)
        if error.wait:
            answer["Retry-After"] = str(max(1, round(error.wait)))
        return answer
    if isinstance(error, ValidationError):
        error = exceptions.ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    elif isinstance(error, Http404):
        error = exceptions.NotFound(*error.args)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    return framework_answer(error)


def framework_answer(error: exceptions.APIException) -> Response:
    """Build the response for an exception of Django REST framework."""
    fields = None
    text = sentences(error.detail)
    if isinstance(error, exceptions.ValidationError) and isinstance(error.detail, dict):
        fields = {name: sentences(value) for name, value in error.detail.items()}
        text = _("Something in what was sent is not right.")
    code = CODES.get(error.status_code, "refused")
    answer = Response({"error": as_error(code, text, fields)}, status=error.status_code)
    if header := getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = header
    return answer


class ErrorDetailSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="What a program decides on; does not change with the language.")
    text = serializers.CharField(help_text="A sentence for people, in the language of the request.")
    fields = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
    follow = serializers.CharField(
        required=False, help_text="A handle, at the door of a room: it may be open to people who follow its host."
    )


class ErrorSerializer(serializers.Serializer[Any]):
    """The body of every refusal."""

    error = ErrorDetailSerializer()


REFUSED = OpenApiResponse(ErrorSerializer, description="Refused; the code says why.")
