"""Addresses and other texts that have a form."""

from __future__ import annotations

from typing import Any

import pytest

from controller.config import forms
from controller.config.faults import show
from controller.config.values import convert

TAKEN = [
    (forms.Listen, ["127.0.0.1:8080", "0.0.0.0:80", "[::1]:8080", "localhost:8080"]),
    (forms.BrokerUrl, ["mqtt://127.0.0.1:1883", "mqtts://broker.example", "mqtt://[::1]:1883"]),
    (
        forms.ModbusAddress,
        [
            "tcp://127.0.0.1:1502",
            "tcp://[::1]:502",
            "rtu:///dev/ttyUSB0",
            "rtu:///dev/ttyUSB0?baudrate=9600",
            "rtu:///dev/serial/by-id/usb-x?baudrate=115200&parity=E&stopbits=2",
        ],
    ),
    (forms.NutAddress, ["nut://127.0.0.1:3493/ups", "nut://h/ups-1", "nut://room@h/ups"]),
    (
        forms.Stop,
        [
            "nut",
            "ssh://room@127.0.0.1:2222",
            "ssh://room@host",
            "redfish://bmc",
            "redfish://admin@bmc:8443/System.Embedded.1",
            "redfish://admin@bmc/",
            "command:/bin/stop now 'and here'",
        ],
    ),
    (
        forms.Start,
        [
            "wol://02:00:00:00:00:01",
            "wol://02:00:00:00:00:01@10.0.0.255",
            "redfish://bmc",
            "outlet",
            "command:/bin/start",
        ],
    ),
    (
        forms.Evidence,
        [
            "tcp://h:22",
            "ping://10.0.0.1",
            "ssh://a@h",
            "ssh://h",
            "nut",
            "redfish://bmc",
            "outlet",
        ],
    ),
    (
        forms.Ready,
        [
            "tcp://h:80",
            "http://h",
            "https://h:8443/health",
            "ssh://h",
            "ping://h",
            "command:/bin/true",
        ],
    ),
    (forms.Path, ["ping://10.0.0.1", "ping://[fe80::1]", "tcp://switch:80"]),
    (forms.Word, ["roomwarden", "a.b-c_d"]),
    (forms.TimeZone, ["Asia/Shanghai", "UTC"]),
    (forms.Text, ["网络机房"]),
]
REFUSED = [
    (forms.Listen, ["", "8080", "127.0.0.1", "127.0.0.1:0", "h:99999", "h:x", "h:80/x", "a@h:80"]),
    (forms.BrokerUrl, ["127.0.0.1", "http://h", "mqtt://", "mqtt://u:p@h", "mqtt://[::1"]),
    (
        forms.ModbusAddress,
        [
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:0",
            "tcp://127.0.0.1:502/1",
            "rtu://ttyUSB0",
            "rtu:///etc/passwd",
            "rtu:///dev/../etc/passwd",
            "rtu:///dev/ttyUSB0?",
            "rtu:///dev/ttyUSB0?baudrate=0",
            "rtu:///dev/ttyUSB0?parity=X",
            "rtu:///dev/ttyUSB0?stopbits=3",
            "rtu:///dev/ttyUSB0?speed=9600",
            "rtu:///dev/ttyUSB0?baudrate=9600&baudrate=19200",
            "nut://h/ups",
            "usb:",
        ],
    ),
    (forms.NutAddress, ["nut://h", "nut://h/", "nut://h/a/b", "nut://a:b@h/ups", "tcp://h:3493"]),
    (
        forms.Stop,
        [
            "",
            "halt",
            "ssh://",
            "ssh://host",
            "ssh://a:b@h",
            "ssh://a@h/path",
            "ssh://-oProxyCommand=x@h",
            "ssh://a@-h",
            "redfish://bmc/a/b",
            "command:stop",
            "command:/x\n",
            "command:/x 'open",
        ],
    ),
    (
        forms.Start,
        ["wol://02:00:00:00:00", "wol://02:00:00:00:00:01@", "wol://02:00:00:00:00:01@a b", "nut"],
    ),
    (forms.Evidence, ["tcp://h", "ping://", "ping://h:1", "ping://-f", "http://h", "outlet:x"]),
    (forms.Ready, ["nut", "outlet", "redfish://bmc", "http://", "http://a:b@h"]),
    (forms.Path, ["10.0.0.1", "tcp://switch", "ssh://h", "ping://"]),
    (forms.Word, ["", "a b", "-a", "a:b"]),
    (forms.TimeZone, ["Mars/Base", "Asia", "../UTC", ""]),
    (forms.Text, ["", " ", "two\nlines", "x" * 201]),
]


@pytest.mark.parametrize(
    ("form", "text"), [(form, text) for form, texts in TAKEN for text in texts]
)
def test_a_text_in_its_form_is_taken(form: Any, text: str):
    assert convert(form, text) == text


@pytest.mark.parametrize(
    ("form", "text"), [(form, text) for form, texts in REFUSED for text in texts]
)
def test_a_text_out_of_its_form_is_refused(form: Any, text: str):
    with pytest.raises(ValueError, match=r"."):
        convert(form, text)


@pytest.mark.parametrize(
    "value",
    ["mqtt://me:letmein@h", ["ssh://me:letmein@h"], "-----BEGIN PRIVATE KEY-----\nletmein"],
)
def test_a_secret_is_never_shown(value: object):
    assert "letmein" not in show(value)
