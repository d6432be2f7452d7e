"""The panel as people see and touch it, in Debian's Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.web import scenes
from tests.web.conftest import Panel, wait
from tests.web.screens import DESK, PHONE, WALL, Screen, brush, finger_on, opened

pytestmark = pytest.mark.system

SCENES = {
    "normal": (scenes.normal, {"zh-CN": "正常", "en": "Normal"}),
    "attention": (scenes.stale, {"zh-CN": "注意", "en": "Attention"}),
    "alarm": (scenes.hot, {"zh-CN": "报警", "en": "Alarm"}),
    "fire": (scenes.burnt, {"zh-CN": "火警", "en": "Fire"}),
}


def test_the_rooms_state_is_one_word_in_both_languages_and_sizes(
    browser: Browser, panel: Panel, locale: str, size: dict[str, int]
) -> None:
    screen = opened(browser, panel, viewport=size, locale=locale)
    word = screen.page.locator("#band .word span")
    for build, words in SCENES.values():
        panel.show(build())
        expect(word).to_have_text(words[locale])
        assert word.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 56
    assert screen.faults == []
    assert screen.foreign == []
    screen.context.close()


def test_the_room_page_with_twenty_points_never_scrolls(
    browser: Browser, panel: Panel, locale: str, size: dict[str, int]
) -> None:
    screen = opened(browser, panel, viewport=size, locale=locale)
    for build in (scenes.normal, scenes.hot, scenes.stale, scenes.cooling):
        scene = build()
        assert len(scene["points"]) >= 20
        panel.show(scene)
        expect(screen.page.locator("#band .word span")).to_have_text(
            SCENES[scene["state"]][1][locale]
        )
        for selector in ("#page", "html", "body", "#rail", "#bar"):
            overflow = screen.page.locator(selector).evaluate(
                "node => [node.scrollHeight - node.clientHeight,"
                " node.scrollWidth - node.clientWidth]"
            )
            assert max(overflow) <= 0, selector
    screen.context.close()


PAGES = {
    "room": ".block",
    "alarms": ".row:not(.event)",
    "trends": "canvas",
    "projectors": ".tile",
    "events": ".row.event",
}


@pytest.mark.parametrize("page", PAGES)
def test_every_target_is_large_enough_for_a_glove(
    browser: Browser, panel: Panel, page: str, size: dict[str, int]
) -> None:
    panel.show(scenes.hot())
    screen = opened(browser, panel, viewport=size, locale="en")
    expect(screen.page.locator("#band .word span")).to_have_text("Alarm")
    screen.page.tap(f"#rail [data-arg={page}]")
    expect(screen.page.locator(f"#page {PAGES[page]}").first).to_be_visible()
    small = screen.page.locator("button:visible").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().height < 48 ||"
        " one.getBoundingClientRect().width < 48).map(one => one.outerHTML)"
    )
    assert small == []
    screen.context.close()


def test_no_text_is_smaller_than_16_pixels(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    expect(wall.page.locator("#band .word span")).to_have_text("Alarm")
    small = wall.page.locator("body *:visible").evaluate_all(
        "all => all.filter(one => !one.closest('svg') &&"
        " [...one.childNodes].some(child => child.nodeType === 3 && child.data.trim()) &&"
        " parseFloat(getComputedStyle(one).fontSize) < 16).map(one => one.outerHTML)"
    )
    assert small == []


def test_a_change_in_the_room_shows_without_a_reload(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    shown = wall.page.locator('[data-point="rack-air.temperature"]')
    expect(shown).to_contain_text("31.6")
    expect(wall.page.locator("#band")).to_contain_text("rack-air: temperature high, 31.6 °C")
    expect(wall.page.locator("#band")).to_contain_text("Check the air conditioner")


def test_what_is_not_known_is_struck_out_and_says_so(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.stale())
    block = wall.page.locator('[data-point="rack-air.temperature"]')
    expect(block.locator("s")).to_have_text("23.4")
    expect(block.locator(".quality")).to_contain_text("stale")


def test_acknowledge_works_by_tap_without_a_sign_in(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    wall.page.tap("#rail [data-arg=alarms]")
    wall.page.tap('#page [data-arg="rack-air.temperature-high"]')
    expect(wall.page.locator("#answer")).to_have_text("Done")
    assert [asked["args"] for asked in panel.door.requests] == [
        {"alarm": "rack-air.temperature-high"}
    ]


def test_silence_and_acknowledge_all_stand_in_the_action_bar(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    wall.page.tap("#bar [data-do=silence]")
    wait(lambda: [asked["action"] for asked in panel.door.requests] == ["silence"])
    wall.page.tap("#bar [data-do=acknowledge-all]")
    wait(lambda: len(panel.door.requests) == 3)
    assert [asked["args"]["alarm"] for asked in panel.door.requests[1:]] == [
        "rack-air.temperature-high",
        "aircon.not-cooling",
    ]


def test_a_refusal_says_why_in_the_readers_language(wall: Screen, panel: Panel) -> None:
    panel.door.reply = {
        "id": "1",
        "status": "refused",
        "reason": "暂缓时间已用完",
        "why": {"id": "refused.hold-spent", "values": {}},
    }
    panel.show(scenes.hot())
    wall.page.tap("#bar [data-do=silence]")
    expect(wall.page.locator("#answer")).to_have_text("Refused: The time for holding is used up")


def test_the_countdown_takes_the_whole_screen_and_hold_freezes_it(
    wall: Screen, panel: Panel
) -> None:
    panel.show(scenes.countdown(37.2))
    digits = wall.page.locator(".digits")
    expect(digits).to_contain_text("38")
    assert digits.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 200
    expect(wall.page.locator(".countdown")).to_contain_text("Room cut, UPS cut")
    with finger_on(wall.page, ".holdbutton"):
        wait(lambda: [asked["action"] for asked in panel.door.requests] == ["hold"])
    panel.show(scenes.countdown(36.0, held=True))
    expect(wall.page.locator(".countdown")).to_contain_text("Held")


def test_brushing_past_the_hold_button_holds_nothing(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.countdown())
    brush(wall.page, ".holdbutton:enabled", 0.5)
    brush(wall.page, ".holdbutton:enabled", 0.0)
    panel.show(scenes.hot())  # the countdown covers every other button
    asked = wall.asked_up_to("#bar [data-do=silence]")
    assert [each["action"] for each in asked] == ["silence"]


def test_after_a_fire_the_screen_says_what_is_still_live(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.burnt())
    cuts = wall.page.locator(".aftermath .cut")
    expect(cuts.nth(0)).to_contain_text("cut, proven")
    expect(cuts.nth(1)).to_contain_text("STILL LIVE")
    wall.page.tap("[data-do=aside]")
    expect(wall.page.locator(".aftermath")).to_have_count(0)
    expect(wall.page.locator("#band .word span")).to_have_text("Fire")
    expect(wall.page.locator("#band .headline b")).to_contain_text("Fire confirmed")


def test_the_band_tells_what_is_still_so_before_what_is_over(wall: Screen, panel: Panel) -> None:
    over = scenes.alarm(
        "main-ups.battery-low", "critical", state="returned-unacknowledged", active=False,
        first_out=True,
    )  # fmt: skip
    still = scenes.alarm("front-door.held-open", "low")
    headline = wall.page.locator("#band .headline b")
    panel.show(scenes.normal() | {"state": "attention", "alarms": [over, still]})
    expect(headline).to_contain_text("front-door")
    panel.door.show(scenes.normal() | {"state": "attention", "alarms": [over]})
    expect(headline).to_contain_text("battery low")


def test_a_cooling_projector_shows_a_ring_that_empties(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.cooling(300.0))
    wall.page.tap("#rail [data-arg=projectors]")
    expect(wall.page.locator(".ring")).to_contain_text("5:00")
    panel.door.show(scenes.cooling(150.0))
    expect(wall.page.locator(".ring")).to_contain_text("2:30")
    dashes = wall.page.locator(".ring .left").get_attribute("stroke-dasharray")
    assert dashes == "50 50"
    expect(wall.page.locator(".tile")).to_contain_text("Do not switch off at the wall")


def test_a_projector_is_switched_on_after_a_sign_in_by_pin(wall: Screen, panel: Panel) -> None:
    panel.people.add("chen", "陈工", "operate", pin="284619")
    page = wall.page
    page.tap("#rail [data-arg=projectors]")
    page.tap("[data-do=projector-on]")
    expect(page.locator("#answer")).to_have_text("Sign in first")
    assert panel.door.requests == []
    page.tap("#rail [data-do=signin]")
    page.tap("[data-do=who]")
    for digit in "284619✓":
        page.tap(f'[data-do=key][data-arg="{digit}"]')
    expect(page.locator("#bar")).to_contain_text("陈工 · may operate")
    page.tap("[data-do=projector-on]")
    wait(lambda: len(panel.door.requests) == 2)
    signed_in, asked = panel.door.requests
    assert signed_in["action"] == "sign-in"
    assert asked["args"] == {"id": "hall"}
    assert asked["as"] == {
        "actor": "chen",
        "role": "operate",
        "origin": "local-screen",
    }


def test_the_language_switches_by_tap(wall: Screen) -> None:
    wall.page.tap("[data-do=language]")
    expect(wall.page.locator("#band .word span")).to_have_text("正常")
    expect(wall.page.locator("html")).to_have_attribute("lang", "zh-CN")
    wall.page.reload()
    expect(wall.page.locator("#band .word span")).to_have_text("正常")


def test_a_tapped_point_shows_its_trend_and_limits(wall: Screen) -> None:
    wall.page.tap('[data-point="rack-air.temperature"]')
    expect(wall.page.locator("#sheet")).to_contain_text("low 18 · high 27 · critical 35")
    expect(wall.page.locator("#sheet canvas")).to_be_visible()
    wall.page.tap("[data-do=close]")
    expect(wall.page.locator("#sheet *")).to_have_count(0)


def test_a_tapped_output_shows_who_holds_it_and_why(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.cooling())
    expect(wall.page.locator('[data-point="hall-outlet"]')).to_contain_text("supplied")
    wall.page.tap('[data-point="hall-outlet"]')
    expect(wall.page.locator(".rung")).to_have_count(9)
    expect(wall.page.locator(".rung.holds")).to_contain_text("lamp of hall is cooling")


def test_trends_and_events_come_from_the_journal(wall: Screen) -> None:
    wall.page.tap("#rail [data-arg=trends]")
    expect(wall.page.locator("#page canvas")).to_be_visible()
    wall.page.tap("#rail [data-arg=events]")
    expect(wall.page.locator(".row.event").first).to_contain_text("rack-air.temperature-high")


def test_without_a_controller_nothing_shown_looks_live(
    browser: Browser, own_panel: Panel, locale: str, size: dict[str, int]
) -> None:
    screen = opened(browser, own_panel, viewport=size, locale=locale)
    screen.page.wait_for_selector(".block")
    own_panel.door.close()
    cover = screen.page.locator(".nocontact")
    expect(cover).to_be_visible()
    expect(cover).to_contain_text({"en": "Nothing shown is live", "zh-CN": "非实时"}[locale])
    expect(screen.page.locator("#band .word")).to_have_text(
        {"en": "No contact", "zh-CN": "失联"}[locale]
    )
    screen.context.close()


def test_without_a_panel_the_screen_says_so_too(browser: Browser, own_panel: Panel) -> None:
    screen = opened(browser, own_panel, viewport=WALL, locale="en")
    screen.page.wait_for_selector(".block")
    own_panel.server.stop()
    expect(screen.page.locator(".nocontact")).to_be_visible()
    screen.context.close()


def test_who_does_not_want_motion_gets_none(browser: Browser, panel: Panel) -> None:
    panel.show(scenes.hot())
    screen = opened(browser, panel, viewport=WALL, locale="en", reduced_motion="reduce")
    flashing = screen.page.locator("#band .flash")
    expect(flashing).to_be_visible()
    assert flashing.evaluate("node => getComputedStyle(node).animationName") == "none"
    screen.context.close()


def test_the_unacknowledged_flashes_once_a_second(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    flashing = wall.page.locator("#band .flash")
    expect(flashing).to_be_visible()
    assert flashing.evaluate("node => getComputedStyle(node).animationDuration") == "1s"


def test_a_viewer_from_elsewhere_may_look_but_is_offered_nothing(
    browser: Browser, panel: Panel
) -> None:
    panel.show(scenes.countdown())
    screen = opened(browser, panel, path="/", viewport=DESK, locale="en")
    expect(screen.page.locator(".holdbutton")).to_be_disabled()
    panel.show(scenes.hot())
    expect(screen.page.locator("#bar [data-do=signin]")).to_be_visible()
    expect(screen.page.locator("[data-do=silence]")).to_have_count(0)
    expect(screen.page.locator("#side .row")).to_have_count(3)
    screen.context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_phone_and_desk_show_the_same_room(
    browser: Browser, panel: Panel, size: dict[str, int]
) -> None:
    screen = opened(browser, panel, path="/", viewport=size, locale="en")
    screen.page.wait_for_selector(".block")
    wide = screen.page.locator("body").evaluate("node => node.scrollWidth - node.clientWidth")
    assert wide <= 0
    assert screen.faults == []
    screen.context.close()


def put_finger(screen: Screen, alarm: str) -> tuple[float, float]:
    """Bring a finger down on the alarm's button; return where."""
    screen.page.tap("#rail [data-arg=alarms]")
    button = screen.page.locator(f'#page [data-arg="{alarm}"]')
    button.hover()
    screen.page.mouse.down()
    box = button.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_on_a_button_keeps_it_while_states_come(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    put_finger(wall, "aircon.not-cooling")
    shorter = scenes.hot()
    del shorter["alarms"][2]
    panel.show(shorter)
    expect(wall.page.locator("#page .row")).to_have_count(2)
    wall.page.mouse.up()
    wait(lambda: len(panel.door.requests) == 1)
    assert panel.door.requests[0]["args"] == {"alarm": "aircon.not-cooling"}


def test_a_button_that_slides_under_a_finger_is_not_pressed(wall: Screen, panel: Panel) -> None:
    panel.show(scenes.hot())
    x, y = put_finger(wall, "rack-air.temperature-high")
    shorter = scenes.hot()
    del shorter["alarms"][0]
    panel.show(shorter)
    expect(wall.page.locator("#page .row")).to_have_count(2)
    under = "([x, y]) => document.elementFromPoint(x, y).closest('[data-do]').dataset.arg"
    assert wall.page.evaluate(under, [x, y]) == "aircon.not-cooling"
    wall.page.mouse.up()
    asked = wall.asked_up_to("#bar [data-do=silence]")
    assert [each["action"] for each in asked] == ["silence"]


@pytest.mark.parametrize(
    ("condition", "detail", "look", "line"),
    [
        ("up", None, "ok", "connected"),
        ("up", "the broker lets us hear none of a", "attention", "none of a"),
        ("slow", "the broker answers late", "attention", "answers come late"),
        ("down", "127.0.0.1:1883: refused", "fault", "not connected (127.0.0.1:1883: refused)"),
        (
            "certificate",
            "it has expired",
            "fault",
            "a certificate is not trusted (it has expired)",
        ),
    ],
)
def test_how_the_link_is_stands_in_the_band_and_under_the_alarms(
    wall: Screen, panel: Panel, condition: str, detail: str | None, look: str, line: str
) -> None:
    scene = scenes.hot()
    scene["feed"] |= {"condition": condition, "detail": detail}
    panel.show(scene)
    mark = wall.page.locator("[data-mark=feed]")
    expect(mark).to_have_class(f"mark {look}")
    assert line in (mark.get_attribute("title") or "")
    wall.page.tap("#rail [data-arg=alarms]")
    note = wall.page.locator("#page [data-key=feed]")
    if look == "ok":
        expect(note).to_have_count(0)
    else:
        expect(note).to_contain_text(line)


def test_without_an_alarm_the_alarms_page_still_says_how_the_link_is(
    wall: Screen, panel: Panel
) -> None:
    scene = scenes.normal()
    scene["feed"] |= {"condition": "slow", "detail": "the broker answers late"}
    panel.show(scene)
    wall.page.tap("#rail [data-arg=alarms]")
    expect(wall.page.locator("#page")).to_contain_text("No alarms")
    note = wall.page.locator("#page [data-key=feed]")
    expect(note).to_contain_text("answers come late (the broker answers late)")
    assert wall.page.locator("#page").evaluate("it => it.scrollHeight - it.clientHeight") <= 0
