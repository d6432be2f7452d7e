"""A simulated host's TLS port: its management controller, or a page that says it is up."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from simulators.keys import TLS, certificate, private_key, private_text
from simulators.powerplan import Address
from simulators.web import HEAD_END, MOST_BYTES, Request, request, response

_ANSWER_S = 30.0


class TlsServer:
    """`answer` makes the whole response of a request and its body; see `simulators.web`."""

    def __init__(
        self, host: str, address: Address, seed: str, answer: Callable[[Request, bytes], bytes]
    ) -> None:
        self.name = f"{host}: TLS on {address[0]}:{address[1]}"
        self._address = address
        self._seed = seed
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen. Raises: OSError, ImportError."""
        context = _context(self._seed, self._address[0])
        self._server = await asyncio.start_server(
            self._serve, *self._address, ssl=context, limit=MOST_BYTES
        )

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for guest in list(self._guests):
            guest.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._guests.add(writer)
        try:
            async with asyncio.timeout(_ANSWER_S):
                writer.write(await self._respond(reader))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a guest who went away, or who would not end
        finally:
            self._guests.discard(writer)
            writer.close()

    async def _respond(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(HEAD_END)
        asked = request(head.removesuffix(HEAD_END))
        if asked is None or asked.length > MOST_BYTES:
            return response(400)
        return self._answer(asked, await reader.readexactly(asked.length))


def _context(seed: str, host: str) -> ssl.SSLContext:
    """The host's own certificate. OpenSSL reads it from a file, which need not stay."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="roomwarden-tls-") as folder:
        path = Path(folder, "pem")
        path.write_bytes(
            private_text(private_key(seed, TLS), openssh=False) + certificate(seed, host)
        )
        context.load_cert_chain(path)
    return context
