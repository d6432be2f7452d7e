"""What a UPS says in NUT's words, as the normal form of a UPS. Sources: NUT's docs/nut-names.txt
and docs/new-drivers.txt (words of ups.status), its drivers (test results, alarms), and the dumps
of real UPSes that its users report.

Nothing is called healthy that was not said. A status is understood when it holds one word for
what feeds the load and no word against it; one that is not understood gives None for everything
that its words would have told. Words that we do not know stand beside it without harm, since NUT
adds some in every release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from controller.core.parts import LIVE, UPS_FAULTS, UPS_VALUES

Normal = dict[str, bool | float | str | None]

_SUPPLY = {"OFF": "off", "BYPASS": "bypass", "OB": "battery", "OL": "mains"}  # first wins
_FAULT_WORDS = {"OVER": "overload", "RB": "replace-battery", "FSD": "shutdown-imminent"}

# Parts of the texts that drivers put into ups.alarm. One that holds none of them is "internal".
_ALARMS = {
    r"overload|load (is )?too high": "overload",
    r"replace battery|battery (must|needs to|should) be replaced|battery .*(bad|worn)|bad battery":
        "replace-battery",
    r"no battery|battery (is )?(disconnected|not (connected|installed|present)|missing|absent)":
        "battery-disconnected",
    r"over ?temperature|temperature (is )?too high|overheat|over ?heat|too hot": "overheated",
    r"charger": "charger",
    r"inverter": "inverter",
    r"\bfan\b": "fan",
    r"fuse": "fuse",
    r"emergency|\bepo\b": "emergency-off",
}  # fmt: skip
# FSD with other words: the status says it.
_NO_FAULT = r"shutdown imminent"

# Parts of ups.test.result, the first that is found. A warning is no pass. Source: the drivers'
# own texts ("Done and passed", "Test OK", APC's OK, BT, NG and NO, "Passed, Source: Internal").
_TEST_RESULTS = {
    r"progress|running": "running",
    r"fail|error|warning|bad|not (pass|ok|good)|unsuccess|\b(bt|ng)\b": "failed",
    r"abort|refuse|invalid|no test|not (tested|run)|none|pending|scheduled|\bno\b": "none",
    r"pass|\bok\b|good|success": "passed",
}

_UNKNOWN_RUNTIME_S = 65535.0  # all bits set
# What no mains is, in V and Hz: below it, the UPS that says it is on line does not measure it.
# Guesses: 80 V is under every UPS's transfer point on a net of 100 V.
_DEAD_V, _ODD_HZ = 80.0, (40.0, 70.0)
_NOMINAL_V = 230.0  # where the UPS does not say its own: three phases are Europe's and Asia's
_PHASES = tuple(f"input.{phase}{to}.voltage" for to in ("-N", "") for phase in ("L1", "L2", "L3"))

# A battery's date is free text; only these forms mean one day everywhere.
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")

# Measured by the UPS, and moving while it lives. Without the first sort nothing is sure to move.
_MEASURED = re.compile(r"(battery|input|output|bypass)(\.[\w-]+)*\.(voltage|current|frequency)")
_BESIDE = re.compile(
    r"((battery|ups|ambient)\.([\w-]+\.)*temperature|battery\.(charge|runtime)|"
    r"(ups|output)(\.[\w-]+)*\.(load|power|realpower))"
)


def normal_form(variables: Mapping[str, str], today: date) -> Normal:
    """Return the values of `UPS_VALUES` that the variables tell, and `LIVE`; see `Ups.read`."""
    # Some drivers let through the comments that dumps carry behind their values.
    told = {name: value.partition("#")[0].strip() for name, value in variables.items()}
    normal = _status(told)
    is_fed = normal["supply"] == "mains"
    if "battery.charge" in told:
        normal["charge_pct"] = _number(told["battery.charge"], "charge_pct")
    if "battery.runtime" in told:
        normal["runtime_s"] = _runtime(told["battery.runtime"], normal)
    if "ups.load" in told:
        normal["load_pct"] = _number(told["ups.load"], "load_pct")
    voltages = _voltages(told)
    if voltages:
        normal["input_voltage_v"] = _voltage(voltages, told, is_fed)
    if "input.frequency" in told:
        hertz = _number(told["input.frequency"], "input_frequency_hz")
        odd = is_fed and hertz is not None and not _ODD_HZ[0] <= hertz <= _ODD_HZ[1]
        normal["input_frequency_hz"] = None if odd else hertz
    normal.update(_age(told, today))
    if "battery-disconnected" in str(normal["faults"]).split():
        # A battery that is not there has neither, whatever the UPS reckons.
        normal.update({key: None for key in ("charge_pct", "runtime_s") if key in normal})
    live = _live(told)
    return {**normal, LIVE: live} if live else normal


def _status(told: Mapping[str, str]) -> Normal:
    """Return supply, battery_low, self_test and faults: what the words of ups.status decide."""
    words = set(told.get("ups.status", "").split())
    supply = next((_SUPPLY[word] for word in _SUPPLY if word in words), None)
    contradicted = {"OL", "OB"} <= words or ({"OL", "DISCHRG"} <= words and _is_dead(told))
    if "WAIT" in words or contradicted:
        supply = None
    is_low = bool(words & {"LB", "FSD"})
    faults = sorted(set(_faults(told, words)), key=UPS_FAULTS.index)
    return {
        "supply": supply,
        "battery_low": True if is_low else False if supply else None,
        "self_test": _self_test(words, told.get("ups.test.result", ""), supply is not None),
        "faults": " ".join(faults) if faults or supply else None,
    }


def _faults(told: Mapping[str, str], words: set[str]) -> Iterator[str]:
    yield from (fault for word, fault in _FAULT_WORDS.items() if word in words)
    alarm = told.get("ups.alarm", "").lower()
    found = [fault for form, fault in _ALARMS.items() if re.search(form, alarm)]
    yield from found
    if not found and (alarm or "ALARM" in words) and not re.search(_NO_FAULT, alarm):
        yield "internal"


def _self_test(words: set[str], result: str, is_understood: bool) -> str | None:
    """Return what is under way, else the last result. A status that is understood and says
    nothing of a test says that none is under way."""
    if "CAL" in words:
        return "calibrating"
    if "TEST" in words:
        return "running"
    if not is_understood:
        return None
    if not result:
        return "none"
    found = (test for form, test in _TEST_RESULTS.items() if re.search(form, result.lower()))
    return next(found, None)


def _runtime(text: str, normal: Normal) -> float | None:
    """A UPS that reckons only on battery says 0 while it is fed, its battery full."""
    runtime_s = _number(text, "runtime_s")
    unreckoned = runtime_s == 0.0 and normal["supply"] == "mains" and normal.get("charge_pct")
    return None if runtime_s == _UNKNOWN_RUNTIME_S or unreckoned else runtime_s


def _voltages(told: Mapping[str, str]) -> list[str]:
    """Return the input voltage, or those of the phases."""
    if "input.voltage" in told:
        return [told["input.voltage"]]
    phases = [told[name] for name in _PHASES[:3] if name in told]
    return phases or [told[name] for name in _PHASES[3:] if name in told]


def _voltage(texts: list[str], told: Mapping[str, str], is_fed: bool) -> float | None:
    """Return the voltage; of several phases the one that is farthest from the nominal one."""
    nominal_v = _number(told.get("input.voltage.nominal", ""), "input_voltage_v") or _NOMINAL_V
    volts = [_number(text, "input_voltage_v") for text in texts]
    known = [volt for volt in volts if volt is not None]
    if len(known) < len(volts):
        return None
    voltage_v = max(known, key=lambda volt: abs(volt - nominal_v))
    return None if is_fed and voltage_v < _DEAD_V else voltage_v


def _is_dead(told: Mapping[str, str]) -> bool:
    volts = [_number(text, "input_voltage_v") for text in _voltages(told)]
    return any(volt is not None and volt < _DEAD_V for volt in volts)


def _age(told: Mapping[str, str], today: date) -> Normal:
    """Return the days since the battery was put in or made, whichever is later: the day of
    putting in is often the maker's, set before the battery was made."""
    dates = []
    for name in ("battery.date", "battery.mfr.date"):
        found = _DATE.fullmatch(told.get(name, ""))
        if found is not None:
            try:
                dates.append(date(int(found[1]), int(found[2]), int(found[3])))
            except ValueError:
                continue
    if not dates:
        return {}
    days = float((today - max(dates)).days)
    return {"battery_age_d": days if days >= 0.0 else None}


def _number(text: str, key: str) -> float | None:
    """Read a number within the range of its key; None where it is none."""
    spec = UPS_VALUES[key]
    try:
        number = float(text)
    except ValueError:
        return None
    return number if spec.low <= number <= spec.high else None


def _live(told: Mapping[str, str]) -> str:
    if not any(_MEASURED.fullmatch(name) for name in told):
        return ""
    live = sorted(n for n in told if _MEASURED.fullmatch(n) or _BESIDE.fullmatch(n))
    return " ".join(f"{name}={told[name]}" for name in live)
