"""Static files with one change of thread each. Django takes six.

In production nginx sends them (`deploy/nginx`); this is for a site without it.
"""

from __future__ import annotations

import io
from asyncio import to_thread
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from config.fair import Handler, Receive, Send
from config.headers import add_headers

CHUNK = 64 * 1024  # bytes sent at once; the next follow when the reader has taken them


class StaticHandler(Handler):
    """Django's handler, which answers for collected static files by itself, with what its middleware would answer."""

    def __init__(self) -> None:
        super().__init__()
        self.whitenoise = WhiteNoiseMiddleware(settings=settings)
        self.security = SecurityMiddleware(lambda _request: HttpResponse())

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        file = self.whitenoise.files.get(scope["path"])
        request, _refusal = self.create_request(scope, io.BytesIO()) if file is not None else (None, None)
        if file is None or request is None:
            await super().__call__(scope, receive, send)
            return
        response, body = await to_thread(self._answer, file, request)
        headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        for start in range(0, max(len(body), 1), CHUNK):
            end = start + CHUNK
            await send({"type": "http.response.body", "body": body[start:end], "more_body": end < len(body)})

    def _answer(self, file: StaticFile, request: ASGIRequest) -> tuple[HttpResponseBase, bytes]:
        """Headers and bytes of the answer to a request for a file."""
        response = self.security.process_request(request)
        if response is None:
            response = self.whitenoise.serve(file, request)
        add_headers(request, self.security.process_response(request, response))
        try:
            return response, b"".join(response)
        finally:
            response.close()
