"""A DHT11, DHT21 or DHT22 read by the kernel: `dtoverlay=dht11,gpiopin=4`, despite its name.

Source: Linux drivers/iio/humidity/dht11.c. It answers from a cache for 2 s, so temperature and
humidity asked for one after the other are of one measurement; edges that do not come are
ETIMEDOUT, a wrong checksum is EIO.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from controller.core.partconfig import InputConfig
from controller.core.parts import (
    BadReply,
    Board,
    DeviceError,
    DeviceTimeout,
    DeviceUnreachable,
    Quantity,
)

TABLE = "input"
SYSFS = Path("/sys/bus/iio/devices")
_MILLI = 1000.0


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`device` is the sensor's IIO name, such as "dht11@4" for the one on GPIO 4."""

    device: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class IioDht:
    """The sensor as the kernel shows it, found by name: its number changes from boot to boot."""

    period_s = 2.5  # clear of the kernel's cache of 2 s
    # The kernel does not say which of the three it is; these hold the widest, the DHT22's.
    quantities: ClassVar[Sequence[Quantity]] = (
        Quantity("temperature_c", -40.0, 80.0, 0.1),
        Quantity("humidity_pct", 0.0, 100.0, 0.1),
    )

    def __init__(self, device: str, root: Path = SYSFS) -> None:
        self._device = device
        self._root = root

    def read(self) -> dict[str, float]:
        """Return temperature_c and humidity_pct.

        Raises: DeviceTimeout when the sensor is silent, BadReply when its checksum or a number
        is wrong, DeviceUnreachable when the kernel has no such device.
        """
        try:
            folder = self._folder()
            return {
                "temperature_c": _number(folder / "in_temp_input"),
                "humidity_pct": _number(folder / "in_humidityrelative_input"),
            }
        except OSError as error:
            raise self._fault(error) from error
        except ValueError as error:
            raise BadReply(f"{self._device}: {error}") from error

    def close(self) -> None:
        """Nothing is held between readings."""

    def _folder(self) -> Path:
        for name in sorted(self._root.glob("iio:device*/name")):
            if name.read_text(encoding="ascii").strip() == self._device:
                return name.parent
        raise FileNotFoundError(errno.ENODEV, "the kernel has no such IIO device")

    def _fault(self, error: OSError) -> DeviceError:
        told = f"{self._device}: {error.strerror}"
        if error.errno == errno.ETIMEDOUT:
            return DeviceTimeout(told)
        if error.errno == errno.EIO:
            return BadReply(told)
        return DeviceUnreachable(told)


def _number(file: Path) -> float:
    with file.open("rb") as open_file:
        return int(open_file.read(32)) / _MILLI


def open_device(config: Config, board: Board) -> IioDht:
    """Touch nothing yet: a sensor that is not there is a fault of its readings."""
    return IioDht(config.device)
