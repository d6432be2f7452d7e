"""Waitress around the panel.

Settings measured on the board's kind of load: looking one request ahead notices closed tabs at
once; small buffers and TCP_USER_TIMEOUT keep a stalled reader from holding memory; nothing is
ever spooled to the card. Each viewer of the stream takes a thread.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_USER_TIMEOUT

import msgspec
from flask import Flask
from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import (  # type: ignore[import-untyped]
    MultiSocketServer,
    TcpWSGIServer,
    create_server,
)
from waitress.task import ErrorTask  # type: ignore[import-untyped]

from web.hub import Hub
from web.problem import TYPE

SPARE_THREADS = 8  # beside the viewers, for everything else
STALLED_MS = 5000
_TOO_LARGE = 1 << 18  # above it waitress itself refuses; below, the application does


class _ProblemTask(ErrorTask):  # type: ignore[misc]
    """What waitress refuses before the application sees it, as problem JSON too."""

    def execute(self) -> None:
        error = self.request.error
        problem = {"status": error.code, "title": error.reason, "detail": str(error.body)}
        content = msgspec.json.encode(problem)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", TYPE))
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _ProblemTask


class PanelServer:
    """A running panel. Binds when built. Raises: OSError when the address is taken."""

    def __init__(self, app: Flask, host: str, port: int, viewers: int = 20) -> None:
        self._hub: Hub = app.extensions["hub"]
        self._sockets: dict[int, object] = {}
        server = create_server(
            app,
            map=self._sockets,
            host=host,
            port=port,
            threads=viewers + SPARE_THREADS,
            channel_request_lookahead=1,
            outbuf_high_watermark=1 << 16,
            outbuf_overflow=1 << 22,
            inbuf_overflow=1 << 20,
            max_request_header_size=1 << 15,
            max_request_body_size=_TOO_LARGE,
            connection_limit=viewers * 4 + 40,
            channel_timeout=30,
            cleanup_interval=10,
            ident="",
            # Left in: a forwarded request must be seen as one, never taken for a local one.
            clear_untrusted_proxy_headers=False,
        )
        assert not isinstance(server, MultiSocketServer), "one address, one socket"
        server.channel_class = _Channel
        server.adj.socket_options.append((IPPROTO_TCP, TCP_USER_TIMEOUT, STALLED_MS))
        self._server: TcpWSGIServer = server
        self._thread = threading.Thread(target=self._run, name="waitress", daemon=True)
        self._stop = threading.Event()

    @property
    def port(self) -> int:
        return int(self._server.effective_port)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the viewers go and end, within some seconds."""
        self._hub.stop()
        self._server.task_dispatcher.shutdown(timeout=2)
        self._stop.set()
        with suppress(OSError):  # its loop ended by itself just now
            self._server.pull_trigger()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        """Serve until the stop: waitress's own loop ends by an exception only, and closing its
        sockets from another thread would take them from under it."""
        while not self._stop.is_set():
            wasyncore.loop(
                timeout=self._server.adj.asyncore_loop_timeout,
                use_poll=self._server.adj.asyncore_use_poll,
                map=self._sockets,
                count=1,
            )
        wasyncore.close_all(self._sockets)
