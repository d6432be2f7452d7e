"""What must hold before anything is started."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY
from tests.core.power.returns import OFFICE, STAGES, down, item, started_s, up_again
from tests.core.powerrooms import CUTS, SMOKE, room, stage

pytestmark = pytest.mark.slow


def contact_absent(rig):
    rig.set("mains", False)


def contact_present(rig):
    rig.set("mains", True)


def says(**values):
    """The UPS says so."""
    return lambda rig: rig.ups.says.update(values)


def air(celsius):
    return lambda rig: rig.air.update({"rack-air.temperature": celsius})


def smoke(value):
    return lambda rig: rig.set("smoke-1", value)


def sensor(silent):
    return lambda rig: (rig.silent.add if silent else rig.silent.discard)("rack-air")


def well(rig):
    rig.ups.says.clear()


PERMISSIVES = [
    pytest.param("mains", contact_absent, contact_present, False, id="the mains contact"),
    pytest.param("charge", says(charge=30.0), well, False, id="the charge"),
    pytest.param("charge", says(charge=None), well, None, id="an unknown charge"),
    pytest.param("voltage", says(**{"input-voltage": 250.0}), well, False, id="the voltage"),
    pytest.param("voltage", says(**{"input-voltage": None}), well, None, id="an unknown voltage"),
    pytest.param("frequency", says(**{"input-frequency": 47.0}), well, False, id="the frequency"),
    pytest.param("temperature", air(30.0), air(22.0), False, id="a warm room"),
    pytest.param("temperature", sensor(True), sensor(False), None, id="an unknown temperature"),
    pytest.param("smoke", smoke(True), smoke(False), False, id="smoke"),
]


@pytest.mark.parametrize(("which", "breaks", "mends", "ok"), PERMISSIVES)
def test_nothing_starts_before_each_permissive_holds(fallen, which, breaks, mends, ok):
    rig = fallen()
    rig.mains_returns()
    breaks(rig)
    rig.run(120.0)
    assert rig.sent("office") == ["stop"]
    assert rig.sent("standby") == ["stop"]
    shown = item(rig, which)
    assert shown["ok"] is ok or (ok is None and shown["ok"] is not True)
    assert shown["text"]
    permissive = rig.view()["permissive"]
    assert permissive["ok"] is False
    assert permissive["reason"]
    mends(rig)
    rig.run_until(lambda: up_again(rig), 300.0, 2.0)
    assert rig.view()["permissive"]["ok"] in (True, False)


def test_nothing_starts_before_the_mains_has_been_stable(fallen):
    rig = fallen(room(STANDBY, OFFICE, stages=STAGES))
    rig.mains_returns()
    back_s = rig.at_s
    for _ in range(2):
        rig.run(25.0)
        assert item(rig, "stable")["ok"] is False
        rig.mains_fails()
        rig.run(3.0)
        rig.mains_returns()
        back_s = rig.at_s
    rig.run_until(lambda: started_s(rig, "office"), 60.0)
    assert started_s(rig, "office")[0] - back_s >= 30.0


def test_a_voltage_out_of_band_begins_the_stable_time_anew(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run(20.0)
    rig.ups.volts = 180.0
    rig.run(5.0)
    rig.ups.volts = 230.0
    well_s = rig.at_s
    rig.run_until(lambda: started_s(rig, "office"), 60.0)
    assert started_s(rig, "office")[0] - well_s >= 25.0


def test_a_line_that_misses_a_poll_now_and_then_delays_a_return_and_does_not_forbid_it(fallen):
    rig = fallen()
    rig.mains_returns()
    back_s = rig.at_s
    gap_s, ends_s = 5.0, back_s + 120.0
    unseen_s = 0.0
    while not started_s(rig, "office") and rig.at_s < ends_s:
        rig.run(12.0)
        if not started_s(rig, "office"):
            rig.ups.silent = True
            rig.run(gap_s)
            assert item(rig, "voltage")["ok"] is not True, "what is not known is not in band"
            rig.ups.silent = False
            unseen_s += gap_s - 3.0  # its word is good for three of its periods
    assert started_s(rig, "office"), "no start in spite of a mains that was in band"
    assert started_s(rig, "office")[0] - back_s >= 30.0 + unseen_s


def test_a_voltage_that_was_unknown_for_long_begins_its_time_in_band_anew(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run(20.0)
    rig.ups.says["input-voltage"] = None
    rig.run(20.0)
    rig.ups.says.clear()
    heard_s = rig.at_s
    rig.run_until(lambda: started_s(rig, "office"), 90.0)
    assert started_s(rig, "office")[0] - heard_s >= 30.0


def test_nothing_starts_in_a_room_whose_supply_is_cut(rigged):
    rig = rigged(room(STANDBY, OFFICE, SMOKE, CUTS, stages=STAGES) + '[fire]\nfed = "outside"\n')
    down(rig)
    rig.ask("cut")
    rig.mains_returns()
    rig.run(120.0)
    assert started_s(rig, "office") == []
    assert item(rig, "cut")["ok"] is False
    rig.ask("restore")
    rig.run_until(lambda: up_again(rig), 400.0, 2.0)


@pytest.mark.parametrize("contact", [False, True], ids=["no contact", "contact"])
def test_without_return_limits_only_what_is_known_forbids_a_start(rigged, contact):
    tables = room(STANDBY, stages=(stage(1, after="10s"),), mains=contact, ups="")
    rig = rigged(tables[: tables.index("[return]")])
    rig.air["rack-air.temperature"] = 42.0
    rig.run_until(lambda: rig.phase("standby") == "down", 600.0)
    rig.air["rack-air.temperature"] = 22.0
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)


def test_with_its_only_ups_out_of_service_a_room_is_asked_no_charge_and_no_voltage(rigged):
    limits = {"charge_above": 40, "voltage": [198, 242]}
    rig = down(rigged(room(STANDBY, stages=(stage(1, after="10s"),), return_=limits)))
    rig.ups.silent = True
    rig.run(20.0)
    rig.mains_returns()
    rig.ask("out-of-service", part="main-ups", reason="its card died", privileged=True)
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)


def test_what_happened_to_the_voltage_while_the_controller_was_away_is_not_known(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run(20.0)
    rig.ups.silent = True
    rig.restart()
    rig.run(4.0)
    rig.ups.silent = False
    heard_s = rig.at_s
    rig.run_until(lambda: rig.view()["permissive"]["ok"], 60.0)
    assert rig.at_s - heard_s >= 30.0
