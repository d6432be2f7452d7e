"""The Power page as people see and touch it, in Debian's Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.web import powerscenes, scenes
from tests.web.conftest import Panel, wait
from tests.web.screens import PHONE, WALL, Screen, brush, finger_on, opened

pytestmark = pytest.mark.system

Scene = Callable[[], dict[str, Any]]
SCENES: list[Scene] = [
    powerscenes.well,
    powerscenes.outage,
    powerscenes.long_names,
    powerscenes.short,
    powerscenes.lost,
    powerscenes.projected,
    powerscenes.returned,
    powerscenes.charging,
    powerscenes.returning,
    powerscenes.drilling,
]


def to_power(screen: Screen) -> None:
    screen.page.tap("#rail [data-arg=power]")
    screen.page.wait_for_selector(".power")


@pytest.fixture
def power(browser: Browser, panel: Panel) -> Iterator[Screen]:
    """The kiosk on the wall on its Power page, in English, all well."""
    panel.show(powerscenes.well())
    screen = opened(browser, panel, viewport=WALL, locale="en")
    to_power(screen)
    yield screen
    screen.context.close()


@pytest.fixture
def operator(power: Screen, panel: Panel) -> Screen:
    """The same with somebody signed in who may operate."""
    panel.people.add("chen", "陈工", "operate", pin="284619")
    power.page.tap("#rail [data-do=signin]")
    power.page.tap("[data-do=who]")
    for digit in "284619✓":
        power.page.tap(f'[data-do=key][data-arg="{digit}"]')
    power.page.wait_for_selector("#rail [data-do=signout]")
    panel.door.requests.clear()
    return power


def show(screen: Screen, panel: Panel, scene: dict[str, Any]) -> None:
    """Show a scene and wait until the page has drawn it, by its head."""
    mark = f"scene {id(scene)}"
    scene["plan"]["power"] |= {"reason": mark, "why": None}
    if scene["plan"]["power"]["state"] == "mains":
        scene["plan"]["hosts"][-1] |= {"reason": mark, "why": None}
    panel.show(scene)
    expect(screen.page.locator(".power")).to_contain_text(mark)


def test_everything_of_the_plan_stands_on_one_screen_without_scrolling(
    browser: Browser, panel: Panel, locale: str, size: dict[str, int]
) -> None:
    panel.show(powerscenes.well())
    screen = opened(browser, panel, viewport=size, locale=locale)
    to_power(screen)
    for build in SCENES:
        show(screen, panel, build())
        expect(screen.page.locator(".host")).to_have_count(6)
        for selector in ("#page", "html", "#rail", "#bar", ".hosts", ".upses"):
            overflow = screen.page.locator(selector).evaluate(
                "node => [node.scrollHeight - node.clientHeight,"
                " node.scrollWidth - node.clientWidth]"
            )
            assert max(overflow) <= 0, (build.__name__, selector)
        small = screen.page.locator("button:visible").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().height < 48 ||"
            " one.getBoundingClientRect().width < 48).map(one => one.outerHTML)"
        )
        assert small == []
    assert screen.faults == []
    screen.context.close()


@pytest.mark.parametrize(("hosts", "upses"), [(6, 3), (12, 2), (16, 1)])
def test_a_larger_room_stands_on_one_screen_too(
    browser: Browser, panel: Panel, size: dict[str, int], hosts: int, upses: int
) -> None:
    panel.show(powerscenes.well(hosts, upses))
    screen = opened(browser, panel, viewport=size, locale="en")
    to_power(screen)
    for selector in ("#page", ".hosts", ".upses"):
        overflow = screen.page.locator(selector).evaluate(
            "node => [node.scrollHeight - node.clientHeight, node.scrollWidth - node.clientWidth]"
        )
        assert max(overflow) <= 0, selector
    screen.context.close()


def test_the_rail_has_eight_targets_and_power_only_where_there_is_a_plan(
    wall: Screen, panel: Panel
) -> None:
    expect(wall.page.locator("#rail [data-arg=power]")).to_have_count(0)
    panel.show(powerscenes.well())
    expect(wall.page.locator("#rail button")).to_have_count(8)


def test_the_margin_is_said_in_words(browser: Browser, panel: Panel, locale: str) -> None:
    words = {
        "zh-CN": ["余量 6 分钟", "来不及：差 3 分钟", "余量未知"],
        "en": ["6 min to spare", "does not fit: 3 min short", "Time to spare not known"],
    }[locale]
    panel.show(powerscenes.well())
    screen = opened(browser, panel, viewport=WALL, locale=locale)
    to_power(screen)
    margin = screen.page.locator(".margin h1")
    for build, said in zip(
        (powerscenes.outage, powerscenes.short, powerscenes.lost), words, strict=True
    ):
        panel.show(build())
        expect(margin).to_contain_text(said)
    expect(margin).to_have_class("unknown")
    screen.context.close()


def test_a_margin_is_never_rounded_up(power: Screen, panel: Panel) -> None:
    scene = powerscenes.well()
    scene["plan"] |= {"fits": True, "spare_s": 179.0}
    show(power, panel, scene)
    expect(power.page.locator(".margin h1")).to_have_text("2 min to spare")
    scene = powerscenes.short()
    scene["plan"] |= {"spare_s": -121.0}
    show(power, panel, scene)
    expect(power.page.locator(".margin h1")).to_contain_text("3 min short")


def test_runtime_need_and_stages_stand_on_one_axis(power: Screen, panel: Panel) -> None:
    show(power, panel, powerscenes.outage())

    def ends(selector: str) -> list[float]:
        box = power.page.locator(selector).bounding_box()
        assert box is not None
        return [box["x"], box["x"] + box["width"]]

    left, right = ends(".lanes")

    def at(seconds: float) -> float:
        return left + (right - left) * seconds / 780.0

    near = pytest.approx
    assert ends(".lanes .runtime") == near([at(0), at(780)], abs=2)
    assert ends(".lanes .need") == near([at(0), at(420)], abs=2)
    assert ends(".lanes .stage.begun") == near([at(0), at(150)], abs=2)
    assert ends(".lanes .stage:not(.begun)") == near([at(360), at(540)], abs=2)
    show(power, panel, powerscenes.short())
    expect(power.page.locator(".lanes .short")).to_have_count(1)


def test_what_a_lost_ups_said_is_not_shown_as_if_it_were_true(power: Screen, panel: Panel) -> None:
    scene = powerscenes.lost()
    ups = scene["plan"]["upses"][0]
    ups |= {"charge": 88.0, "quality": ups["quality"] | {"charge_pct": "frozen"}}
    show(power, panel, scene)
    row = power.page.locator(".upses tbody tr")
    expect(row).to_have_class("unknown")
    expect(row.locator("s")).to_have_text("88 %")
    expect(row).to_contain_text("silent")
    expect(power.page.locator(".lanes .runtime")).to_have_count(0)
    expect(power.page.locator(".lanes .unknown")).to_have_count(1)


def test_what_a_ups_does_not_tell_at_all_is_no_fault(power: Screen, panel: Panel) -> None:
    scene = powerscenes.well()
    ups = scene["plan"]["upses"][0]
    ups |= {"load": None, "quality": ups["quality"] | {"load_pct": "missing"}}
    show(power, panel, scene)
    expect(power.page.locator(".upses .untold")).to_have_text("—")
    expect(power.page.locator(".upses .unknown")).to_have_count(0)


def test_each_host_says_its_state_since_when_why_and_what_says_so(
    power: Screen, panel: Panel
) -> None:
    show(power, panel, powerscenes.outage())
    stopping = power.page.locator('[data-key="host-2"]')
    expect(stopping).to_contain_text("stopping")
    expect(stopping).to_contain_text("1/2")
    expect(stopping.locator(".unknown")).to_have_text("Client?")
    expect(power.page.locator('[data-key="host-3"]')).to_have_class("host unconfirmed high")
    stopping.tap()
    sheet = power.page.locator("#sheet")
    expect(sheet).to_contain_text("stops in 40 s, measured")
    expect(sheet).to_contain_text("Stage 1 begins: 2 min on battery, charge below 70 %")
    expect(sheet).to_contain_text("proves nothing")
    expect(sheet.locator("[data-do=confirm-down]")).to_have_count(0)


def test_while_hosts_return_what_must_hold_stands_instead_of_the_axis(
    power: Screen, panel: Panel
) -> None:
    show(power, panel, powerscenes.returning())
    expect(power.page.locator(".axis")).to_be_hidden()
    items = power.page.locator(".conditions .item")
    expect(items).to_have_count(10)
    expect(items.filter(has_text="Charge")).to_contain_text("✓")
    expect(items.filter(has_text="the room below 28 °C")).to_contain_text("✕")
    expect(items.filter(has_text="frequency")).to_contain_text("waived")
    order = power.page.locator(".host .name").all_inner_texts()
    assert order[:3] == ["教务系统", "监控录像", "测试机"]
    expect(power.page.locator('[data-key="host-3"]')).to_contain_text("教务系统, which it needs")
    expect(power.page.locator("#bar")).to_contain_text("not met: the room below 28 °C")


def test_the_last_proven_run_has_its_date(power: Screen, panel: Panel) -> None:
    margin = power.page.locator(".margin")
    expect(margin).to_contain_text("Proven by the drill of 2026-02-14")
    show(power, panel, powerscenes.drilling())
    expect(margin).to_contain_text("The outage of 2026-03-01 did not go well")
    scene = powerscenes.well()
    scene["plan"]["last_run"] = None
    show(power, panel, scene)
    expect(margin).to_contain_text("Never proven")


def test_a_drill_shows_each_step_as_it_ends(power: Screen, panel: Panel) -> None:
    show(power, panel, powerscenes.drilling())
    power.page.tap('#bar [data-arg="drill:plan"]')
    steps = power.page.locator("#sheet .drill .item")
    expect(steps).to_have_count(7)
    expect(steps.nth(1)).to_contain_text("✓")
    expect(steps.nth(2)).to_contain_text("✕")
    expect(steps.nth(3)).to_contain_text("…")


def test_without_a_sign_in_the_plan_can_be_looked_at_only(power: Screen) -> None:
    for kind in ("return", "drill"):
        power.page.tap(f'#bar [data-arg="{kind}:plan"]')
        expect(power.page.locator("#sheet")).to_contain_text("Operators sign in")
        expect(power.page.locator("#sheet [data-hold]")).to_have_count(0)
        power.page.tap("#sheet [data-do=close]")


def test_hosts_are_started_by_holding_with_one_condition_waived(
    operator: Screen, panel: Panel
) -> None:
    scene = powerscenes.charging()
    scene["alarms"] = [scenes.alarm("front-door.held-open", "low")]
    show(operator, panel, scene)
    to_sheet = '#bar [data-arg="return:plan"]'
    start = "#sheet [data-do=start-hosts]"
    operator.page.tap(to_sheet)
    brush(operator.page, start, 0.5)
    brush(operator.page, start, 0.0)
    operator.page.tap("#sheet [data-do=close]")  # it covers every other button
    asked = operator.asked_up_to("#bar [data-do=acknowledge-all]")
    assert [each["action"] for each in asked] == ["acknowledge"]
    panel.door.requests.clear()
    operator.page.tap(to_sheet)
    with finger_on(operator.page, start):
        wait(lambda: len(panel.door.requests) == 1)
    expect(operator.page.locator("#answer")).to_have_text("Done")
    assert panel.door.requests[0]["action"] == "start-hosts"
    assert panel.door.requests[0]["args"] == {"override": "charge"}


def test_where_more_than_one_condition_is_missing_it_is_said_which(
    operator: Screen, panel: Panel
) -> None:
    show(operator, panel, powerscenes.returned())
    operator.page.tap('#bar [data-arg="return:plan"]')
    expect(operator.page.locator("#sheet [data-hold]")).to_have_count(0)
    expect(operator.page.locator('#sheet [data-key="frequency"]')).to_contain_text("?")
    expect(operator.page.locator("#sheet .buttons")).to_have_text(
        "One condition may be waived, and more are not met:"
        " Stable, Charge, Voltage, Frequency, Temperature"
    )


def test_hosts_that_wait_for_the_charge_are_seen_to_wait(power: Screen, panel: Panel) -> None:
    show(power, panel, powerscenes.charging())
    expect(power.page.locator(".power h1").first).to_have_text("On mainsreturn waits")
    expect(power.page.locator(".axis")).to_be_hidden()
    expect(power.page.locator(".conditions .missing")).to_have_text("✕Chargecharge 40 % or more")
    expect(power.page.locator("#bar")).to_contain_text("not met: charge 40 % or more")


def test_a_condition_that_a_person_has_waived_is_shown_so(power: Screen, panel: Panel) -> None:
    show(power, panel, powerscenes.waived())
    expect(power.page.locator(".conditions .waived")).to_contain_text("charge 40 % or more")
    expect(power.page.locator(".conditions .waived")).to_contain_text("waived")
    expect(power.page.locator(".conditions .missing")).to_have_count(0)
    expect(power.page.locator("#bar")).to_contain_text("Hosts may be started")


def test_a_runtime_that_is_only_reckoned_is_said_to_be(power: Screen, panel: Panel) -> None:
    show(power, panel, powerscenes.projected())
    expect(power.page.locator(".power header")).to_contain_text("runtime projected")


def test_a_ups_of_contacts_has_no_faults_struck_out(power: Screen, panel: Panel) -> None:
    scene = powerscenes.contacts()
    scene["plan"]["power"] |= {"reason": "contacts", "why": None}
    panel.show(scene)
    row = power.page.locator(".upses tbody tr")
    expect(row.locator("td").first).to_have_text("ups")
    expect(row.locator(".unknown, s")).to_have_count(0)
    expect(row.locator(".untold")).to_have_count(8)


def test_a_refused_start_says_why_where_the_finger_was(operator: Screen, panel: Panel) -> None:
    panel.door.reply = {
        "id": "1",
        "status": "refused",
        "reason": "机房有火警",
        "why": {"id": "permissive.fire", "values": {}},
    }
    show(operator, panel, powerscenes.charging())
    operator.page.tap('#bar [data-arg="return:plan"]')
    with finger_on(operator.page, "#sheet [data-do=start-hosts]"):
        wait(lambda: len(panel.door.requests) == 1)
    expect(operator.page.locator("#answer")).to_have_text("Refused: fire alarm in the room")


def test_a_drill_begins_by_holding(operator: Screen, panel: Panel) -> None:
    operator.page.tap('#bar [data-arg="drill:plan"]')
    with finger_on(operator.page, "#sheet [data-arg=return]"):
        wait(lambda: len(panel.door.requests) == 1)
    assert panel.door.requests[0]["action"] == "drill"
    assert panel.door.requests[0]["args"] == {"plan": "return"}
    panel.show(powerscenes.drilling())
    expect(operator.page.locator("#sheet [data-arg=outage]")).to_be_disabled()


def test_a_person_who_sees_a_host_down_says_so_by_holding(operator: Screen, panel: Panel) -> None:
    show(operator, panel, powerscenes.outage())
    operator.page.tap('#page [data-arg="host:host-3"]')
    with finger_on(operator.page, "#sheet [data-do=confirm-down]"):
        wait(lambda: len(panel.door.requests) == 1)
    assert panel.door.requests[0]["action"] == "confirm-down"
    assert panel.door.requests[0]["args"] == {"host": "host-3"}
    assert panel.door.requests[0]["as"]["origin"] == "local-screen"


def test_a_person_confirms_the_mains_only_where_it_is_in_doubt(
    operator: Screen, panel: Panel
) -> None:
    operator.page.tap('#bar [data-arg="return:plan"]')
    confirm = operator.page.locator("#sheet [data-do=confirm-mains]")
    expect(confirm).to_have_count(0)
    panel.show(powerscenes.lost())
    expect(confirm).to_have_count(1)
    with finger_on(operator.page, "#sheet [data-do=confirm-mains]"):
        wait(lambda: [each["action"] for each in panel.door.requests] == ["confirm-mains"])


def test_twelve_hosts_are_leafed_through_with_those_in_alarm_first(
    power: Screen, panel: Panel
) -> None:
    scene = powerscenes.well(12)
    scene["alarms"] = [scenes.alarm("host-12.start-failed", "high")]
    panel.show(scene)
    hosts = power.page.locator(".host:not(.more)")
    expect(hosts).to_have_count(5)
    expect(hosts.first).to_have_attribute("data-key", "host-12")
    seen = set()
    for page in (1, 2, 3):
        expect(power.page.locator(".host.more")).to_contain_text(f"Page {page} of 3")
        keys = hosts.evaluate_all("all => all.map(one => one.dataset.key)")
        seen.update(keys)
        power.page.tap(".host.more")
    assert seen == {f"host-{at}" for at in range(1, 13)}
    overflow = power.page.locator("#page").evaluate(
        "node => node.scrollHeight - node.clientHeight"
    )
    assert overflow <= 0


def test_a_room_with_no_hosts_or_no_ups_has_a_power_page_too(power: Screen, panel: Panel) -> None:
    panel.show(powerscenes.well(hosts=0))
    expect(power.page.locator(".host")).to_have_count(0)
    expect(power.page.locator(".lanes .runtime")).to_have_count(1)
    expect(power.page.locator("#bar [data-arg='return:plan']")).to_have_count(0)
    panel.show(powerscenes.well(upses=0))
    expect(power.page.locator(".host")).to_have_count(6)
    expect(power.page.locator(".upses")).to_have_text("No UPS in this room")
    none = powerscenes.well()
    panel.show(none | {"plan": None})
    expect(power.page.locator("#page")).to_contain_text("neither a UPS nor hosts")
    assert power.faults == []


MARKS = {
    "well": (powerscenes.well, "ok", "ok"),
    "outage": (powerscenes.outage, "fault", "fault"),
    "lost": (powerscenes.lost, "ok", "unknown"),
    "returning": (powerscenes.returning, "ok", "ok"),
}


@pytest.mark.parametrize("name", MARKS)
def test_the_band_marks_mains_and_ups_as_the_plan_judges_them(
    wall: Screen, panel: Panel, name: str
) -> None:
    build, mains, ups = MARKS[name]
    panel.show(build())
    expect(wall.page.locator("[data-mark=mains]")).to_have_class(f"mark {mains}")
    expect(wall.page.locator("[data-mark=ups]")).to_have_class(f"mark {ups}")


@pytest.mark.parametrize("state", ["disagreement", "unknown"])
def test_mains_that_is_in_doubt_is_marked_so(wall: Screen, panel: Panel, state: str) -> None:
    scene = powerscenes.well()
    scene["plan"]["power"]["state"] = state
    panel.show(scene)
    expect(wall.page.locator("[data-mark=mains]")).to_have_class("mark unknown")


def test_on_the_room_page_ups_and_hosts_take_one_block_each(wall: Screen, panel: Panel) -> None:
    scene = powerscenes.outage()
    scene["points"].append(scenes._point("host-1.state", "host", "down"))
    scene["points"].append(scenes._ups("charge", 67.0, "%"))
    panel.show(scene)
    expect(wall.page.locator('[data-point="main-ups"]')).to_contain_text("battery67 %")
    hosts = wall.page.locator('[data-point="hosts"]')
    expect(hosts).to_contain_text("3/6")
    expect(wall.page.locator('[data-point="host-1.state"]')).to_have_count(0)
    hosts.tap()
    expect(wall.page.locator(".power")).to_be_visible()


def test_the_power_page_fits_the_width_of_a_phone(browser: Browser, panel: Panel) -> None:
    panel.show(powerscenes.outage())
    screen = opened(browser, panel, path="/", viewport=PHONE, locale="en")
    to_power(screen)
    for selector in ("body", "#page", "#rail"):
        wide = screen.page.locator(selector).evaluate(
            "node => node.scrollWidth - node.clientWidth"
        )
        assert wide <= 0, selector
    rows = screen.page.locator("#rail button").evaluate_all(
        "all => new Set(all.map(one => Math.round(one.getBoundingClientRect().top))).size"
    )
    assert rows == 2, "the words of eight targets need the width"
    screen.context.close()
