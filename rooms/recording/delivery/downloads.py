"""Downloads that are being sent: how many one client has open, and whether each may go on.

Where nginx sends the file, nginx counts (`deploy/nginx`); there a right that ends refuses the next request or range.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import cast

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from core import quotas
from core.client_address import address_of_request, counted_as
from core.threads import in_thread
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)

ASKED_EVERY = 1.0  # seconds between two questions whether a download may go on
OF_PERSON = quotas.Quota("downloads", "DOWNLOADS_PER_PERSON")
OF_ADDRESS = quotas.Quota("downloads", "DOWNLOADS_PER_ADDRESS")


def counted(
    request: HttpRequest, response: HttpResponseBase, user_pk: int | None, still: Callable[[], bool]
) -> HttpResponseBase:
    """The response, counted for the person whom its link was given to, or for the address; 429 where it is too many.

    `still` says whether the right to it is there; it is asked again and again while bytes are sent.
    """
    if not isinstance(response, StreamingHttpResponse):
        return response
    if user_pk is None:
        lease = quotas.take(OF_ADDRESS, counted_as(address_of_request(request)))
    else:
        lease = quotas.take(OF_PERSON, quotas.person(user_pk))
    if lease is None:
        refused = RoomRefused("too_many")
        return HttpResponse(
            refused.text,
            status=refused.status,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": "10", "Cache-Control": "no-store"},
        )
    source = _allowed(still, cast(AsyncIterator[bytes], response.streaming_content))
    response.streaming_content = _kept(lease, source)
    return response


async def _allowed(still: Callable[[], bool], source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, for as long as the right to them is there. Without the database it counts as there.

    What ends early is cut by the server (`config.serving`): a part is never taken for the whole.
    """
    asked = time.monotonic()
    async for data in source:
        if time.monotonic() - asked >= ASKED_EVERY:
            asked = time.monotonic()
            try:
                if not await in_thread(still):
                    log.info("a download ends: the right to it has ended")
                    return
            except DatabaseError as error:
                log.warning("rights are not known: %s", type(error).__name__)
        yield data


async def _kept(lease: quotas.Lease, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes; the lease lasts as long as they do. One whose bytes were never asked for runs out by itself."""
    lease.keep()
    try:
        async for data in source:
            yield data
    finally:
        lease.release()
