"""What of the simulated network needs asyncio: SSH and TLS, on one thread beside the world's loop.

The world's loop says which servers listen; what they are told goes back to it as calls.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Protocol

log = logging.getLogger(__name__)

_END_S = 5.0


class AsideServer(Protocol):
    """A server on the asyncio loop. `name` is told when it cannot be opened."""

    name: str

    async def open(self) -> None:
        """Listen. Raises: OSError; ImportError without the extra `demo`; ValueError."""
        ...

    def close(self) -> None:
        """Close the listener and every connection; also when it is not open."""
        ...


class Aside:
    """The thread; `want` and `close` are for the world's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._wanted: frozenset[AsideServer] = frozenset()
        self._open: set[AsideServer] = set()
        self._told: set[AsideServer] = set()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="aside", daemon=True)
        self._thread.start()

    def want(self, wanted: frozenset[AsideServer]) -> None:
        """Have exactly these servers listen. Called again it tries again what could not."""
        if not self._ending:
            self._loop.call_soon_threadsafe(self._set, wanted)

    def close(self) -> None:
        """Close every server and end the thread."""
        self._ending = True
        self._loop.call_soon_threadsafe(self._set, frozenset())
        self._thread.join(_END_S)

    def _set(self, wanted: frozenset[AsideServer]) -> None:
        self._wanted = wanted
        self._changed.set()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._follow())
        except Exception:
            log.exception("the simulated SSH and TLS servers have ended")
        finally:
            self._loop.close()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            for server in self._open - self._wanted:
                server.close()
                self._open.discard(server)
            for server in self._wanted - self._open:
                await self._try(server)
            if self._ending:
                await asyncio.sleep(0)  # closed connections end their tasks
                return

    async def _try(self, server: AsideServer) -> None:
        try:
            await server.open()
        except (OSError, ImportError, ValueError) as error:
            if server not in self._told:
                self._told.add(server)
                log.warning("%s: %s", server.name, error)
        else:
            self._open.add(server)
            self._told.discard(server)
