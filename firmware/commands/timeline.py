"""The outage plan as a timeline in text, in the room's language: bars, stages, hosts, return."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.texts import text, texts

Json = Mapping[str, Any]

WIDTH = 48  # columns of the axis
FAR = 3.0  # a runtime beyond so many times the plan's end leaves the axis at the right

# The snapshot names qualities as the UPS's normal form does, with the unit.
QUALITIES = {
    "charge": "charge_pct",
    "load": "load_pct",
    "input_voltage": "input_voltage_v",
    "input_frequency": "input_frequency_hz",
}

Round = Callable[[float], int]


def timeline(plan: Json, room: Json) -> list[str]:
    """Return the lines. `room`: the snapshot's, for its language and its timezone."""
    return _Words(room["locale"], ZoneInfo(room["timezone"])).plan(plan)


class _Words:
    def __init__(self, locale: str, zone: ZoneInfo) -> None:
        self._locale = locale
        self._zone = zone

    def say(self, id: str, **values: object) -> str:
        return text(self._locale, id, values)

    def plan(self, plan: Json) -> list[str]:
        lines = [f"{self.say('ui.power.plan')}: {self._power(plan)}"]
        if plan["hosts"]:
            lines.append(f"{self._margin(plan)} · {self._proven(plan['last_run'])}")
        lines += ["", *self._axis(plan), ""]
        lines += self._upses(plan["upses"])
        lines += _columns([self._host(each) for each in plan["hosts"]])
        if plan["permissive"]:
            lines += self._return(plan["permissive"])
        if plan["drill"]:
            lines += self._drill(plan["drill"])
        return lines

    def _power(self, plan: Json) -> str:
        power = plan["power"]
        told = [self.say(f"ui.word.state.{power['state']}")]
        if plan["phase"] == "returning":
            told.append(self.say("ui.power.returning"))
        if power["since"]:
            told.append(self.say("ui.alarm.since", time=self._time(power["since"])))
        if power["on_battery_s"]:
            spent = self._duration(power["on_battery_s"], math.floor)
            told.append(self.say("ui.power.on-battery", time=spent))
        if power["reason"] and power["state"] != "mains":
            told.append(power["reason"])
        told += [self.say(f"ui.power.{fact}") for fact in ("projected", "vouched") if power[fact]]
        return " · ".join(told)

    def _margin(self, plan: Json) -> str:
        fits, spare_s = plan["fits"], plan["spare_s"]
        if fits is None or spare_s is None:
            return self.say("ui.power.spare-unknown")
        if fits:
            return self.say("ui.power.spare", time=self._duration(spare_s, math.floor))
        return self.say("ui.power.short", time=self._duration(spare_s, math.ceil))

    def _proven(self, run: Json | None) -> str:
        if run is None:
            return self.say("ui.power.never-proven")
        id = f"ui.power.{run['kind']}-{'proven' if run['ok'] else 'failed'}"
        return self.say(id, date=self._at(run["at"]).date().isoformat())

    def _axis(self, plan: Json) -> list[str]:
        """The runtime left, what the plan needs, and each stage, on one axis from now on."""
        blocks = list(_placed(plan["stages"]))
        runtime_s, need_s = plan["power"]["runtime_s"], plan["need_s"]
        end_s = max([need_s or 0.0, *(to_s for _, _, to_s in blocks)])
        span_s = min(max(end_s, runtime_s or 0.0), end_s * FAR) or runtime_s or 60.0
        rows = [
            self._bar("ui.power.runtime", runtime_s, span_s, "="),
            self._bar("ui.power.need", need_s, span_s, "#"),
        ]
        for stage, from_s, to_s in blocks:
            name = self.say("ui.power.stage", stage=stage["stage"])
            rows.append([name, _drawn(from_s, to_s, span_s, "-"), self._stage(stage)])
        for stage in plan["stages"]:
            if stage["done"]:
                rows.append([self.say("ui.power.stage", stage=stage["stage"]), "", "✓"])
        end = self._duration(span_s, round)
        scale = f"|0{end.rjust(WIDTH - 2 - (_width(end) - len(end)))}|"
        return _columns([*rows, [self.say("ui.power.from-now"), scale]])[:-1]

    def _bar(self, id: str, seconds: float | None, span_s: float, mark: str) -> list[str]:
        if seconds is None:
            return [self.say(id), "?" * WIDTH, self.say("ui.mark.unknown")]
        drawn = _drawn(0.0, seconds, span_s, mark)
        beyond = drawn[:-1] + ">" if seconds > span_s else drawn
        return [self.say(id), beyond, self._duration(seconds, math.floor)]

    def _stage(self, stage: Json) -> str:
        if stage["begun"]:
            begun = self.say(
                "ui.power.begun", stage=stage["stage"], time=self._time(stage["begun"])
            )
            return " · ".join(filter(None, [begun, stage["reason"]]))
        if stage["begins_in_s"] is not None:
            return self.say("ui.power.in", time=self._duration(stage["begins_in_s"], round))
        return self._triggers(stage)

    def _triggers(self, stage: Json) -> str:
        on, words = stage["triggers"], []
        if on["after_s"] is not None:
            words.append(self.say("ui.trigger.after", time=self._duration(on["after_s"], round)))
        if on["charge_below"] is not None:
            words.append(self.say("ui.trigger.charge", percent=on["charge_below"]))
        if on["runtime_below_s"] is not None:
            below = self._duration(on["runtime_below_s"], round)
            words.append(self.say("ui.trigger.runtime", time=below))
        if on["need"]:
            words.append(self.say("ui.trigger.need"))
        if on["temperature_above"] is not None:
            words.append(self.say("ui.trigger.temperature", value=on["temperature_above"]))
        id = "ui.trigger.stage" if words else "ui.trigger.none"
        return self.say(id, stage=stage["stage"], words=words)

    def _upses(self, upses: Sequence[Json]) -> list[str]:
        if not upses:
            return []
        names = ("supply", "charge", "runtime", "load", "input", "", "age", "self-test", "faults")
        head = ["UPS", *(self.say(f"ui.ups.{name}") if name else "" for name in names)]
        return _columns([head, *map(self._ups, upses)])

    def _ups(self, ups: Json) -> list[str]:
        def shown(name: str, told: Callable[[Any], str]) -> str:
            value = ups[name]
            quality = ups["quality"].get(QUALITIES.get(name, name), "missing")
            if value is None:
                return "-"
            return told(value) if quality == "good" else f"{told(value)} ({quality})"

        supply = shown("supply", lambda word: self._word("supply", word))
        faults = [self.say(f"ui.fault.{each}") for each in ups["faults"] or ()]
        link = ups["link"]
        return [
            ups["id"],
            supply,
            shown("charge", lambda value: f"{value:g} %"),
            shown("runtime_s", lambda value: self._duration(value, math.floor)),
            shown("load", lambda value: f"{value:g} %"),
            shown("input_voltage", lambda value: f"{value:g} V"),
            shown("input_frequency", lambda value: f"{value:g} Hz"),
            shown("battery_age_d", lambda value: self.say("ui.time.d", n=math.floor(value))),
            shown("self_test", lambda word: self._word("self-test", word)),
            texts(self._locale)["list.comma"].join(faults),
            link if link not in (None, "ok") else "",
        ]

    def _word(self, role: str, value: str) -> str:
        known = f"ui.word.{role}.{value}"
        return self.say(known if known in texts(self._locale) else f"ui.word.{value}")

    def _host(self, host: Json) -> list[str]:
        signs = {"up": "+", "down": "-"}
        evidence = [
            f"{self.say(f'ui.evidence.{kind}')}{signs.get(said, '?')}"
            for kind, said in host["evidence"].items()
        ]
        return [
            str(host["stage"]),
            host["id"],
            host["name"],
            self.say(f"ui.word.state.{host['phase']}"),
            self.say("ui.alarm.since", time=self._time(host["since"])) if host["since"] else "",
            " ".join(evidence),
            f"{host['confirmed']}/{host['needs']}",
            host["reason"] or "",
        ]

    def _return(self, permissive: Json) -> list[str]:
        signs = {True: "✓", False: "✕", None: "?"}
        rows = [
            [signs[item["ok"]], self._label(item["id"]), item["text"] or ""]
            for item in permissive["items"]
        ]
        open_items = [self._label(item["id"]) for item in permissive["items"] if not item["ok"]]
        head = (
            self.say("ui.return.ok")
            if permissive["ok"]
            else self.say("ui.return.waits", reason=permissive["reason"] or open_items)
        )
        return [head, *_columns(rows)]

    def _label(self, id: str) -> str:
        known = f"ui.permissive.{id}"
        return self.say(known) if known in texts(self._locale) else id

    def _drill(self, drill: Json) -> list[str]:
        signs = {True: "✓", False: "✕", None: "…"}
        head = [self.say("ui.drill.running" if drill["running"] else "ui.drill.over")]
        if drill["since"]:
            head.append(self.say("ui.alarm.since", time=self._time(drill["since"])))
        rows = [
            [
                signs[step["ok"]],
                self.say(f"ui.drill.{step['action']}", host=step["host"]),
                step["text"] or "",
                "" if step["took_s"] is None else self.say("ui.time.s", n=float(step["took_s"])),
            ]
            for step in drill["steps"]
        ]
        return [" · ".join(head), *_columns(rows)]

    def _at(self, stamp: str) -> datetime:
        return datetime.fromisoformat(stamp).astimezone(self._zone)

    def _time(self, stamp: str) -> str:
        return self._at(stamp).strftime("%m-%d %H:%M:%S")

    def _duration(self, seconds: float, rounded: Round) -> str:
        """As the panel writes it: seconds up to 2 min, minutes up to 2 h, then hours."""
        size = abs(seconds)
        if size < 120:
            return self.say("ui.time.s", n=rounded(size))
        if size < 7200:
            return self.say("ui.time.min", n=rounded(size / 60))
        return self.say("ui.time.h", n=rounded(size / 360) / 10)


def _placed(stages: Iterable[Json]) -> Iterable[tuple[Json, float, float]]:
    """Yield the stages that are not done with their begin and end, in seconds from now. One
    whose start cannot be foreseen follows the one before it."""
    after_s = 0.0
    for stage in stages:
        if stage["done"]:
            continue
        foreseen = stage["begins_in_s"]
        from_s = 0.0 if stage["begun"] else after_s if foreseen is None else foreseen
        to_s = from_s + (stage["need_s"] or 0.0)
        after_s = max(after_s, to_s)
        yield stage, from_s, to_s


def _drawn(from_s: float, to_s: float, span_s: float, mark: str) -> str:
    start = min(WIDTH - 1, round(from_s / span_s * WIDTH))
    end = min(WIDTH, max(start + 1, round(to_s / span_s * WIDTH)))
    return " " * start + mark * (end - start if to_s > from_s else 0)


def _width(shown: str) -> int:
    """Columns of a terminal: Chinese takes two each."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in shown)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of aligned columns, and an empty one after them."""
    if not rows:
        return []
    count = max(map(len, rows))
    full = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(_width(row[at]) for row in full) for at in range(count)]
    lines = []
    for row in full:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        lines.append(
            "  ".join(cell for cell, width in zip(cells, widths, strict=True) if width).rstrip()
        )
    return [*lines, ""]
