"""One connection to the broker, from its beginning to its end. The one file that knows paho.

Driven by the feed's own thread through paho's interface for outer event loops, not by paho's
thread: an error in a callback ends one connection here and is reported, where in paho's thread it
would end the feed for good without a word. A fresh paho client for each
connection, so that nothing unsent stays in its memory: what was not acknowledged is sent again
from where it is kept. And every fault of a connection attempt arrives with its text.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt import properties as paho_properties
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode
from paho.mqtt.exception import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from controller.feed.broker import Broker, Condition, Limits, LinkFailed, Received, WrongVersion

log = logging.getLogger(__name__)

# CONNACK of MQTT 5 (section 3.2.2.2), and those of 3.1.1 that paho turns into them: a malformed
# packet, a protocol error and an unsupported version are how older brokers answer version 5.
_WRONG_VERSION = (0x81, 0x82, 0x84)
_REFUSED = (0x85, 0x86, 0x87, 0x8A, 0x8C)

_KEEP_ALIVE_TIMEOUT = 0x8D

_SOON_S = 1.0
"""How long a broker may take to answer in MQTT 5 that answers in 3.1.1; one that is slow in that,
too, may take twice as long as then."""

_FORGOTTEN_S = 10.0
"""An answer that came late says nothing of the broker after that long."""

_AT_ONCE_BYTES = 65_536
"""What is read from the socket at a time; paho asks for all that is to come."""

# What paho lets through from bytes that are no MQTT.
_NONSENSE = (MQTTException, struct.error, ValueError, LookupError, TypeError)


def _read_text(data: bytes, most: int) -> tuple[str, int]:
    """Return a string of MQTT 5 at the beginning of `data`, and the bytes that it took.

    For paho's own reader, which takes U+FEFF for malformed: MQTT 5 says that it is to be let
    through as it is (section 1.5.4), and a broker that does so, with a retained message, would
    end every connection. Raises: MQTTException.
    """
    end = 2 + int.from_bytes(data[:2], "big")
    if most < 2 or end > most or end > len(data):
        raise MQTTException("a string is cut off")
    text = data[2:end].decode("utf-8")
    if "\0" in text:
        raise MQTTException("a null character in a string")
    return text, end


paho_properties.readUTF = _read_text


class _Client(mqtt.Client):
    """paho's client, which keeps only the beginning of a message that is too big.

    MQTT 3.1.1 has no way of telling the broker what we take, and a message may be of 256 MB. What
    is left of it is still far too big for a command: it is refused and recorded as such.
    """

    packet_bytes: int

    def _sock_recv(self, bufsize: int) -> bytes:
        del self._in_packet["packet"][self.packet_bytes :]
        return super()._sock_recv(min(bufsize, _AT_ONCE_BYTES))


class Link:
    """A connection that stands: made by `connected`. Used by one thread only."""

    def __init__(
        self, broker: Broker, will: tuple[str, bytes], limits: Limits, *, older: bool
    ) -> None:
        self.is_older = older
        self._limits = limits
        self._window = limits.window
        self._unanswered: dict[int, float] = {}  # when each was sent, oldest first
        self._dispensable: set[int] = set()
        self._answered: list[int] = []
        self._received: list[Received] = []
        self._subscribed: dict[int, Sequence[str]] = {}
        self._heard_s = 0.0
        self._took_s = 0.0
        self.deaf_to: tuple[str, ...] = ()
        self._ended: LinkFailed | None = None
        self._connack: Any = None
        self.took_s = 0.0
        self._noted = ""
        self._client = client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=mqtt.MQTTv311 if older else mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.packet_bytes = limits.packet_bytes
        client.connect_timeout = limits.connect_s
        client.max_inflight_messages = client.max_queued_messages = 2 * limits.window
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
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

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        dispensable: bool = False,
        correlation: bytes | None = None,
    ) -> int:
        """Send a message; returns its number, under which `turn` tells of the answer.

        `dispensable`: that the broker refuses it ends nothing, for its topic is somebody else's
        choice, or of before.
        """
        properties = None
        if correlation is not None and not self.is_older:
            properties = _properties(PacketTypes.PUBLISH)
            properties.CorrelationData = correlation
        sent = self._client.publish(topic, payload, qos, retain, properties)
        if sent.rc is MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise LinkFailed("down", "message numbers ran out")
        if qos:
            self._unanswered[sent.mid] = time.monotonic()
        if qos and dispensable:
            self._dispensable.add(sent.mid)
        return sent.mid

    def subscribe(self, topics: Sequence[str]) -> None:
        """Hear `topics` from now on, and what is retained there: `received`.

        MQTT 5 says of each message whether it is retained, and does not send us our own.
        """
        asked: Any = [(topic, 1) for topic in topics]
        if not self.is_older:
            options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
            asked = [(topic, options) for topic in topics]
        _, number = self._client.subscribe(asked)
        if number is not None:
            self._subscribed[number] = topics

    def received(self) -> list[Received]:
        """Take what has come since the last time."""
        received, self._received = self._received, []
        return received

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
            try:
                self._client.loop_read()
            except _NONSENSE as error:
                raise LinkFailed("down", f"the broker sent no MQTT: {error}") from error
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()
        if self._ended is not None:
            raise self._ended
        if self._waited_s > self._limits.answer_s:
            raise LinkFailed("silent", f"no answer for {self._limits.answer_s:g} s")
        answered, self._answered = self._answered, []
        return answered

    @property
    def unanswered(self) -> int:
        return len(self._unanswered)

    @property
    def late_s(self) -> float:
        """How long the broker takes: with its last answer, or so far with the next one."""
        is_news = time.monotonic() - self._heard_s < _FORGOTTEN_S
        return max(self._took_s if is_news else 0.0, self._waited_s)

    @property
    def _waited_s(self) -> float:
        """How long the oldest unanswered message waits, whatever became of those after it."""
        now_s = time.monotonic()
        return now_s - next(iter(self._unanswered.values()), now_s)

    def close(self) -> None:
        """Take leave, so that the broker does not send the will."""
        if self._ended is None:
            self._client.disconnect()

    def drop(self) -> None:
        """Let go of the socket."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def open(self, broker: Broker, bell: int, answer_s: float) -> None:
        """Connect and wait for the broker's answer. Raises: LinkFailed, of it WrongVersion."""
        try:
            self._client.connect(
                broker.host,
                broker.port,
                self._limits.keepalive_s,
                properties=self._asked_of_broker(),
            )
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            # Whoever took the connection for the broker has dropped it: nothing was judged.
            raise LinkFailed("down", f"{broker.host}:{broker.port}: {_text(error)}") from error
        except ssl.SSLError as error:
            raise LinkFailed("certificate", _text(error)) from error
        except (OSError, UnicodeError) as error:  # a host name may be no name at all
            # The two timeouts are of one type; in the handshake somebody has taken the connection.
            is_taken = isinstance(error, TimeoutError) and "handshake" in str(error)
            condition: Condition = "silent" if is_taken else "down"
            raise LinkFailed(condition, f"{broker.host}:{broker.port}: {_text(error)}") from error
        end_s = time.monotonic() + answer_s
        while self._connack is None:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise WrongVersion("silent", "the broker does not answer")
            try:
                self.turn(bell, left_s)
            except LinkFailed as failed:
                if self._connack is None:
                    hung_up = failed.condition in ("down", "silent")
                    kind = WrongVersion if hung_up else LinkFailed
                    raise kind(failed.condition, str(failed)) from None
        code = self._connack
        if code.value in _WRONG_VERSION:
            raise WrongVersion("refused", str(code))
        if code.is_failure:
            raise LinkFailed("refused" if code.value in _REFUSED else "down", str(code))

    def _asked_of_broker(self) -> Any:
        if self.is_older:
            return None
        properties = _properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = self._limits.packet_bytes
        return properties

    def _on_connect(self, _c: object, _u: object, _f: object, code: Any, properties: Any) -> None:
        self._connack = code
        self._window = min(self._window, getattr(properties, "ReceiveMaximum", self._window))

    def _on_disconnect(self, _c: object, _u: object, flags: Any, code: Any, _p: object) -> None:
        detail = str(code) if flags.is_disconnect_packet_from_server else self._noted
        before = self._connack is None
        condition: Condition = "certificate" if before and "[SSL" in detail else "down"
        if code.value == _KEEP_ALIVE_TIMEOUT and not flags.is_disconnect_packet_from_server:
            condition, detail = "silent", "the broker answers nothing"
        self._ended = LinkFailed(condition, detail or "the connection is lost")

    def _on_publish(self, _c: object, _u: object, mid: int, code: Any, _p: object) -> None:
        if mid not in self._unanswered:
            return  # of QoS 0, which has no answer
        dispensable = mid in self._dispensable
        if code.is_failure and not dispensable:
            self._ended = LinkFailed("refused", f"a message was refused: {code}")
            return
        if code.is_failure:
            log.info("the broker did not take a message: %s", code)
        self._dispensable.discard(mid)
        self._heard_s = time.monotonic()
        self._took_s = self._heard_s - self._unanswered.pop(mid)
        self._answered.append(mid)

    def _on_subscribe(self, _c: object, _u: object, mid: int, codes: Any, _p: object) -> None:
        topics = self._subscribed.pop(mid, ())
        refused = [topic for topic, code in zip(topics, codes, strict=False) if code.is_failure]
        self.deaf_to = (*self.deaf_to, *refused)

    def _on_message(self, _c: object, _u: object, message: mqtt.MQTTMessage) -> None:
        properties = message.properties
        self._received.append(
            Received(
                message.topic,
                bytes(message.payload),
                message.retain,
                getattr(properties, "ResponseTopic", None),
                getattr(properties, "CorrelationData", None),
            )
        )

    def _on_log(self, _c: object, _u: object, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._noted = text.removeprefix("failed to receive on socket: ")


def connected(
    broker: Broker,
    will: tuple[str, bytes],
    limits: Limits,
    bell: int,
    *,
    older: bool,
    took_s: float = 0.0,
) -> Link:
    """Return a connection in MQTT 5, or in 3.1.1 where the broker does not speak that.

    An older broker says so, hangs up, or waits for more. One that is slow to start does the last
    two as well: once it answers in 3.1.1 it is asked in 5 again before it counts as an older one.
    `older`: the last connection was of 3.1.1, so that 5 is only tried for a moment: it may be
    another broker by now. `took_s`: how long that one took to answer. Raises: LinkFailed.
    """

    try:
        return _in_either(broker, will, limits, bell, older, took_s)
    except LinkFailed as failed:
        # By TLS 1.3 a broker judges our certificate when for us the handshake is over: at times
        # its verdict comes, at times only the end of the connection. Told as one fault.
        hung_up = isinstance(failed, WrongVersion) and failed.condition == "down"
        if broker.certificate is None or not (hung_up or "_ALERT_" in str(failed)):
            raise
        text = f"the broker hangs up: does it trust {broker.certificate}, and is that still valid?"
        raise LinkFailed("certificate", text, soon=hung_up) from failed


def _in_either(
    broker: Broker,
    will: tuple[str, bytes],
    limits: Limits,
    bell: int,
    older: bool,
    took_s: float,
) -> Link:
    """Return a connection in either version. Raises: LinkFailed, of it WrongVersion."""

    def speaking(*, older: bool, answer_s: float) -> Link:
        link = Link(broker, will, limits, older=older)
        began_s = time.monotonic()
        try:
            link.open(broker, bell, answer_s)
        except LinkFailed:
            link.drop()
            raise
        link.took_s = time.monotonic() - began_s
        return link

    soon_s = min(limits.connect_s, max(_SOON_S, 2 * took_s))
    try:
        return speaking(older=False, answer_s=soon_s if older else limits.connect_s)
    except WrongVersion as wrong:
        is_sure = older or wrong.condition == "refused"
    link = speaking(older=True, answer_s=limits.connect_s)
    if is_sure:
        return link
    link.close()
    link.drop()
    soon_s = min(limits.connect_s, max(soon_s, 2 * link.took_s))
    try:
        return speaking(older=False, answer_s=soon_s)
    except WrongVersion:
        return speaking(older=True, answer_s=limits.connect_s)


def _send_at_once(_client: object, _userdata: object, sock: Any) -> None:
    # With Nagle's algorithm each message at QoS 1 waits for the peer's delayed ACK: 44 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _properties(packet: int) -> Any:
    return Properties(packet)  # type: ignore[no-untyped-call]


def _text(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
