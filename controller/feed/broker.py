"""What a connection to the broker is made from, and how it can fail."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

Condition = Literal["up", "slow", "down", "silent", "refused", "certificate", "off"]
"""How the feed is."""

CONDITIONS: Mapping[Condition, str] = MappingProxyType(
    {
        "up": "connected; with a detail where the broker lets the room hear no commands",
        "slow": "connected, but answers come late",
        "down": "nobody is there, or the broker has hung up",
        "silent": "somebody takes the connection and answers nothing",
        "refused": "not with this name and password, or not what the room sends",
        "certificate": "the broker's or the room's is not trusted, or a file cannot be used",
        "off": "the file with the password is missing or cannot be read",
    }
)


class LinkFailed(Exception):
    """The connection is over, or did not come about; says in which condition the feed is now.

    `soon`: it may be another thing the next moment, and is tried again soon.
    """

    def __init__(self, condition: Condition, detail: str, *, soon: bool = False) -> None:
        super().__init__(detail)
        self.condition: Condition = condition
        self.soon = soon or condition in ("down", "silent")


class WrongVersion(LinkFailed):
    """Perhaps the broker speaks another version: it said so, hung up, or waits for more.

    An older broker may do each of these over a CONNECT of MQTT 5 (amqtt reads lengths where
    there are none, and waits).
    """


class Limits(msgspec.Struct, frozen=True):
    """How long and how much. All times are real seconds, whatever the room's pace.

    `connect_s`: for the connection and for the broker's answer to it. `keepalive_s`: a silent
    line is asked after that long. `slow_s`: an answer that takes longer is late. `answer_s`: how
    long what was sent may go without an answer before the broker counts as hung. `back_off_s`: the
    pause between two tries, at first and at most; a returned broker is reached within 5 s
    (contract 5). `refused_s`: the longest pause while the broker refuses us. `window`: the most
    messages that may wait for their answer. `packet_bytes`: what a broker of MQTT 5 may send at
    once, and what is kept of a longer message in MQTT 3.1.1. `rate`: how many commands a client
    may send, in how many seconds (contract 5).
    """

    connect_s: float = 5.0
    keepalive_s: int = 30
    slow_s: float = 2.0
    answer_s: float = 20.0
    back_off_s: tuple[float, float] = (1.0, 3.0)
    refused_s: float = 30.0
    window: int = 200
    packet_bytes: int = 1_048_576
    rate: tuple[int, float] = (30, 10.0)


class Broker(msgspec.Struct, frozen=True):
    """Where the broker is and how to get in. `tls`: None for a plain connection; `certificate`:
    the file of the one that the room shows by it."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    certificate: str | None = None


class Received(msgspec.Struct, frozen=True):
    """A message that came. `reply_to` and `correlation` are MQTT 5's."""

    topic: str
    payload: bytes
    retained: bool
    reply_to: str | None = None
    correlation: bytes | None = None
