"""What the Power page offers a person is what the gate takes from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from controller.core.reading import Now
from controller.core.request import Origin, Request, Role, Status
from controller.core.rules.comeback import WAIVABLE
from controller.core.scan import scan
from tests.core.conftest import Rig
from tests.web import powerscenes
from tests.web.conftest import Panel
from tests.web.powerscenes import charging_rig, down, falls_silent, returning_rig, rig_of, room
from tests.web.screens import WALL, Screen, opened

pytestmark = pytest.mark.system

Offer = tuple[str, str]


def takes(rig: Rig, action: str, args: dict[str, str], origin: Origin) -> bool:
    """Whether the controller would take this now from an operator there; it is only asked, and
    nothing comes of it."""
    asked = Request("r", action, args, "chen", Role.OPERATE, origin)
    now = Now(rig.mono_s, rig.wall_s)
    answers = scan(rig.room, rig.memory, rig.image, (asked,), now).answers
    first = next(answer for answer in answers if answer.id == "r")
    return first.status in (Status.ACCEPTED, Status.DONE)


def taken(rig: Rig, origin: Origin = Origin.LOCAL_SCREEN) -> set[Offer]:
    """All that would be taken, and would change anything."""
    plan = powerscenes.snapshot(rig)["plan"]
    unmet = [item["id"] for item in plan["permissive"]["items"] if item["ok"] is not True]
    assert set(unmet) & {"smoke", "cut", "finished", "mains"} or set(unmet) <= set(WAIVABLE)
    asked = [
        ("start-hosts", "", {}),
        *(("start-hosts", id, {"override": id}) for id in unmet),
        *(("drill", which, {"plan": which}) for which in ("outage", "return")),
        *(("confirm-down", host["id"], {"host": host["id"]}) for host in plan["hosts"]),
    ]
    if not plan["power"]["vouched"]:
        asked.append(("confirm-mains", "", {}))
    return {(action, arg) for action, arg, args in asked if takes(rig, action, args, origin)}


def offered(screen: Screen, rig: Rig) -> set[Offer]:
    """All that the page offers, sheet by sheet."""
    page = screen.page
    found: set[Offer] = set()
    for host in rig.servers:
        page.tap(f'#page [data-arg="host:{host}"]')
        page.wait_for_selector(f'#sheet h2:has-text("{host}")')
        found |= _buttons(screen)
        page.tap("#sheet [data-do=close]")
    for kind in ("return", "drill"):
        page.tap(f'#bar [data-arg="{kind}:plan"]')
        page.wait_for_selector("#sheet [data-key=told]")
        found |= _buttons(screen)
        page.tap("#sheet [data-do=close]")
    return found


def _buttons(screen: Screen) -> set[Offer]:
    all = screen.page.locator("#sheet [data-hold]:enabled").evaluate_all(
        "all => all.map(one => [one.dataset.do, one.dataset.arg ?? ''])"
    )
    return {(action, arg) for action, arg in all}


def well() -> Rig:
    return rig_of(room())


def fell_silent() -> Rig:
    """A server that somebody switched off."""
    rig = well()
    rig.servers["host-1"].body.switch_off()
    rig.run_until(lambda: rig.phase("host-1") == "down", 120.0)
    return rig


def unreachable() -> Rig:
    """A server of which nothing tells anything."""
    rig = well()
    powerscenes.fixed(rig, "host-1", network=None, client=None, management=None)
    rig.run(20.0)
    return rig


def outage() -> Rig:
    rig = well()
    powerscenes.fixed(rig, "host-2", network=False, client=None, management=True)
    powerscenes.fixed(rig, "host-3", network=False, client=None, management=None)
    rig.mains_fails()
    rig.run(150.0)
    return rig


def charged() -> Rig:
    """All holds, a scan before the return begins of itself."""
    rig = charging_rig()
    rig.ups.says["charge"] = 80.0
    rig.run_until(lambda: rig.plan.returning_s is not None, 10.0)
    return rig


def short_of(**says: object) -> Callable[[], Rig]:
    def build() -> Rig:
        rig = charging_rig()
        rig.ups.says |= {name.replace("_", "-"): value for name, value in says.items()}
        rig.run(10.0)
        return rig

    return build


def just_back() -> Rig:
    rig = down(well())
    rig.ups.says |= {"battery-low": False, "charge": 90.0}
    rig.mains_returns()
    rig.run(60.0)
    return rig


def in_smoke() -> Rig:
    rig = charging_rig()
    rig.ups.says["charge"] = 80.0
    rig.set("smoke-1", True)
    rig.run(5.0)
    return rig


def waived() -> Rig:
    rig = charging_rig()
    rig.ask("start-hosts", override="charge")
    rig.run(20.0)
    return rig


def warm() -> Rig:
    """In a return that began of itself it grew too warm; all that is left waits."""
    rig = charging_rig()
    rig.ups.says["charge"] = 80.0
    rig.run(15.0)
    rig.air["rack-air.temperature"] = 30.0
    rig.run(120.0)
    return rig


def lost() -> Rig:
    return falls_silent(down_and_back())


def down_and_back() -> Rig:
    rig = down(well())
    rig.ups.says |= {"battery-low": False, "charge": 30.0}
    rig.mains_returns()
    rig.run(20.0)
    return rig


def vouched() -> Rig:
    rig = lost()
    rig.ask("confirm-mains")
    rig.run(200.0)
    return rig


def drilling() -> Rig:
    rig = well()
    rig.servers["host-3"].mute = True
    rig.ask("drill", plan="outage")
    rig.run(5.0)
    return rig


SITUATIONS = [
    well, fell_silent, unreachable, outage, charging_rig, charged, just_back, in_smoke, waived,
    warm, returning_rig, lost, vouched, drilling,
    pytest.param(short_of(charge=None), id="charge not known"),
    pytest.param(short_of(charge=80.0, input_voltage=250.0), id="voltage too high"),
    pytest.param(short_of(charge=80.0, input_frequency=40.0), id="frequency too low"),
    pytest.param(short_of(charge=30.0, input_voltage=250.0), id="charge and voltage"),
]  # fmt: skip


@pytest.fixture(scope="module")
def screen(browser: Browser, shared_panel: Panel) -> Iterator[Screen]:
    """The kiosk on the wall, with an operator signed in, on its Power page."""
    shared_panel.reset()
    shared_panel.show(powerscenes.well())
    shared_panel.people.add("chen", "陈工", "operate", pin="284619")
    screen = opened(browser, shared_panel, viewport=WALL, locale="en")
    screen.page.tap("#rail [data-do=signin]")
    screen.page.tap("[data-do=who]")
    for digit in "284619✓":
        screen.page.tap(f'[data-do=key][data-arg="{digit}"]')
    screen.page.wait_for_selector("#rail [data-do=signout]")
    screen.page.tap("#rail [data-arg=power]")
    screen.page.wait_for_selector(".power")
    yield screen
    screen.context.close()


def marked(rig: Rig, words: str) -> powerscenes.Json:
    """The room as it is, with something by which one sees that the page shows it."""
    scene = powerscenes.snapshot(rig)
    scene["plan"]["power"] |= {"vouched": rig.power.vouched}
    scene["plan"]["hosts"][-1] |= {"reason": words, "why": None}
    return scene


@pytest.mark.parametrize("build", SITUATIONS)
def test_an_operator_is_offered_what_the_gate_would_take(
    screen: Screen, shared_panel: Panel, build: Callable[[], Rig]
) -> None:
    rig = build()
    shared_panel.show(marked(rig, f"scene {id(rig)}"))
    expect(screen.page.locator(".hosts")).to_contain_text(f"scene {id(rig)}")
    assert offered(screen, rig) == taken(rig)


@pytest.mark.parametrize("remote", [True, False], ids=["allowed", "not allowed"])
def test_an_operator_elsewhere_is_offered_what_the_gate_would_take(
    browser: Browser, folder: Path, remote: bool
) -> None:
    rig = charging_rig()
    rig.room.policy = replace(rig.room.policy, remote_operate=remote)
    panel = Panel(folder, remote_operate=remote)
    try:
        panel.show(marked(rig, "too little charge"))
        panel.people.add("chen", "陈工", "operate", password="seven-lamps-cool")
        screen = Screen(browser, panel, viewport=WALL, locale="en")
        screen.context.request.post(
            f"{panel.url}/api/v1/session",
            data={"id": "chen", "password": "seven-lamps-cool"},
            headers={"Origin": panel.url},
        )
        screen.page.goto(panel.url)
        screen.page.tap("#rail [data-arg=power]")
        expect(screen.page.locator(".hosts")).to_contain_text("too little charge")
        assert offered(screen, rig) == taken(rig, Origin.NETWORK_PANEL)
        rig.ups.says["charge"] = 80.0
        rig.run_until(lambda: rig.plan.returning_s is not None, 10.0)
        panel.show(marked(rig, "all holds"))
        expect(screen.page.locator(".hosts")).to_contain_text("all holds")
        assert offered(screen, rig) == taken(rig, Origin.NETWORK_PANEL)
        screen.context.close()
    finally:
        panel.close()
