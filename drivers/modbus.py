"""A UPS that is asked over Modbus, TCP or RTU, by the register map of its family."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec

from controller.core.partconfig import UpsConfig
from controller.core.parts import LIVE, Board, DeviceError
from controller.core.registers import Register, RegisterMap, decode, live_text
from drivers.bus import Bus, open_bus
from drivers.frames import Refused

TABLE = "ups"
_DAY_S = 86400.0


class Config(UpsConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`map` is a shipped register map's name or a file of the site's own; `address` is
    "tcp://host:port" or "rtu:///dev/ttyUSB0?baudrate=9600&parity=N&stopbits=1"."""

    map: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    address: str
    unit: Annotated[int, msgspec.Meta(ge=1, le=255)] = 1


class ModbusUps:
    """One UPS. `line` is the name of the bus that it shares with others."""

    def __init__(self, map: RegisterMap, bus: Bus, unit: int, period_s: float) -> None:
        self.period_s = period_s
        self.line = bus.line
        self._map = map
        self._bus = bus
        self._unit = unit

    def read(self) -> dict[str, bool | float | str | None]:
        """Return what the UPS tells of the normal form, and its live registers as a text.

        Raises: DeviceTimeout, DeviceUnreachable, BadReply.
        """
        words = self._words()
        # Wall time is right here: the age of a battery is days by the calendar.
        told = decode(self._map, words, today_d=time.time() / _DAY_S)
        live = live_text(self._map, words)
        if live is not None:
            told[LIVE] = live
        return told

    def send(self, command: str) -> None:
        """Send "off". Raises: DeviceError, also for a command that the map has not."""
        writes = self._map.commands.get(command)
        if not writes:
            raise DeviceError(f'a UPS with the map {self._map.name} takes no command "{command}"')
        for write in writes:
            self._bus.write(
                self._unit,
                write.address,
                write.words,
                write.function,
                self._map.reply_timeout_s,
                self._map.gap_s,
            )

    def close(self) -> None:
        self._bus.close()

    def _words(self) -> dict[Register, int]:
        words: dict[Register, int] = {}
        for block in self._map.blocks:
            try:
                registers = self._bus.read(
                    self._unit,
                    block.function,
                    block.address,
                    block.count,
                    self._map.reply_timeout_s,
                    self._map.gap_s,
                )
            except Refused as refusal:
                if block.optional and refusal.is_absent:
                    continue
                raise
            for place, word in enumerate(registers, block.address):
                words[block.function, place] = word
        return words


def open_device(config: Config, board: Board) -> ModbusUps:
    """Touch no line yet: a UPS that is not there is a fault of its readings.

    Raises: DeviceError for a register map or an address that cannot be used.
    """
    try:
        map = board.register_map(config.map)
    except ValueError as error:
        raise DeviceError(f"map {config.map}: {error}") from error
    return ModbusUps(map, open_bus(config.address), config.unit, config.period)
