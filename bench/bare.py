"""A bare `websockets` server to compare ours with: it greets every socket and broadcasts every message it gets.

    python bench/bare.py PORT GREETING_FILE

Sockets on `/source` are not in the audience. No compression, as ours; otherwise the library's defaults.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(port: int, greeting: str) -> None:
    audience: set[ServerConnection] = set()

    async def handle(socket: ServerConnection) -> None:
        source = socket.request is not None and socket.request.path == "/source"
        if not source:
            await socket.send(greeting)
            audience.add(socket)
        try:
            async for text in socket:
                broadcast(audience, text)
        finally:
            audience.discard(socket)

    async with serve(handle, "127.0.0.1", port, compression=None, backlog=1024) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_text() or "hello"))
