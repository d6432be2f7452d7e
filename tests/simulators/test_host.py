from __future__ import annotations

import pytest

from simulators.host import Phase, SimulatedHost


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost()


def test_a_host_takes_15_s_to_stop_and_20_s_to_boot(host: SimulatedHost) -> None:
    assert host.stop()
    seen = []
    for now_s in (0.0, 14.9, 15.0, 20.0):
        host.advance(now_s)
        seen.append(host.phase)
    assert host.start()
    for now_s in (20.0, 39.9, 40.0):
        host.advance(now_s)
        seen.append(host.phase)
    assert seen == ["stopping", "stopping", "off", "off", "booting", "booting", "up"]
    assert (host.stops, host.starts, host.hard_cuts) == (1, 1, 0)


def test_one_long_step_passes_through_everything(host: SimulatedHost) -> None:
    host.stop()
    host.advance(1e6)
    assert (host.phase, host.stops) == (Phase.OFF, 1)


@pytest.mark.parametrize(
    ("phase", "answers", "manageable", "running"),
    [
        (Phase.UNPOWERED, False, False, False),
        (Phase.OFF, False, True, False),
        (Phase.BOOTING, False, True, True),
        (Phase.UP, True, True, True),
        (Phase.STOPPING, True, True, True),
        (Phase.CRASHED, False, True, True),
    ],
)
def test_what_answers_in_each_phase(
    host: SimulatedHost, phase: Phase, answers: bool, manageable: bool, running: bool
) -> None:
    host.phase = phase
    assert (host.answers, host.manageable, host.is_running) == (answers, manageable, running)
    host.act("silent")
    assert (host.answers, host.manageable, host.is_running) == (False, False, running)


def test_a_hanging_host_ignores_its_stop_until_normal(host: SimulatedHost) -> None:
    host.act("hang")
    assert not host.stop()
    host.act("normal")
    assert host.stop()


def test_a_host_that_does_not_boot_does_once_it_is_normal(host: SimulatedHost) -> None:
    host.act("off")
    host.act("no-boot")
    host.start()
    host.advance(1e6)
    assert host.phase is Phase.BOOTING
    host.act("normal")
    host.advance(1e6 + 20.0)
    assert host.is_up


def test_a_crashed_host_draws_power_and_stops_for_nobody(host: SimulatedHost) -> None:
    host.act("crash")
    assert not host.stop()
    assert host.drawn_w == 400.0
    host.act("normal")
    host.advance(20.0)
    assert host.is_up


@pytest.mark.parametrize(
    ("prepare", "hard_cuts", "phase_with_power"),
    [
        pytest.param((), 1, Phase.BOOTING, id="running: it boots by itself"),
        pytest.param(("off",), 0, Phase.OFF, id="off: it stays off"),
        pytest.param(("crash",), 1, Phase.BOOTING, id="crashed: it boots by itself"),
    ],
)
def test_power_that_goes_and_comes(
    host: SimulatedHost, prepare: tuple[str, ...], hard_cuts: int, phase_with_power: Phase
) -> None:
    for value in prepare:
        host.act(value)
    host.supply(False)
    assert (host.phase, host.hard_cuts, host.drawn_w) == (Phase.UNPOWERED, hard_cuts, 0.0)
    assert not host.start()
    host.supply(True)
    assert host.phase is phase_with_power


def test_a_host_that_starts_with_its_outlet_boots_though_it_was_off() -> None:
    host = SimulatedHost(boots_with_power=True)
    host.act("off")
    host.supply(False)
    host.supply(True)
    assert host.phase is Phase.BOOTING


def test_a_start_while_it_stops_is_lost(host: SimulatedHost) -> None:
    host.stop()
    assert not host.start()
    host.advance(15.0)
    assert host.phase is Phase.OFF


def test_switched_off_hard_it_is_off_at_once(host: SimulatedHost) -> None:
    host.switch_off()
    assert (host.phase, host.hard_cuts) == (Phase.OFF, 1)
