"""Modbus frames: pymodbus writes and reads them, and we see to it that they fit each other.

2026-11: pymodbus's framers and messages are used without its clients. Their sync clients wait by
the wall clock, so that a step of it holds a line for as long as the step was, may take twice the
time that they are given, log an error at each poll of a dead device, and let replies with another
function or fewer registers than were asked for pass as good.
"""

from __future__ import annotations

import logging

import msgspec

from controller.core.parts import BadReply, DeviceTimeout

READ_COILS, READ_DISCRETE_INPUTS, READ_HOLDING, READ_INPUT = 1, 2, 3, 4
WRITE_ONE, WRITE_SEVERAL = 6, 16

# The longest frame has 260 bytes; more that is none is noise.
_LONGEST_NOISE = 1024
# Source: Modbus application protocol 1.1b3, section 7.
_REFUSALS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "not done yet",
    6: "busy",
    8: "memory parity error",
}
# A gateway's word that it heard nothing of the device behind it.
_BEHIND_GATEWAY = (10, 11)


class Refused(BadReply):
    """The device answered with an exception."""

    def __init__(self, code: int, text: str = "") -> None:
        why = f"refused with exception {code}, {_REFUSALS.get(code, 'unknown')}"
        super().__init__(text or why)
        self.code = code

    @property
    def is_absent(self) -> bool:
        """Whether it says that it has no such registers."""
        return self.code in (2, 3)


class Question(msgspec.Struct, frozen=True):
    """A request for `count` bits or registers from `address` on, or to write `words` there."""

    function: int
    address: int
    count: int
    words: tuple[int, ...] = ()

    @property
    def reply_bytes(self) -> int:
        """How long the reply is on a serial line."""
        match self.function:
            case 1 | 2:
                return 5 + (self.count + 7) // 8
            case 3 | 4:
                return 5 + 2 * self.count
        return 8


class Frames:
    """The frames of one line: RTU on a serial one, else those of Modbus TCP."""

    def __init__(self, rtu: bool) -> None:
        from pymodbus.exceptions import ModbusException
        from pymodbus.framer import FramerRTU, FramerSocket
        from pymodbus.pdu import DecodePDU, bit_message, register_message

        # What it would write to the log we tell as an error, once.
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL + 1)
        self._framer = (FramerRTU if rtu else FramerSocket)(DecodePDU(False))
        self._transaction = 0
        self._nonsense = ModbusException
        self._requests = {
            READ_COILS: bit_message.ReadCoilsRequest,
            READ_DISCRETE_INPUTS: bit_message.ReadDiscreteInputsRequest,
            READ_HOLDING: register_message.ReadHoldingRegistersRequest,
            READ_INPUT: register_message.ReadInputRegistersRequest,
            WRITE_ONE: register_message.WriteSingleRegisterRequest,
            WRITE_SEVERAL: register_message.WriteMultipleRegistersRequest,
        }

    def ask(self, unit: int, question: Question) -> bytes:
        """Return the frame of a request. It counts the transactions of a connection."""
        self._transaction = self._transaction % 0xFFFF + 1
        request = self._requests[question.function](
            dev_id=unit,
            transaction_id=self._transaction,
            address=question.address,
            count=question.count,
            registers=list(question.words),
        )
        return self._framer.buildFrame(request)

    def take(self, received: bytearray, unit: int, question: Question) -> tuple[int, ...] | None:
        """Return what the reply says (bits as 0 and 1; nothing for a write), or None while it is
        not whole. Used bytes are taken from `received`.

        Raises: BadReply, Refused; DeviceTimeout where a gateway says that nobody answers it.
        """
        if len(received) > _LONGEST_NOISE:
            raise BadReply("more bytes than any reply has")
        try:
            used, reply = self._framer.handleFrame(bytes(received), unit, self._transaction)
        except self._nonsense as error:
            raise BadReply(f"a reply that is none: {error}") from error
        del received[:used]
        if reply is None:
            return None
        if reply.isError():
            if reply.exception_code in _BEHIND_GATEWAY:
                raise DeviceTimeout("the gateway gets no answer from it")
            raise Refused(reply.exception_code)
        if reply.function_code != question.function:
            raise BadReply(f"function {reply.function_code} in reply to {question.function}")
        return _checked(question, reply.registers, reply.bits, reply.address, reply.count)


def _checked(
    question: Question, registers: object, bits: object, address: int, count: int
) -> tuple[int, ...]:
    """Return the values of a reply that is as long as it must be. Raises: BadReply."""
    match question.function:
        case 1 | 2:
            values = tuple(int(bit) for bit in _listed(bits))
            if len(values) != (question.count + 7) // 8 * 8:
                raise BadReply(f"{len(values)} bits in reply to {question.count}")
            return values[: question.count]
        case 3 | 4:
            values = tuple(_listed(registers))
            if len(values) != question.count:
                raise BadReply(f"{len(values)} registers in reply to {question.count}")
            return values
        case 6:
            echo = (address, *_listed(registers)) == (question.address, *question.words)
        case _:
            echo = (address, count) == (question.address, question.count)
    if not echo:
        raise BadReply("the acknowledgement is of another write")
    return ()


def _listed(values: object) -> list[int]:
    return list(values) if isinstance(values, list | tuple) else []
