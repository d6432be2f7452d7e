"""The feed's floor: what a person would write with gpiozero and paho alone.

python tests/bench/feed_bare.py SOCKET PORT: lights the beacon and publishes the alarm.
python tests/bench/feed_bare.py drain PORT COUNT: publishes so many events, as fast as paho can.
"""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from gpiozero import Button, OutputDevice
from paho.mqtt.enums import CallbackAPIVersion

from simulators.pins import WorldPins
from tests.bench.rooms import RELAY_PIN, SMOKE_PIN

ALARM = "bare/alarm"
EVENT = "bare/event"
WINDOW = 200
"""Messages that may wait for their answer: as many as ours."""

_QUEUED = 10_000
"""Paho's queue knows messages by their numbers, and of those there are 65,535."""

_EVENT_BYTES = 380
"""As long as an event of the journal."""


def main(words: list[str]) -> None:
    if words[0] == "drain":
        drain(int(words[1]), int(words[2]))
    else:
        watch(Path(words[0]), int(words[1]))


def watch(socket_path: Path, port: int) -> None:
    client = connected(port)
    pins = WorldPins(socket_path)
    relay = OutputDevice(RELAY_PIN, pin_factory=pins)
    smoke = Button(SMOKE_PIN, pull_up=False, bounce_time=None, pin_factory=pins)

    def pressed() -> None:
        relay.on()
        client.publish(ALARM, b'{"active":true}', qos=1, retain=True)

    def released() -> None:
        relay.off()
        client.publish(ALARM, b'{"active":false}', qos=1, retain=True)

    smoke.when_pressed = pressed
    smoke.when_released = released
    signal.pause()


def drain(port: int, count: int) -> None:
    client = connected(port)
    for number in range(count):
        sent = client.publish(EVENT, b"%0*d" % (_EVENT_BYTES, number), qos=1)
        if number % _QUEUED == _QUEUED - 1 or number == count - 1:
            sent.wait_for_publish()
    client.disconnect()


def connected(port: int) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(WINDOW)
    client.on_socket_open = _send_at_once
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def _send_at_once(_client: object, _data: object, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


if __name__ == "__main__":
    main(sys.argv[1:])
