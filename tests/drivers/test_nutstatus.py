"""NUT's words, and the normal form that they become."""

from __future__ import annotations

from datetime import date

import pytest

from controller.core.parts import LIVE, SELF_TESTS, SUPPLIES, UPS_FAULTS
from drivers.nutstatus import normal_form

TODAY = date(2026, 3, 1)


def told(status: str | None = "OL", **values: str) -> dict[str, object]:
    variables = {name.replace("_", "."): value for name, value in values.items()}
    if status is not None:
        variables["ups.status"] = status
    return dict(normal_form(variables, TODAY))


@pytest.mark.parametrize(
    ("status", "supply", "low"),
    [
        ("OL", "mains", False),
        ("OL CHRG", "mains", False),
        ("CHRG OL", "mains", False),
        ("OL HE", "mains", False),
        ("OL SOMETHING-NEW", "mains", False),
        ("OL BOOST", "mains", False),
        ("OL TRIM", "mains", False),
        ("OL LB", "mains", True),
        ("FSD OL", "mains", True),
        ("OB", "battery", False),
        ("OB DISCHRG", "battery", False),
        ("OB LB", "battery", True),
        ("FSD OB LB", "battery", True),
        ("BYPASS", "bypass", False),
        ("OL BYPASS", "bypass", False),
        ("OB BYPASS", "bypass", False),
        ("OFF", "off", False),
        ("OL CHRG OFF", "off", False),
        ("OFF OB LB", "off", True),
        ("OFF BYPASS", "off", False),
        ("OL # always OL, says the owner", "mains", False),
        ("OFF\t#BAD: it is always +OFF+; it should read OL", "off", False),
        ("OL OB", None, None),
        ("OL OB LB", None, True),
        ("OFF OL OB", None, None),
        ("WAIT", None, None),
        ("OL WAIT", None, None),
        ("", None, None),
        ("\t#BAD: it is always empty, not OL", None, None),
        (None, None, None),
        ("TRIM", None, None),
        ("BOOST", None, None),
        ("ALARM", None, None),
        ("CHRG", None, None),
        ("FSD", None, True),
        ("LB", None, True),
        ("COMMOK", None, None),
        ("ol", None, None),
        ("OLD", None, None),
        ("OL,CHRG", None, None),
    ],
)
def test_the_status_says_what_feeds_the_load_or_nothing(status, supply, low):
    found = told(status)
    assert (found["supply"], found["battery_low"]) == (supply, low)


@pytest.mark.parametrize("status", ["", "WAIT", "OL OB", "TRIM", "nonsense", None])
def test_a_status_that_is_not_understood_earns_no_health(status):
    assert told(status, ups_test_result="Done and passed") == {
        "supply": None,
        "battery_low": None,
        "self_test": None,
        "faults": None,
    }


def test_discharging_on_line_with_a_dead_input_is_no_mains():
    assert told("OL DISCHRG", input_voltage="0.0")["supply"] is None
    assert told("OL DISCHRG", input_voltage="232.0")["supply"] == "mains"
    assert told("OL DISCHRG")["supply"] == "mains"


@pytest.mark.parametrize(
    ("status", "result", "self_test"),
    [
        ("OL", None, "none"),
        ("OL", "No test initiated", "none"),
        ("OL", "NO", "none"),
        ("OL", "Done and passed", "passed"),
        ("OL", "Passed, Source: Internal", "passed"),
        ("OL", "OK", "passed"),
        ("OL", "Done and warning", "failed"),
        ("OL", "Done and error", "failed"),
        ("OL", "Failed", "failed"),
        ("OL", "BT", "failed"),
        ("OL", "NG", "failed"),
        ("OL", "In progress", "running"),
        ("OL", "Aborted", "none"),
        ("OL", "Test scheduled", "none"),
        ("OL", "Not passed", "failed"),
        ("OL", "plugh", None),
        ("OL", "", "none"),
        ("OL CAL", "Done and passed", "calibrating"),
        ("OB CAL DISCHRG", None, "calibrating"),
        ("OB TEST", None, "running"),
        ("CAL", None, "calibrating"),
    ],
)
def test_a_self_test_is_told_from_an_outage(status, result, self_test):
    values = {} if result is None else {"ups_test_result": result}
    assert told(status, **values)["self_test"] == self_test


@pytest.mark.parametrize(
    ("status", "alarm", "faults"),
    [
        ("OL", None, ""),
        ("OL", "", ""),
        ("OL OVER", None, "overload"),
        ("OL RB", None, "replace-battery"),
        ("OL RB OVER", None, "overload replace-battery"),
        ("ALARM OL", None, "internal"),
        ("ALARM OL CHRG", "No battery installed!", "battery-disconnected"),
        ("ALARM OL", "Replace battery!", "replace-battery"),
        ("ALARM OL", "Replace battery! Fan failure!", "replace-battery fan"),
        ("ALARM OL", "UPS overload!", "overload"),
        ("ALARM OL", "Temperature too high!", "overheated"),
        ("ALARM OL", "Over temperature", "overheated"),
        ("ALARM OL", "Charger failure", "charger"),
        ("ALARM OL", "Inverter failure", "inverter"),
        ("ALARM OL", "Fuse blown", "fuse"),
        ("ALARM OFF", "EPO active", "emergency-off"),
        ("OL", "Something else", "internal"),
        ("ALARM OL FSD", "Shutdown imminent!", "shutdown-imminent"),
        ("RB", None, "replace-battery"),
        ("", "UPS overload!", "overload"),
    ],
)
def test_faults_are_named_in_the_words_of_the_normal_form(status, alarm, faults):
    found = told(status, **({} if alarm is None else {"ups_alarm": alarm}))["faults"]
    assert found == faults
    assert set(str(found).split()) <= set(UPS_FAULTS)


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("battery_charge", "093.0", "charge_pct", 93.0),
        ("battery_charge", "0", "charge_pct", 0.0),
        ("battery_charge", "1000 #BAD: is 100%", "charge_pct", None),
        ("battery_charge", "-143.2", "charge_pct", None),
        ("battery_charge", "nan", "charge_pct", None),
        ("battery_charge", "inf", "charge_pct", None),
        ("battery_charge", "NA", "charge_pct", None),
        ("battery_charge", "", "charge_pct", None),
        ("battery_runtime", "03979", "runtime_s", 3979.0),
        ("battery_runtime", "65535", "runtime_s", None),
        ("battery_runtime", "-1", "runtime_s", None),
        ("ups_load", "150.00\t\t#BAD: should be 15", "load_pct", 150.0),
        ("ups_load", "520", "load_pct", None),
        ("input_voltage", "0117.50", "input_voltage_v", 117.5),
        ("input_voltage", "0.0", "input_voltage_v", None),
        ("input_voltage", "-159357104.0", "input_voltage_v", None),
        ("input_frequency", "60.50", "input_frequency_hz", 60.5),
        ("input_frequency", "5.0", "input_frequency_hz", None),
        ("input_frequency", "5990.0", "input_frequency_hz", None),
        ("input_frequency", "80.12", "input_frequency_hz", None),
    ],
)
def test_a_number_that_cannot_be_right_is_not_told(variable, text, key, value):
    assert told("OL", **{variable: text})[key] == value


def test_without_mains_the_input_may_be_dead():
    found = told("OB", input_voltage="6.4", input_frequency="0.0")
    assert (found["input_voltage_v"], found["input_frequency_hz"]) == (6.4, 0.0)


def test_a_runtime_of_nothing_is_believed_except_of_a_charged_battery_on_line():
    assert told("OL", battery_runtime="0", battery_charge="100")["runtime_s"] is None
    assert told("OL", battery_runtime="0", battery_charge="0")["runtime_s"] == 0.0
    assert told("OB", battery_runtime="0", battery_charge="100")["runtime_s"] == 0.0
    assert told("OL", battery_runtime="0")["runtime_s"] == 0.0


def test_a_battery_that_is_not_there_has_no_charge_and_no_runtime():
    found = told(
        "ALARM OL", ups_alarm="No battery installed!", battery_charge="0", battery_runtime="1350"
    )
    assert (found["charge_pct"], found["runtime_s"]) == (None, None)


@pytest.mark.parametrize(
    ("phases", "voltage"),
    [
        (("231", "230", "229.5"), 231.0),
        (("231", "0.0", "230"), None),
        (("260", "260", "230"), 260.0),
        (("231", "broken", "230"), None),
    ],
)
def test_of_three_phases_the_worst_one_is_told(phases, voltage):
    values = {f"input.L{n}-N.voltage": text for n, text in enumerate(phases, 1)}
    assert normal_form({"ups.status": "OL", **values}, TODAY)["input_voltage_v"] == voltage


def test_what_is_not_told_is_left_out():
    assert told("OL") == {
        "supply": "mains",
        "battery_low": False,
        "self_test": "none",
        "faults": "",
    }


@pytest.mark.parametrize(
    ("dates", "age"),
    [
        ({"battery_date": "2026-02-01"}, 28.0),
        ({"battery_date": "2026/02/01"}, 28.0),
        ({"battery_mfr_date": "2026/02/01"}, 28.0),
        ({"battery_date": "2001/09/25", "battery_mfr_date": "2026/02/01"}, 28.0),
        ({"battery_date": "2027-01-01"}, None),
        ({"battery_date": "2026-02-31"}, "left out"),
        ({"battery_date": "10/11/11"}, "left out"),
        ({"battery_date": "not set"}, "left out"),
        ({"battery_mfr_date": "CPS"}, "left out"),
    ],
)
def test_the_batterys_age_is_told_of_a_day_that_everybody_reads_alike(dates, age):
    assert told("OL", **dates).get("battery_age_d", "left out") == age


def test_what_is_live_changes_with_each_measurement_and_with_nothing_else():
    measured = {
        "input_voltage": "230.1",
        "output_voltage": "230.0",
        "battery_voltage": "27.3",
        "ups_load": "12",
        "ups_temperature": "31.0",
        "battery_charge": "100",
        "input_frequency": "50.0",
        "output_current": "1.1",
    }
    first = told("OL", **measured)[LIVE]
    for name in measured:
        assert told("OL", **{**measured, name: "99"})[LIVE] != first, name
    for still in (
        "driver_state",
        "ups_timer_shutdown",
        "input_voltage_nominal",
        "ups_delay_start",
    ):
        assert told("OL", **measured, **{still: "99"})[LIVE] == first, still


def test_a_ups_that_measures_nothing_that_moves_is_not_said_to_be_live():
    assert LIVE not in told("OL", battery_charge="100", battery_runtime="3600", ups_load="0")


def test_only_words_of_the_normal_form_are_told():
    for status in ("OL", "OB", "BYPASS", "OFF"):
        assert told(status)["supply"] in SUPPLIES
        assert told(f"{status} CAL")["self_test"] in SELF_TESTS
