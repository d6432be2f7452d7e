"""A small door: a Unix socket that speaks the door's protocol with scripted snapshots."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Any

Json = dict[str, Any]

DONE: Json = {"id": "1", "status": "done", "reason": "", "why": None}


class FakeDoor:
    """Shows `scene` to whoever asks; keeps every request and answers it with `reply`.

    Its scan goes on with each snapshot of a stream until `hang()`; `close()` hangs up on
    everybody, as the end of the controller does.
    """

    def __init__(self, path: Path, scene: Json) -> None:
        self.path = path
        self.requests: list[Json] = []
        self.reply: Json = dict(DONE)
        self._scene = scene
        self._number = 0
        self._hung = False
        self._changed = threading.Condition()
        self._closed = False
        self._lines: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def show(self, scene: Json) -> None:
        with self._changed:
            self._scene = scene
            self._changed.notify_all()

    def hang(self) -> None:
        """The scan stands still while the door goes on answering."""
        self._hung = True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for line in [self._listener, *self._lines]:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._closed:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), line, line.makefile("rb") as questions:
            question = json.loads(questions.readline())
            match question["ask"]:
                case "state":
                    self._send(line, {"state": self._snapshot()})
                case "stream":
                    self._stream(line)
                case "request":
                    self.requests.append(question)
                    self._send(line, {"reply": self.reply})
                case other:
                    self._send(line, {"error": f"unknown question {other!r}"})

    def _stream(self, line: socket.socket) -> None:
        while not self._closed:
            self._send(line, {"state": self._snapshot()})
            with self._changed:
                self._changed.wait(0.5)

    def _snapshot(self) -> Json:
        if not self._hung:
            self._number += 1
        scan = {"number": self._number, "at": "2026-03-02T04:05:06.789Z", "age_s": 0.1}
        return {**self._scene, "scan": scan}

    @staticmethod
    def _send(line: socket.socket, answer: Json) -> None:
        line.sendall(json.dumps(answer).encode() + b"\n")
