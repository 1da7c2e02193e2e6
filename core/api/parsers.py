"""The parser of request bodies of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from core import plain_json

MOST_BYTES = 256 * 1024  # our longest text has a few thousand letters


class PlainJSONParser(JSONParser):
    """Parser of UTF-8 JSON that is short and plain (`core/plain_json.py`); anything else is a 400 in the usual
    shape."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MOST_BYTES + 1)
        try:
            if len(body) > MOST_BYTES:
                raise plain_json.NotPlain("too long")
            return plain_json.load(body.decode())
        except ValueError as error:  # UnicodeDecodeError is one, NotPlain too
            raise ParseError(_("Something in what was sent is not right.")) from error
