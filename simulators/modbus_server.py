"""The socket of a simulated Modbus line, and how what stands on it fails on demand."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Mapping, Sequence

from controller.core.registers import Register, Write
from simulators import modbus
from simulators.busparts import BusPart
from simulators.modbus import Frame
from simulators.peer import Peer
from simulators.port import Port
from simulators.powerplan import Address

_MOST_REGISTERS = 125
_MOST_BITS = 2000


class ModbusServer:
    """All parts at one address, by their unit ids. `follow` is called on each turn of the loop."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        address: Address,
        units: Mapping[int, Sequence[BusPart]],
    ) -> None:
        self._selector = selector
        self._units = units
        self._port = Port(selector, "modbus", address, self._meet)

    def follow(self) -> None:
        self._port.follow(True)

    def wait_s(self) -> float:
        return self._port.wait_s()

    def close(self) -> None:
        self._port.close()

    def _meet(self, sock: socket.socket) -> Peer:
        return Peer(
            self._selector, sock, self._took, cut=modbus.cut, line_limit=512, backlog_limit=65_536
        )

    def _took(self, peer: Peer, raw: bytes) -> None:
        if raw == modbus.NO_FRAME:
            peer.close()
            return
        frame = modbus.parse(raw)
        parts = self._units.get(frame.unit)
        if parts is None:
            return  # nobody on the line has this id
        fault = next(filter(None, (part.fault() for part in parts)), None)
        match fault:
            case "silent":
                return
            case "exception":
                peer.send(modbus.refusal(frame, modbus.DEVICE_FAILURE))
            case "garbage":
                peer.send(b"\xa5\x5a" * 20)
            case _:
                answer = _answer(frame, parts, halved=fault == "short")
                if fault == "late":
                    self._port.send_late(peer, answer)
                else:
                    peer.send(answer)


def _answer(frame: Frame, parts: Sequence[BusPart], *, halved: bool) -> bytes:
    if frame.function in (*modbus.READ_BITS, *modbus.READ):
        return _read(frame, parts, halved)
    if frame.function not in (modbus.WRITE_ONE, modbus.WRITE_MANY):
        return modbus.refusal(frame, modbus.ILLEGAL_FUNCTION)
    if not frame.words:
        return modbus.refusal(frame, modbus.ILLEGAL_VALUE)
    asked = Write(frame.address, frame.words, frame.function)
    if not any(part.write(asked) for part in parts):
        return modbus.refusal(frame, modbus.ILLEGAL_ADDRESS)
    return modbus.written(frame)


def _read(frame: Frame, parts: Sequence[BusPart], halved: bool) -> bytes:
    is_bits = frame.function in modbus.READ_BITS
    if not 1 <= frame.count <= (_MOST_BITS if is_bits else _MOST_REGISTERS):
        return modbus.refusal(frame, modbus.ILLEGAL_VALUE)
    words: dict[Register, int] = {}
    for part in parts:
        for register, word in part.words().items():
            # Contacts may share a register, a bit each.
            words[register] = words.get(register, 0) | word
    if frame.function not in {function for function, _ in words}:
        return modbus.refusal(frame, modbus.ILLEGAL_FUNCTION)
    places = range(frame.address, frame.address + frame.count)
    asked = [(frame.function, address) for address in places]
    if not all(register in words for register in asked):
        return modbus.refusal(frame, modbus.ILLEGAL_ADDRESS)
    if halved:
        asked = asked[: len(asked) // 2]
    told = [words[register] for register in asked]
    return modbus.bits(frame, told) if is_bits else modbus.registers(frame, told)
