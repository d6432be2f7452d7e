"""The kernel's view of a sensor, as files in a folder."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from controller.core.parts import BadReply, DeviceTimeout, DeviceUnreachable
from drivers import iio_dht
from drivers.iio_dht import IioDht


def device(root: Path, number: int, name: str, temperature: str, humidity: str) -> Path:
    folder = root / f"iio:device{number}"
    folder.mkdir(exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "in_temp_input").write_text(temperature)
    (folder / "in_humidityrelative_input").write_text(humidity)
    return folder


def test_milli_units_become_degrees_and_per_cent(tmp_path):
    device(tmp_path, 0, "dht11@4", "23400\n", "51200\n")
    assert IioDht("dht11@4", tmp_path).read() == {"temperature_c": 23.4, "humidity_pct": 51.2}


def test_frost_is_below_zero(tmp_path):
    device(tmp_path, 0, "dht11@4", "-7500\n", "88800\n")
    assert IioDht("dht11@4", tmp_path).read()["temperature_c"] == -7.5


def test_the_sensor_is_known_by_its_name_and_not_by_its_number(tmp_path):
    sensor = IioDht("dht11@17", tmp_path)
    device(tmp_path, 0, "dht11@4", "1000\n", "1000\n")
    device(tmp_path, 1, "dht11@17", "23400\n", "51200\n")
    assert sensor.read()["temperature_c"] == 23.4
    device(tmp_path, 1, "dht11@4", "1000\n", "1000\n")
    device(tmp_path, 0, "dht11@17", "24000\n", "51200\n")
    assert sensor.read()["temperature_c"] == 24.0


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ETIMEDOUT, DeviceTimeout),
        (errno.EIO, BadReply),
        (errno.ENODEV, DeviceUnreachable),
        (errno.EACCES, DeviceUnreachable),
    ],
)
def test_the_kernels_errors_are_told_apart(tmp_path, monkeypatch, number, kind):
    device(tmp_path, 0, "dht11@4", "23400\n", "51200\n")
    ordinary = Path.open

    def failing(file: Path, *args: object, **kwargs: object) -> object:
        if file.name == "in_humidityrelative_input":
            raise OSError(number, "as the kernel says")
        return ordinary(file, *args, **kwargs)

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(kind, match="dht11@4: as the kernel says"):
        IioDht("dht11@4", tmp_path).read()


@pytest.mark.parametrize("text", ["", "warm\n", "23.4\n", "nan\n"])
def test_what_is_not_a_whole_number_is_a_bad_reply(tmp_path, text):
    device(tmp_path, 0, "dht11@4", text, "51200\n")
    with pytest.raises(BadReply, match="dht11@4"):
        IioDht("dht11@4", tmp_path).read()


def test_a_sensor_that_comes_later_is_found(tmp_path):
    sensor = IioDht("dht11@4", tmp_path / "not-there")
    with pytest.raises(DeviceUnreachable, match="no such IIO device"):
        sensor.read()
    (tmp_path / "not-there").mkdir()
    device(tmp_path / "not-there", 0, "dht11@4", "23400\n", "51200\n")
    assert sensor.read()["humidity_pct"] == 51.2


def test_it_is_looked_for_where_the_kernel_shows_it(bench):
    assert Path("/sys/bus/iio/devices") == iio_dht.SYSFS
    config = iio_dht.Config(id="rack-air", device="dht11@4")
    with pytest.raises(DeviceUnreachable, match="dht11@4"):
        iio_dht.open_device(config, bench).read()
