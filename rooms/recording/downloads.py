"""How many downloads one client has open at once. Where nginx sends the file, nginx counts (`deploy/nginx`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from people import quotas
from people.addresses import address_of_request, counted_as
from rooms.refusals import RoomRefused

OF_PERSON = quotas.Quota("downloads", "DOWNLOADS_PER_PERSON")
OF_ADDRESS = quotas.Quota("downloads", "DOWNLOADS_PER_ADDRESS")


def counted(request: HttpRequest, response: HttpResponseBase, user_pk: int | None) -> HttpResponseBase:
    """The response, counted for the person whom its link was given to, or for the address; 429 where it is too many."""
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
    response.streaming_content = _kept(lease, cast(AsyncIterator[bytes], response.streaming_content))
    return response


async def _kept(lease: quotas.Lease, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes; the lease lasts as long as they do. One whose bytes were never asked for runs out by itself."""
    lease.keep()
    try:
        async for data in source:
            yield data
    finally:
        lease.release()
