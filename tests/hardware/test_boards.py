"""The pin tables of the boards are whole."""

from __future__ import annotations

import pytest

from hardware.boards import board_table, header_places

BOARDS = ["simulated", "rpi3", "rpi4", "rpi5"]


@pytest.mark.parametrize("kind", BOARDS)
def test_every_pin_of_a_board_has_one_pull(kind):
    board = board_table(kind)
    assert board.pulled_up | board.pulled_down == set(range(28))
    assert not board.pulled_up & board.pulled_down


@pytest.mark.parametrize("kind", BOARDS)
def test_nothing_is_wired_to_the_eeprom_and_no_relay_to_i2c_or_the_console(kind):
    board = board_table(kind)
    refused = {
        table: {pin for pin in range(28) if board.why_reserved(table, pin)}
        for table in ("input", "output")
    }
    assert refused == {"input": {0, 1}, "output": {0, 1, 2, 3, 14, 15}}


def test_every_pin_has_a_place_of_its_own_on_the_header():
    # Power: 3.3 V on 1 and 17, 5 V on 2 and 4; ground on the rest.
    power = {1, 2, 4, 17, 6, 9, 14, 20, 25, 30, 34, 39}
    assert set(header_places()) == set(range(28))
    assert set(header_places().values()) == set(range(1, 41)) - power
