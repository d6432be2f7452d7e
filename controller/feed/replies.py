"""Replies: where each goes, and those that wait to be sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET

from controller.core.reason import Reason
from controller.core.request import Status
from controller.feed.broker import Received
from controller.feed.link import Link
from controller.feed.messages import Reply, Why, encoded
from controller.plain import reason_object, sentence

_MOST = 500
"""Kept while the broker is away; then the oldest are let go."""

_TRIES = 3
"""How often one reply is sent: a broker may hang up over a topic that a client has chosen."""

_LONGEST_TOPIC = 1024
_OURS = ("roomwarden/", "homeassistant/", "$")
"""Where no reply goes because a client asks for it, but for its own topic and those below."""


class Address(NamedTuple):
    """Where a reply goes, and what it brings back to who asked."""

    topic: str
    correlation: bytes | None

    @property
    def size(self) -> int:
        return len(self.topic) + len(self.correlation or b"")


def address(came: Received, own: str) -> Address:
    """Return where the client wants its reply; `own` where that is not for it, or no topic."""
    wanted = came.reply_to
    return Address(wanted if wanted and _is_open(wanted, own) else own, came.correlation)


class _Sending(NamedTuple):
    """A reply, and how often it may still be sent."""

    address: Address
    reply: Reply
    left: int = _TRIES


class Replies:
    """Outlives a connection: what was not acknowledged is sent again by the next one, at first.

    Texts are in the room's language.
    """

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._waiting: deque[_Sending] = deque(maxlen=_MOST)
        self._under_way: dict[int, _Sending] = {}

    def tell(
        self,
        address: Address,
        id: str | None,
        status: Status,
        reason: Reason | None,
        nonce: str | None = None,
    ) -> None:
        text = None if reason is None else sentence(self._locale, reason)
        cause = None if reason is None else Why(**reason_object(reason))
        reply = Reply(id, status.value, text, cause, UNSET if nonce is None else nonce)
        self._waiting.append(_Sending(address, reply))

    def send(self, link: Link) -> bool:
        """Send what the link takes now; False when some are left."""
        while self._waiting:
            if not link.room_for(qos=1):
                return False
            sending = self._waiting.popleft()
            number = link.publish(
                sending.address.topic,
                encoded(sending.reply),
                qos=1,
                retain=False,
                dispensable=True,
                correlation=sending.address.correlation,
            )
            self._under_way[number] = sending._replace(left=sending.left - 1)
        return True

    def arrived(self, messages: Iterable[int]) -> None:
        """The broker has these, or has said that it will not."""
        for number in messages:
            self._under_way.pop(number, None)

    def lost(self) -> None:
        """The connection is over: what was under way may not have arrived."""
        again = [sending for sending in self._under_way.values() if sending.left]
        self._under_way.clear()
        self._waiting = deque((*again, *self._waiting), maxlen=_MOST)


def _is_open(topic: str, own: str) -> bool:
    return (
        len(topic) <= _LONGEST_TOPIC
        and topic.isprintable()
        and not set(topic) & set("+#")
        and (topic.startswith(f"{own}/") or not topic.startswith(_OURS))
    )
