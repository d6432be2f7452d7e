"""Modbus TCP, the server's side of it: frames and requests. Source: Modbus Messaging on TCP/IP,
Implementation Guide V1.0b, and Modbus Application Protocol V1.1b3."""

from __future__ import annotations

import struct

import msgspec

READ_BITS, READ = (1, 2), (3, 4)
"""Function codes: coils, discrete inputs; holding registers, input registers."""
WRITE_ONE, WRITE_MANY = 6, 16

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4

_HEAD = struct.Struct(">HHHB")
_LONGEST = 254
NO_FRAME = b""


class Frame(msgspec.Struct, frozen=True):
    """One request: `function` with `address`, and a `count` to read or `words` to write."""

    transaction: int
    unit: int
    function: int
    address: int = 0
    count: int = 0
    words: tuple[int, ...] = ()


def cut(received: bytes) -> tuple[list[bytes], bytes]:
    """Cut into frames; `NO_FRAME` for what cannot be the beginning of one."""
    frames: list[bytes] = []
    while len(received) >= _HEAD.size:
        _, protocol, length, _ = _HEAD.unpack_from(received)
        if protocol != 0 or not 2 <= length <= _LONGEST:
            return [*frames, NO_FRAME], b""
        if len(received) < 6 + length:
            break
        frames.append(received[: 6 + length])
        received = received[6 + length :]
    return frames, received


def parse(raw: bytes) -> Frame:
    """Read a whole frame; one whose data does not fit its function has neither count nor words."""
    transaction, _, _, unit = _HEAD.unpack_from(raw)
    function, data = raw[7], raw[8:]
    frame = Frame(transaction, unit, function)
    if len(data) < 4:
        return frame
    address, number = struct.unpack_from(">HH", data)
    if function in (*READ_BITS, *READ):
        return msgspec.structs.replace(frame, address=address, count=number)
    if function == WRITE_ONE:
        return msgspec.structs.replace(frame, address=address, words=(number,))
    if function == WRITE_MANY and len(data) == 5 + 2 * number:
        words = struct.unpack_from(f">{number}H", data, 5)
        return msgspec.structs.replace(frame, address=address, words=words)
    return frame


def registers(frame: Frame, words: list[int]) -> bytes:
    """Answer a read."""
    return _reply(frame, struct.pack(f">B{len(words)}H", 2 * len(words), *words))


def bits(frame: Frame, told: list[int]) -> bytes:
    """Answer a read of coils or discrete inputs: eight a byte, the first one lowest."""
    packed = sum(bit << place for place, bit in enumerate(told))
    data = packed.to_bytes((len(told) + 7) // 8, "little")
    return _reply(frame, bytes([len(data)]) + data)


def written(frame: Frame) -> bytes:
    """Answer a write."""
    number = frame.words[0] if frame.function == WRITE_ONE else len(frame.words)
    return _reply(frame, struct.pack(">HH", frame.address, number))


def refusal(frame: Frame, code: int) -> bytes:
    """Answer with an exception."""
    failed = msgspec.structs.replace(frame, function=frame.function | 0x80)
    return _reply(failed, bytes([code]))


def _reply(frame: Frame, data: bytes) -> bytes:
    head = _HEAD.pack(frame.transaction, 0, 2 + len(data), frame.unit)
    return head + bytes([frame.function]) + data
