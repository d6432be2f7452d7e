"""What a simulated UPS says in NUT's words. Source: NUT's docs/nut-names.txt, new-drivers.txt."""

from __future__ import annotations

from datetime import date, timedelta

from simulators.ups import SimulatedUps

_SUPPLY = {"mains": "OL", "battery": "OB", "bypass": "BYPASS", "off": "OFF"}
_TEST_WORD = {"running": "TEST", "calibrating": "CAL"}
_TEST_RESULT = {
    "none": "No test initiated",
    "running": "In progress",
    "calibrating": "In progress",
    "passed": "Done and passed",
    "failed": "Done and error",
}
_FAULT_WORD = {"overload": "OVER", "replace-battery": "RB"}


def variables(ups: SimulatedUps, today: date) -> dict[str, str]:
    """Return the variables of the UPS as a USB driver would."""
    said = ups.values()
    age = timedelta(days=float(said["battery_age_d"]))
    return {
        "battery.charge": f"{said['charge_pct']:.0f}",
        "battery.date": (today - age).strftime("%Y/%m/%d"),
        "battery.runtime": f"{said['runtime_s']:.0f}",
        "device.mfr": "Roomwarden",
        "device.model": "Simulated UPS",
        "device.type": "ups",
        "input.frequency": f"{said['input_frequency_hz']:.2f}",
        "input.voltage": f"{said['input_voltage_v']:.1f}",
        "output.voltage": f"{ups.meters.inner_values()['output_voltage_v']:.1f}",
        "ups.load": f"{said['load_pct']:.0f}",
        "ups.status": _status(said, ups),
        "ups.test.result": _TEST_RESULT[str(said["self_test"])],
    }


def _status(said: dict[str, bool | float | str], ups: SimulatedUps) -> str:
    words = [_SUPPLY[str(said["supply"])]]
    if said["battery_low"]:
        words.append("LB")
    if said["supply"] == "battery":
        words.append("DISCHRG")
    elif ups.battery.charging and ups.battery.charge_pct < 100.0:
        words.append("CHRG")
    if said["self_test"] in _TEST_WORD:
        words.append(_TEST_WORD[str(said["self_test"])])
    words += [_FAULT_WORD[fault] for fault in str(said["faults"]).split()]
    return " ".join(words)
