"""Dumps of real UPSes through a real upsd and real dummy-ups drivers: what each one becomes."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from controller.core.parts import LIVE, DeviceError
from drivers.nut import Config, NutUps
from drivers.nutclient import NutClient
from tests.drivers.nut_server import Upsd, wait

PROJECT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("ROOMWARDEN_DATA", PROJECT.parent / "shared" / "data")) / "ups-dumps"
EXPECTED = tomllib.loads(Path(__file__).with_name("ups_dumps_expected.toml").read_text("utf-8"))
KEYS = {
    "charge": "charge_pct",
    "runtime": "runtime_s",
    "load": "load_pct",
    "voltage": "input_voltage_v",
    "frequency": "input_frequency_hz",
}

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no dumps of UPSes in {FOLDER}"),
]


class Dumps:
    """All dumps, each served by a driver of its own under one upsd."""

    def __init__(self, folder: Path) -> None:
        self.names = {dump: f"ups-{number}" for number, dump in enumerate(sorted(EXPECTED))}
        ports = {ups: str(FOLDER / dump) for dump, ups in self.names.items()}
        self.upsd = Upsd(folder, ports)
        for ups in ports:
            self.upsd.start_driver(ups)
        self.upsd.start()

    def read(self, dump: str) -> dict[str, Any]:
        """Return what our driver makes of it, once upsd has all that there is of it."""
        name = self.names[dump]
        client = NutClient("127.0.0.1", self.upsd.port)
        ups = NutUps(Config(id="ups", address=f"nut://127.0.0.1:{self.upsd.port}/{name}"))
        seen: list[dict[str, Any]] = []

        def is_settled() -> bool:
            try:
                status = client.variable(name, "ups.status")
                seen.append(dict(ups.read()))
            except DeviceError:
                return False
            return status != "WAIT" and len(seen) > 1 and seen[-1] == seen[-2]

        wait(is_settled, 60.0, f"{dump} is served")
        return seen[-1]


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dumps]:
    dumps = Dumps(tmp_path_factory.mktemp("nut"))
    yield dumps
    dumps.upsd.close()


def normal(expected: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {KEYS.get(key, key): value for key, value in expected.items()}
    since = form.pop("battery_date", None)
    if since is not None:
        form["battery_age_d"] = float((date.today() - since).days)
    return {key: None if value == "unknown" else value for key, value in form.items()}


def test_every_dump_has_its_expectation_and_every_expectation_its_dump():
    assert {file.name for file in FOLDER.iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("dump", sorted(EXPECTED))
def test_a_real_ups_becomes_what_its_dump_says(dumps, dump):
    found = dumps.read(dump)
    found.pop(LIVE, None)
    assert found == normal(EXPECTED[dump])
