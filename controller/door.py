"""The door: the controller's local socket, JSON lines. File permissions decide who may.

Any bytes may arrive here; each line gets an answer or an error, and never more than the guard's
own thread time. A stream is told at most five times a second, and at least once a second.
"""

from __future__ import annotations

import contextlib
import grp
import logging
import os
import pwd
import queue
import select
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from controller.core.request import Answer, Origin, Request, Role, Status
from controller.guard import Guard
from controller.journal.journal import Journal
from controller.plain import reason_object, sentence

log = logging.getLogger(__name__)

MAX_LINE = 65_536
MAX_CLIENTS = 48
_STREAM_S = (0.2, 1.0)
_ANSWER_S = 5.0
_IDLE_S = 120.0
_SEND_S = 5.0
"""Whoever reads nothing for so long is let go: a slow client holds one of the few places."""

_PAGE = 500

_PERSON_ORIGINS = (Origin.LOCAL_SCREEN, Origin.NETWORK_PANEL, Origin.DOOR)


class _As(msgspec.Struct, frozen=True):
    actor: str = ""
    role: Role = Role.NOBODY
    origin: Origin = Origin.DOOR


class _Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ask: str
    action: str = ""
    args: dict[str, str] = {}
    id: str | None = None
    wait: bool = False
    since: Annotated[int, msgspec.Meta(ge=0, le=2**62)] | str | None = None
    follow: bool = False
    on_behalf: _As | None = msgspec.field(default=None, name="as")


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end, by the kernel's word."""

    uid: int
    gid: int
    name: str
    in_root_group: bool
    is_ours: bool


class Door:
    """Serves `socket_path`. `snapshot` makes the state; `group` may use the socket, else only
    the owner. Raises: OSError when the socket cannot be made."""

    def __init__(
        self,
        socket_path: Path,
        guard: Guard,
        journal: Journal,
        snapshot: Callable[[], dict[str, Any]],
        locale: str,
        group: str = "roomwarden",
    ) -> None:
        self._path = socket_path
        self._guard = guard
        self._journal = journal
        self._snapshot = snapshot
        self._locale = locale
        self._slots = threading.BoundedSemaphore(MAX_CLIENTS)
        self._encoded: tuple[int, float, bytes] = (-1, 0.0, b"")
        self._encoding = threading.Lock()
        socket_path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(socket_path))
        os.chmod(socket_path, 0o660)
        with contextlib.suppress(KeyError, PermissionError):
            os.chown(socket_path, -1, grp.getgrnam(group).gr_gid)
        self._listener.listen(MAX_CLIENTS)
        self._listener.settimeout(1.0)

    def serve(self, stop: threading.Event) -> None:
        """Accept until `stop`; a thread for each client, of which there are not too many."""
        while not stop.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            if stop.is_set():
                client.close()
                return
            if not self._slots.acquire(blocking=False):
                with contextlib.suppress(OSError):
                    client.send(b'{"error":"too many clients"}\n')
                client.close()
                continue
            thread = threading.Thread(
                target=self._client, args=(client, stop), name="door-client", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # no more threads: the place is not lost with this client
                client.close()
                self._slots.release()
                raise

    def wake(self) -> None:
        """End the waiting for clients; call it once `stop` is set."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
            caller.setblocking(False)
            caller.connect(str(self._path))

    def close(self) -> None:
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _client(self, client: socket.socket, stop: threading.Event) -> None:
        try:
            with client:
                peer = _peer(client)
                try:
                    for line in _lines(client):
                        for reply in self._answer(line, peer, stop):
                            if reply:
                                _send(client, reply)
                            elif _hung_up(client):
                                return
                except OSError:
                    pass
                except Exception as error:
                    log.exception("a client of the door could not be served")
                    told = f"{type(error).__name__}: {error}"
                    self._guard.thread_failed("door-client", told)
                    _send(client, _error("this could not be answered; the log says why"))
        except OSError:
            pass
        finally:
            self._slots.release()

    def _answer(self, line: bytes, peer: Peer, stop: threading.Event) -> Iterator[bytes]:
        """Yield the replies to one line; an empty one only asks if the client is still there."""
        try:
            asked = msgspec.json.decode(line, type=_Ask)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            yield _error(str(error))
            return
        match asked.ask:
            case "state":
                yield b'{"state":' + self._state() + b"}"
            case "stream":
                yield from self._stream(stop)
            case "events":
                yield from self._events(asked, stop)
            case "request":
                yield from self._request(asked, peer, stop)
            case _:
                yield _error('ask: "state", "stream", "events" or "request"')

    def _state(self) -> bytes:
        """The snapshot of the newest scan, encoded once for all who ask in the same moment."""
        published = self._guard.published
        number = -1 if published is None else published.number
        with self._encoding:
            known, at_s, encoded = self._encoded
            if number != known or time.monotonic() - at_s > _STREAM_S[0]:
                encoded = msgspec.json.encode(self._snapshot())
                self._encoded = (number, time.monotonic(), encoded)
        return encoded

    def _stream(self, stop: threading.Event) -> Iterator[bytes]:
        told = -1
        told_s = 0.0
        while not stop.is_set():
            published = self._guard.published
            number = -1 if published is None else published.number
            if number != told or time.monotonic() - told_s >= _STREAM_S[1]:
                told, told_s = number, time.monotonic()
                yield b'{"state":' + self._state() + b"}"
            stop.wait(_STREAM_S[0])

    def _events(self, asked: _Ask, stop: threading.Event) -> Iterator[bytes]:
        try:
            after = self._after(asked.since)
        except (ValueError, OverflowError) as error:
            yield _error(f"since: {error}")
            return
        while True:
            # What was decided before this was asked belongs to the answer.
            published = self._guard.published
            if published is not None:
                self._journal.wait_recorded(published.seq, 1.0)
            found = self._journal.find_after(after, _PAGE)
            for event in found.events:
                yield b'{"event":' + msgspec.json.encode(event) + b"}"
            after = after if found.last is None else found.last
            if found.met == _PAGE:
                continue
            if not asked.follow or stop.is_set():
                yield b'{"end":true}'
                return
            yield b""
            stop.wait(_STREAM_S[0])

    def _after(self, since: int | str | None) -> int:
        """Return the number after which to begin. Raises: ValueError, OverflowError."""
        if since is None:
            return 0
        if isinstance(since, int):
            return since - 1
        at = datetime.fromisoformat(since)
        if at.tzinfo is None:
            raise ValueError(f"{since}: a time with its offset expected")
        return self._journal.seq_before(at.timestamp())

    def _request(self, asked: _Ask, peer: Peer, stop: threading.Event) -> Iterator[bytes]:
        who = asked.on_behalf
        if who is not None and not peer.is_ours:
            yield _error("only the panel speaks for somebody else")
            return
        if who is not None and who.origin not in _PERSON_ORIGINS:
            yield _error(f"as.origin: not {who.origin.value}")
            return
        if len(asked.action) > 64 or sum(len(k) + len(v) for k, v in asked.args.items()) > 4096:
            yield _error("the request is too long")
            return
        id = asked.id or str(uuid.uuid4())
        if len(id) > 64:
            yield _error("id: 64 characters at most")
            return
        request = Request(
            id,
            asked.action,
            asked.args,
            actor=who.actor if who and who.actor else peer.name,
            role=who.role if who else Role.OPERATE,
            origin=who.origin if who else Origin.DOOR,
            privileged=peer.in_root_group and who is None,
            repeated=bool(asked.id) and self._journal.seen_request(id),
        )
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        answered = answers.put
        self._guard.ask(request, answered)
        try:
            yield from self._replies(id, answers, asked.wait, stop)
        finally:
            self._guard.forget(id, answered)

    def _replies(
        self,
        id: str,
        answers: queue.SimpleQueue[Answer],
        wait: bool,
        stop: threading.Event,
    ) -> Iterator[bytes]:
        until_s = time.monotonic() + _ANSWER_S
        while not stop.is_set():
            try:
                answer = answers.get(timeout=_STREAM_S[0])
            except queue.Empty:
                if time.monotonic() < until_s:
                    yield b""
                    continue
                yield _error("no answer in time")
                return
            yield msgspec.json.encode({"reply": self._reply(answer)})
            if not wait or answer.status is not Status.ACCEPTED:
                return
            until_s = float("inf")

    def _reply(self, answer: Answer) -> dict[str, Any]:
        reason = answer.reason
        return {
            "id": answer.id,
            "status": answer.status.value,
            "reason": None if reason is None else sentence(self._locale, reason),
            "why": None if reason is None else reason_object(reason),
        }


def _peer(client: socket.socket) -> Peer:
    raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, gid = struct.unpack("3i", raw)
    groups = {gid}
    name = str(uid)
    with contextlib.suppress(KeyError, OSError):
        entry = pwd.getpwuid(uid)
        name = entry.pw_name
        groups |= set(os.getgrouplist(entry.pw_name, entry.pw_gid))
    ours = uid in (0, os.geteuid())
    return Peer(uid, gid, name, uid == 0 or 0 in groups, ours)


def _lines(client: socket.socket) -> Iterator[bytes]:
    """Yield whole lines; whoever sends a line without an end is let go. Raises: OSError."""
    rest = b""
    while True:
        client.settimeout(_IDLE_S)
        chunk = client.recv(MAX_LINE)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in (*lines, rest):
            if len(line) > MAX_LINE:
                _send(client, _error(f"a line has {MAX_LINE} bytes at most"))
                return
        yield from lines


def _send(client: socket.socket, reply: bytes) -> None:
    """Send one line. Raises: OSError, also when the client does not take it in time."""
    client.settimeout(_SEND_S)
    client.sendall(reply + b"\n")


def _hung_up(client: socket.socket) -> bool:
    """Whether the other end is closed, while nothing is being read from it or sent to it."""
    poll = select.poll()
    poll.register(client, 0)
    return bool(poll.poll(0))


def _error(text: str) -> bytes:
    return msgspec.json.encode({"error": text})
