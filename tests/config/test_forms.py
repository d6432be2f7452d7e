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
        forms.UpsAddress,
        [
            "tcp://127.0.0.1:1502",
            "rtu:///dev/ttyUSB0?baudrate=9600",
            "rtu:///dev/serial/by-id/usb-x",
            "nut://127.0.0.1:3493/ups",
        ],
    ),
    (forms.Stop, ["nut", "ssh://room@127.0.0.1:2222", "redfish://bmc", "command:/bin/stop now"]),
    (forms.Start, ["wol://02:00:00:00:00:01", "redfish://bmc", "outlet", "command:/bin/start"]),
    (
        forms.Evidence,
        ["tcp://h:22", "ping://10.0.0.1", "ssh://a@h", "nut", "redfish://bmc", "outlet"],
    ),
    (forms.TimeZone, ["Asia/Shanghai", "UTC"]),
    (forms.Text, ["网络机房"]),
]
REFUSED = [
    (forms.Listen, ["", "8080", "127.0.0.1", "127.0.0.1:0", "h:99999", "h:x", "h:80/x", "a@h:80"]),
    (forms.BrokerUrl, ["127.0.0.1", "http://h", "mqtt://", "mqtt://u:p@h", "mqtt://[::1"]),
    (
        forms.UpsAddress,
        ["tcp://127.0.0.1", "rtu://ttyUSB0", "rtu:///etc/passwd", "nut://h", "nut://h/", "usb:"],
    ),
    (forms.Stop, ["", "halt", "ssh://", "ssh://a:b@h", "command:stop", "command:/x\n"]),
    (forms.Start, ["wol://02:00:00:00:00", "nut", "ssh://a@h"]),
    (forms.Evidence, ["tcp://h", "ping://", "http://h", "wol://02:00:00:00:00:01"]),
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
