"""What a DHT sends on its wire, as the times between edges that the vendor's decoder gets.

Framing: 40 bits = humidity high, low, temperature high, low, checksum (low byte of their sum);
each bit is about 50 us low, then 26 us (0) or 70 us (1) high. Source: AM2302 datasheet.
"""

from __future__ import annotations

from array import array

_LOW_US = 50
_ZERO_US = 26
_ONE_US = 70

FAULTS = ("absent", "checksum", "short", "zeros")
"""Nobody there, a wrong checksum, half a frame, and a line whose every bit reads as 0 (which has
a valid checksum and decodes to 0.0 degrees and 0.0 %)."""


def pulses(
    kind: str, temperature_c: float, humidity_pct: float, fault: str | None = None
) -> array[int]:
    """Return the 81 pulse lengths (us, low first) of one measurement; fewer with some faults.

    `kind` is "dht22" (steps of 0.1, -40..80 degrees) or "dht11" (whole numbers, 0..50 degrees).
    """
    if fault == "absent":
        return array("H")
    if fault == "zeros":
        return _frame(bytes(5))
    data = _BYTES[kind](temperature_c, humidity_pct)
    checksum = sum(data) & 0xFF
    if fault == "checksum":
        checksum ^= 0x55
    frame = _frame(data + bytes([checksum]))
    return frame[:40] if fault == "short" else frame


def _dht22(temperature_c: float, humidity_pct: float) -> bytes:
    tenths = round(temperature_c * 10)
    # Sign and magnitude, not two's complement.
    signed = abs(tenths) | (0x8000 if tenths < 0 else 0)
    return round(humidity_pct * 10).to_bytes(2, "big") + signed.to_bytes(2, "big")


def _dht11(temperature_c: float, humidity_pct: float) -> bytes:
    return bytes([round(humidity_pct), 0, round(temperature_c), 0])


_BYTES = {"dht22": _dht22, "dht11": _dht11}


def _frame(data: bytes) -> array[int]:
    lengths = array("H")
    for byte in data:
        for bit in range(7, -1, -1):
            lengths.append(_LOW_US)
            lengths.append(_ONE_US if byte >> bit & 1 else _ZERO_US)
    lengths.append(_LOW_US)
    return lengths
