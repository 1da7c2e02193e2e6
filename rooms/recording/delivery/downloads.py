"""Limit the downloads that a client has open, and stop those whose right ends while bytes are sent.

Where nginx sends the file, nginx counts (`deploy/nginx`); there an ended right refuses the next request or range.
"""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable
from typing import cast

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from core import quotas
from core.client_address import address_of_request, counted_as
from core.threads import in_thread
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0  # seconds between two checks of the right to a download
OF_PERSON = quotas.Quota("downloads", "DOWNLOADS_PER_PERSON")
OF_ADDRESS = quotas.Quota("downloads", "DOWNLOADS_PER_ADDRESS")


def limited(
    request: HttpRequest,
    response: HttpResponseBase,
    user_pk: int | None,
    still: Callable[[], bool],
    *,
    by_address: bool = False,
) -> HttpResponseBase:
    """Count a response for the person to whom its link was given, or for the address; for both with `by_address`. 429
    where too many are open.

    `still` returns whether the right to it still exists; it is called every CHECK_SECONDS while bytes are sent.
    """
    if not isinstance(response, StreamingHttpResponse):
        return response
    wanted: list[tuple[quotas.Quota, str]] = []
    if user_pk is not None:
        wanted.append((OF_PERSON, quotas.person_key(user_pk)))
    if user_pk is None or by_address:
        wanted.append((OF_ADDRESS, counted_as(address_of_request(request))))
    leases = quotas.take_all(wanted)
    if leases is None:
        refused = RoomRefused("too_many")
        return HttpResponse(
            refused.text,
            status=refused.status,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": "10", "Cache-Control": "no-store"},
        )
    # Not `streaming_content`: reading that wraps the bytes in a function that holds the response, which would then be
    # part of a cycle of references, and be there until the garbage collector comes by.
    source = _allowed(still, cast(AsyncIterator[bytes], response._iterator))  # type: ignore[attr-defined]
    response.streaming_content = _Content(leases, source)
    return response


class _Content:
    """The bytes of a response that holds leases. They are given back after the last byte, when the server closes the
    response, and when the response is dropped unread because the client left before it was made.

    Where the client hangs up later, Django's handler keeps the response in a cycle of references (the exception of the
    disconnect holds the frame that holds its task), so nothing is dropped until the garbage collector comes by; but the
    handler closes the response.
    """

    def __init__(self, leases: list[quotas.Lease], source: AsyncIterator[bytes]) -> None:
        self._leases = leases
        self._source = source
        weakref.finalize(self, quotas.release_all, leases).atexit = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _kept(self._leases, self._source)

    def close(self) -> None:
        """Give the leases back; Django calls it with the response's own `close`."""
        quotas.release_all(self._leases)


async def _allowed(still: Callable[[], bool], source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass bytes on while the right to them exists; while the database is away it counts as existing.

    The server cuts the connection of a response that ends early (`config.serving`), so the client sees the failure.
    """
    checked_at = time.monotonic()
    async for data in source:
        if time.monotonic() - checked_at >= CHECK_SECONDS:
            checked_at = time.monotonic()
            try:
                if not await in_thread(still):
                    log.info("a download ends: the right to it has ended")
                    return
            except DatabaseError as error:
                log.warning("rights are not known: %s", type(error).__name__)
        yield data


async def _kept(leases: list[quotas.Lease], source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass bytes on and release the leases after the last."""
    for lease in leases:
        lease.keep()
    try:
        async for data in source:
            yield data
    finally:
        quotas.release_all(leases)
