"""One connection to the broker, from its beginning to its end. The one file that knows paho.

Driven by the feed's own thread through paho's interface for outer event loops, not by paho's
thread: an error in a callback ends one connection here and is reported, where in paho's thread it
would end the feed for good without a word. A fresh paho client for each
connection, so that nothing unsent stays in its memory: what was not acknowledged is sent again
from where it is kept. And every fault of a connection attempt arrives with its text.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode

Condition = Literal["up", "down", "refused", "certificate", "off"]

# CONNACK of MQTT 5 (section 3.2.2.2), and those of 3.1.1 that paho turns into them: a malformed
# packet, a protocol error and an unsupported version are how older brokers answer version 5.
_WRONG_VERSION = (0x81, 0x82, 0x84)
_REFUSED = (0x85, 0x86, 0x87, 0x8A, 0x8C)


class LinkFailed(Exception):
    """The connection is over, or did not come about; says in which condition the feed is now."""

    def __init__(self, condition: Condition, detail: str) -> None:
        super().__init__(detail)
        self.condition: Condition = condition


class WrongVersion(LinkFailed):
    """Perhaps the broker speaks another version: it said so, hung up, or waits for more.

    An older broker may do each of these over a CONNECT of MQTT 5 (amqtt reads lengths where
    there are none, and waits).
    """


class Limits(msgspec.Struct, frozen=True):
    """How long and how much. All times are real seconds, whatever the room's pace.

    `connect_s`: for the connection and for the broker's answer to it. `keepalive_s`: a silent
    line is asked after that long. `answer_s`: how long what was sent may go without an answer
    before the broker counts as hung. `back_off_s`: the pause between two tries, at first and at
    most; a returned broker is reached within 5 s (contract 5). `refused_s`: the longest pause
    while the broker refuses us. `window`: the most messages that may wait for their answer.
    """

    connect_s: float = 5.0
    keepalive_s: int = 30
    answer_s: float = 20.0
    back_off_s: tuple[float, float] = (1.0, 4.0)
    refused_s: float = 30.0
    window: int = 200


class Broker(msgspec.Struct, frozen=True):
    """Where the broker is and how to get in. `tls`: None for a plain connection."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


class Link:
    """A connection that stands: made by `connected`. Used by one thread only."""

    def __init__(
        self, broker: Broker, will: tuple[str, bytes], limits: Limits, *, older: bool
    ) -> None:
        self.is_older = older
        self._limits = limits
        self._window = limits.window
        self._unanswered: set[int] = set()
        self._answered: list[int] = []
        self._heard_s = 0.0
        self._ended: LinkFailed | None = None
        self._connack: Any = None
        self._noted = ""
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=mqtt.MQTTv311 if older else mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = limits.connect_s
        client.max_inflight_messages = client.max_queued_messages = 2 * limits.window
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_log = self._on_log
        client.on_socket_open = _send_at_once
        client.will_set(will[0], will[1], qos=1, retain=True)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        self._poll = select.poll()

    def room_for(self, *, qos: int, spare: float = 0.0) -> bool:
        """Whether a message may be sent now; `spare`: the part of the window to leave free.

        Nothing is handed to paho while the socket is full, for its queue has no bound.
        """
        if self._client.want_write() or self._ended is not None:
            return False
        return qos == 0 or len(self._unanswered) < max(1, int(self._window * (1 - spare)))

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> int:
        """Send a message; returns its number, under which `turn` tells of the answer."""
        if not self._unanswered:
            self._heard_s = time.monotonic()
        sent = self._client.publish(topic, payload, qos, retain)
        if sent.rc is MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise LinkFailed("down", "message numbers ran out")
        if qos:
            self._unanswered.add(sent.mid)
        return sent.mid

    def turn(self, bell: int, timeout_s: float) -> list[int]:
        """Wait for the broker or the `bell` (an eventfd); returns the messages now answered.

        Raises: LinkFailed once the connection is over.
        """
        sock = self._client.socket()
        if sock is None or self._ended is not None:
            raise self._ended or LinkFailed("down", "the connection is lost")
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            timeout_s = 0.0
        writing = select.POLLOUT if self._client.want_write() else 0
        self._poll.register(sock.fileno(), select.POLLIN | writing)
        self._poll.register(bell, select.POLLIN)
        ready: Mapping[int, int] = dict(self._poll.poll(max(0.0, timeout_s) * 1000))
        if bell in ready:
            os.eventfd_read(bell)
        if ready.get(sock.fileno(), 0) & ~select.POLLOUT or timeout_s == 0.0:
            self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()
        if self._ended is not None:
            raise self._ended
        if self._unanswered and time.monotonic() - self._heard_s > self._limits.answer_s:
            raise LinkFailed("down", f"no answer for {self._limits.answer_s:g} s")
        answered, self._answered = self._answered, []
        return answered

    @property
    def unanswered(self) -> int:
        return len(self._unanswered)

    def close(self) -> None:
        """Take leave, so that the broker does not send the will."""
        if self._ended is None:
            self._client.disconnect()

    def drop(self) -> None:
        """Let go of the socket."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def open(self, broker: Broker, bell: int) -> None:
        """Connect and wait for the broker's answer. Raises: LinkFailed, of it WrongVersion."""
        try:
            self._client.connect(broker.host, broker.port, self._limits.keepalive_s)
        except ssl.SSLError as error:
            raise LinkFailed("certificate", _text(error)) from error
        except (OSError, UnicodeError) as error:  # a host name may be no name at all
            raise LinkFailed("down", f"{broker.host}:{broker.port}: {_text(error)}") from error
        end_s = time.monotonic() + self._limits.connect_s
        while self._connack is None:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise WrongVersion("down", "the broker does not answer")
            try:
                self.turn(bell, left_s)
            except LinkFailed as failed:
                if self._connack is None:
                    kind = WrongVersion if failed.condition == "down" else LinkFailed
                    raise kind(failed.condition, str(failed)) from None
        code = self._connack
        if code.value in _WRONG_VERSION:
            raise WrongVersion("refused", str(code))
        if code.is_failure:
            raise LinkFailed("refused" if code.value in _REFUSED else "down", str(code))

    def _on_connect(self, _c: object, _u: object, _f: object, code: Any, properties: Any) -> None:
        self._connack = code
        self._window = min(self._window, getattr(properties, "ReceiveMaximum", self._window))

    def _on_disconnect(self, _c: object, _u: object, flags: Any, code: Any, _p: object) -> None:
        detail = str(code) if flags.is_disconnect_packet_from_server else self._noted
        before = self._connack is None
        condition: Condition = "certificate" if before and "[SSL" in detail else "down"
        self._ended = LinkFailed(condition, detail or "the connection is lost")

    def _on_publish(self, _c: object, _u: object, mid: int, code: Any, _p: object) -> None:
        if mid not in self._unanswered:
            return  # of QoS 0, which has no answer
        if code.is_failure:
            self._ended = LinkFailed("refused", f"a message was refused: {code}")
            return
        self._heard_s = time.monotonic()
        self._unanswered.discard(mid)
        self._answered.append(mid)

    def _on_log(self, _c: object, _u: object, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._noted = text.removeprefix("failed to receive on socket: ")


def connected(
    broker: Broker, will: tuple[str, bytes], limits: Limits, bell: int, *, older: bool
) -> Link:
    """Return a connection in MQTT 5, or in 3.1.1 where the broker does not speak that.

    `older`: begin with 3.1.1, for the last connection was of it. Raises: LinkFailed.
    """
    try:
        return _connected(Link(broker, will, limits, older=older), broker, bell)
    except WrongVersion:
        return _connected(Link(broker, will, limits, older=not older), broker, bell)


def _connected(link: Link, broker: Broker, bell: int) -> Link:
    try:
        link.open(broker, bell)
    except LinkFailed:
        link.drop()
        raise
    return link


def _send_at_once(_client: object, _userdata: object, sock: Any) -> None:
    # With Nagle's algorithm each message at QoS 1 waits for the peer's delayed ACK: 44 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _text(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
