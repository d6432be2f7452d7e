"""Frames: whatever comes over a line, a reply is taken whole and fitting, or not at all."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.core.parts import BadReply, DeviceError, DeviceTimeout
from drivers.frames import (
    READ_COILS,
    READ_HOLDING,
    WRITE_ONE,
    WRITE_SEVERAL,
    Frames,
    Question,
    Refused,
)
from tests.drivers.modbus_slaves import crc

RTU, TCP = Frames(rtu=True), Frames(rtu=False)
QUESTIONS = (
    Question(READ_COILS, 3, 9),
    Question(READ_HOLDING, 3, 2),
    Question(WRITE_ONE, 3, 1, (7,)),
    Question(WRITE_SEVERAL, 3, 2, (7, 8)),
)


def framed(rtu: bool, request: bytes, unit: int, reply: bytes) -> bytes:
    """A frame round a reply, with the transaction of its request."""
    body = bytes([unit]) + reply
    if rtu:
        return body + crc(body)
    return request[:4] + struct.pack(">H", len(body)) + body


def test_a_request_is_on_a_serial_line_as_the_maker_of_an_apc_has_it():
    # Registers 0 to 26; the main outlet group off after its delay. With their checks.
    assert RTU.ask(1, Question(READ_HOLDING, 0, 27)).hex(" ") == "01 03 00 00 00 1b 05 c1"
    off = Question(WRITE_SEVERAL, 1538, 2, (0, 0x188))
    assert RTU.ask(1, off).hex(" ") == "01 10 06 02 00 02 04 00 00 01 88 58 20"


def test_each_request_over_tcp_has_a_transaction_of_its_own():
    seen = {TCP.ask(1, QUESTIONS[1])[:2] for _ in range(300)}
    assert len(seen) == 300
    assert b"\0\0" not in seen


@given(
    st.booleans(),
    st.sampled_from(QUESTIONS),
    st.integers(0, 255),
    st.binary(min_size=1, max_size=12),
    st.integers(1, 20),
)
@example(True, QUESTIONS[1], 1, bytes([8]), 20)  # cut off within a diagnostic reply
@example(False, QUESTIONS[1], 1, bytes([43, 14]), 20)
@example(True, QUESTIONS[0], 1, bytes([1, 2, 0, 1]), 20)
@settings(derandomize=True, database=None, max_examples=300)
def test_no_reply_whatever_is_taken_but_one_that_fits(rtu, question, unit, reply, kept):
    frames = RTU if rtu else TCP
    frame = framed(rtu, frames.ask(1, question), unit, reply)[: kept + 8]
    try:
        values = frames.take(bytearray(frame), 1, question)
    except DeviceError:
        return
    if values is None:
        return
    assert unit == 1 and reply[0] == question.function
    assert len(values) == (0 if question.words else question.count)


@given(st.booleans(), st.binary(max_size=2000))
@settings(derandomize=True, database=None, max_examples=200)
def test_noise_is_never_a_reply(rtu, noise):
    frames = RTU if rtu else TCP
    frames.ask(17, QUESTIONS[1])
    received = bytearray(noise)
    try:
        assert frames.take(received, 17, QUESTIONS[1]) is None
    except (BadReply, DeviceTimeout):
        return
    assert len(received) <= 1024


def test_a_frame_that_says_that_it_is_endless_is_not_waited_for():
    endless = TCP.ask(1, QUESTIONS[1])[:4] + b"\xff\xff\1\3" + bytes(1016)
    assert TCP.take(bytearray(endless), 1, QUESTIONS[1]) is None
    with pytest.raises(BadReply, match="more bytes than any reply"):
        TCP.take(bytearray(endless + b"\0"), 1, QUESTIONS[1])


@pytest.mark.parametrize("frames", [RTU, TCP], ids=["rtu", "tcp"])
@pytest.mark.parametrize(
    ("question", "reply", "values"),
    [
        (QUESTIONS[0], bytes([1, 2, 0b1000_0001, 1]), (1, 0, 0, 0, 0, 0, 0, 1, 1)),
        (QUESTIONS[1], bytes([3, 4, 0, 5, 255, 255]), (5, 65535)),
        (QUESTIONS[2], bytes([6, 0, 3, 0, 7]), ()),
        (QUESTIONS[3], bytes([16, 0, 3, 0, 2]), ()),
    ],
)
def test_a_reply_that_fits_is_taken_however_it_is_cut(frames, question, reply, values):
    frame = framed(frames is RTU, frames.ask(1, question), 1, reply)
    received = bytearray()
    for byte in frame[:-1]:
        received.append(byte)
        assert frames.take(received, 1, question) is None
    received.append(frame[-1])
    assert frames.take(received, 1, question) == values


@pytest.mark.parametrize("frames", [RTU, TCP], ids=["rtu", "tcp"])
@pytest.mark.parametrize(
    ("question", "reply", "error"),
    [
        (QUESTIONS[0], bytes([1, 1, 1]), "8 bits in reply to 9"),
        (QUESTIONS[1], bytes([3, 2, 0, 5]), "1 registers in reply to 2"),
        (QUESTIONS[1], bytes([4, 4, 0, 5, 0, 6]), "function 4 in reply to 3"),
        (QUESTIONS[2], bytes([6, 0, 3, 0, 8]), "of another write"),
        (QUESTIONS[2], bytes([6, 0, 4, 0, 7]), "of another write"),
        (QUESTIONS[3], bytes([16, 0, 3, 0, 1]), "of another write"),
        (QUESTIONS[3], bytes([16, 0, 2, 0, 2]), "of another write"),
        (QUESTIONS[1], bytes([0x83, 2]), "exception 2, illegal address"),
        (QUESTIONS[1], bytes([0x83, 99]), "exception 99, unknown"),
    ],
)
def test_a_reply_that_does_not_fit_says_why(frames, question, reply, error):
    frame = framed(frames is RTU, frames.ask(1, question), 1, reply)
    with pytest.raises(BadReply, match=error) as told:
        frames.take(bytearray(frame), 1, question)
    assert isinstance(told.value, Refused) == ("exception" in error)
