"""Every id that the code can say has a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.build import Measures, build
from controller.config.read import read_room
from controller.texts import LOCALES, texts
from drivers.dht22 import Dht22
from firmware.kinds import kinds

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r'why\(\s*"([a-z.-]+)"')


@pytest.mark.parametrize("locale", LOCALES)
def test_every_reason_in_the_core_has_a_sentence(locale: str) -> None:
    used = {
        id
        for file in (ROOT / "controller" / "core").rglob("*.py")
        for id in WRITTEN.findall(file.read_text(encoding="utf-8"))
    }
    assert len(used) > 30
    assert used - set(texts(locale)) == set()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("room", ["tests/rooms/lakeside.toml", "firmware/demo.toml"])
def test_every_alarm_of_a_room_has_a_text_and_advice(
    locale: str, room: str, tmp_path: Path
) -> None:
    config = tmp_path / "room.toml"
    text = (ROOT / room).read_text(encoding="utf-8")
    config.write_text(re.sub(r"\$[a-z]+", "4352", text), encoding="utf-8")
    file = read_room(config, kinds())
    sensors = {
        part.id: Measures(Dht22.quantities, Dht22.period_s)
        for part in file.inputs
        if part.kind == "dht22"
    }
    conditions = {spec.condition for spec in build(file, sensors).alarms.values()}
    assert len(conditions) > 30
    wanted = {f"{of}.{condition}" for condition in conditions for of in ("alarm", "advice")}
    assert wanted - set(texts(locale)) == set()
