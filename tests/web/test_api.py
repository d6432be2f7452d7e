"""The panel's HTTP interface, over a real waitress."""

from __future__ import annotations

import http.client
import json
import socket
import stat
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller.history import HistoryUnavailable
from tests.web import scenes
from tests.web.conftest import KEY, Panel, wait
from web.kiosk import cookie_for, kiosk_key

JSON = {"Content-Type": "application/json"}
SCREEN = {"Cookie": f"roomwarden-screen={cookie_for(KEY)}"}
ACK = {"action": "acknowledge", "args": {"alarm": "smoke-1.prealarm"}}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    panel: Panel,
    method: str,
    path: str,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    line = http.client.HTTPConnection("127.0.0.1", panel.port, timeout=5)
    try:
        line.request(method, path, raw, headers or {})
        answer = line.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        line.close()


def get(panel: Panel, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(panel, "GET", path, headers=named)


def post(panel: Panel, path: str, body: object, headers: dict[str, str] | None = None) -> Answer:
    return call(panel, "POST", path, body, JSON | (headers or {}))


def signed_in(panel: Panel, role: str = "operate") -> dict[str, str]:
    panel.people.add("chen", "陈工", role, pin="284619", password="seven-lamps-cool")
    answer = post(panel, "/api/v1/session", {"id": "chen", "password": "seven-lamps-cool"})
    assert answer.status == 200
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def is_problem(answer: Answer, status: int) -> bool:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["title"]
    return answer.status == status


def test_the_state_is_the_controllers_own_object(panel: Panel) -> None:
    state = get(panel, "/api/v1/state").json
    assert [point["id"] for point in state["points"]] == [
        point["id"] for point in scenes.normal()["points"]
    ]


def test_every_answer_forbids_foreign_and_inline_code(panel: Panel) -> None:
    for path in ("/", "/api/v1/state", "/static/js/main.js", "/nowhere"):
        policy = get(panel, path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy


def test_the_page_names_no_foreign_address(panel: Panel) -> None:
    page = get(panel, "/").body.decode()
    assert "://" not in page
    assert "style=" not in page
    assert "<style" not in page
    assert "onclick" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/texts/fr", 404),
        ("POST", "/api/v1/state", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/kiosk", 403),
        ("GET", "/kiosk?key=guess", 403),
    ],
)
def test_every_refusal_is_a_problem(panel: Panel, method: str, path: str, status: int) -> None:
    assert is_problem(call(panel, method, path, headers=JSON), status)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "point"),
        ("point=rack-air.temperature", "from"),
        ("point=rack-air.temperature&from=1000", "to"),
        ("point=../etc&from=0&to=1", "point"),
        ("point=no-such&from=0&to=1", "point"),
        ("point=rack-air.temperature&from=yesterday&to=1", "from"),
        ("point=rack-air.temperature&from=2026-03-02&to=1", "from"),
        ("point=rack-air.temperature&from=-1&to=1", "from"),
        ("point=rack-air.temperature&from=2&to=1", "to"),
        ("point=rack-air.temperature&from=0&to=999999999999999", "from"),
        ("point=rack-air.temperature&from=0&to=1&width=0", "width"),
        ("point=rack-air.temperature&from=0&to=1&width=1e9", "width"),
        ("point=rack-air.temperature&from=0&to=1&width=99999", "width"),
    ],
)
def test_a_bad_query_names_its_parameter(panel: Panel, query: str, parameter: str) -> None:
    answer = get(panel, f"/api/v1/history?{query}")
    assert is_problem(answer, 400)
    assert answer.json["parameter"] == parameter


@pytest.mark.parametrize("query", ["since=never", "limit=0", "limit=1001", "limit=x"])
def test_a_bad_query_of_events_names_its_parameter(panel: Panel, query: str) -> None:
    answer = get(panel, f"/api/v1/events?{query}")
    assert is_problem(answer, 400)
    assert answer.json["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("1772424306789", "1772427906789"),
        ("2026-03-02T04:05:06.789Z", "2026-03-02T05:05:06.789Z"),
        ("2026-03-02T12:05:06+08:00", "2026-03-02T13:05:06%2B08:00"),
    ],
    ids=["milliseconds", "utc", "offset"],
)
def test_history_takes_milliseconds_and_rfc_3339(panel: Panel, start: str, end: str) -> None:
    answer = get(
        panel, f"/api/v1/history?point=rack-air.temperature&from={start}&to={end}&width=40"
    )
    assert answer.status == 200
    rows = answer.json["rows"]
    assert len(rows) == 40
    assert 1772424306000 <= rows[0][0] <= rows[-1][0] < 1772427907000


def test_events_without_since_are_the_newest(panel: Panel) -> None:
    found = get(panel, "/api/v1/events?limit=5").json["events"]
    assert [event["seq"] for event in found] == [119, 120, 121, 122, 123]


def test_a_journal_that_cannot_be_read_is_said(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise HistoryUnavailable("room.db: locked")

    monkeypatch.setattr("tests.web.conftest.Shelf.events", fails)
    assert is_problem(get(panel, "/api/v1/events"), 503)


def test_a_view_that_breaks_answers_a_problem_without_its_insides(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("secret insides")

    monkeypatch.setattr("tests.web.conftest.Shelf.events", breaks)
    answer = get(panel, "/api/v1/events")
    assert is_problem(answer, 500)
    assert b"insides" not in answer.body


def test_health_is_ok_while_the_scan_goes_on(panel: Panel) -> None:
    answer = get(panel, "/healthz")
    assert answer.status == 200
    assert answer.json["status"] == "ok"


def test_without_a_controller_state_and_health_say_so(own_panel: Panel) -> None:
    panel = own_panel
    panel.door.close()
    wait(lambda: not panel.hub.view().live)
    assert is_problem(get(panel, "/healthz"), 503)
    assert is_problem(get(panel, "/api/v1/state"), 503)
    assert is_problem(post(panel, "/api/v1/requests", ACK, SCREEN), 503)
    assert get(panel, "/").status == 200
    assert "roomwarden_up 0" in get(panel, "/metrics").body.decode()


@pytest.mark.system
def test_health_fails_soon_after_a_scan_stands(own_panel: Panel) -> None:
    panel = own_panel
    panel.door.hang()
    # That it is within three seconds is proven by the clock in test_hub.py.
    wait(lambda: get(panel, "/healthz").status == 503)


def test_metrics_carry_qualities_and_leave_out_what_is_not_known(panel: Panel) -> None:
    panel.show(scenes.stale())
    lines = get(panel, "/metrics").body.decode().splitlines()
    assert 'roomwarden_point_good{point="rack-air.temperature",quality="stale"} 0' in lines
    assert 'roomwarden_point_value{point="mains",unit=""} 1' in lines
    assert not any(
        line.startswith("roomwarden_point_value") and "rack-air.temp" in line for line in lines
    )
    assert "roomwarden_feed_backlog 12" in lines
    wanted = (
        'roomwarden_alarm{id="rack-air.silent",priority="low",state="active-unacknowledged"} 1'
    )
    assert wanted in lines


def test_the_stream_says_the_state_at_once_and_again_on_change(own_panel: Panel) -> None:
    panel = own_panel
    line = http.client.HTTPConnection("127.0.0.1", panel.port, timeout=5)
    line.request("GET", "/api/v1/stream")
    answer = line.getresponse()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.readline() == b"retry: 1000\n"
    panel.door.show(scenes.hot())
    while b'"state":"alarm"' not in answer.readline():
        pass
    panel.door.close()
    while answer.readline() != b"event: lost\n":
        pass
    line.close()


def test_viewers_are_bounded_and_a_closed_tab_makes_room(folder: Path) -> None:
    panel = Panel(folder, viewers=2)
    try:
        first, second = _view(panel), _view(panel)
        assert first.status == second.status == 200
        full = get(panel, "/api/v1/stream")
        assert is_problem(full, 503)
        assert full.headers["Retry-After"]
        assert get(panel, "/api/v1/state").status == 200
        first.close()
        wait(lambda: _view(panel).status == 200)
    finally:
        panel.close()


def _view(panel: Panel) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", panel.port, timeout=5)
    line.request("GET", "/api/v1/stream")
    answer = line.getresponse()
    answer.readline()
    return answer


@pytest.mark.parametrize("action", ["acknowledge", "silence", "hold"])
def test_at_the_local_screen_anybody_may_quiet_an_alarm(panel: Panel, action: str) -> None:
    answer = post(panel, "/api/v1/requests", {"action": action}, SCREEN)
    assert answer.status == 200
    asked = panel.door.requests[-1]
    assert asked["as"] == {"actor": "", "role": "nobody", "origin": "local-screen"}


@pytest.mark.parametrize("action", ["acknowledge", "silence", "hold", "projector-on", "reset"])
def test_from_elsewhere_nobody_may_do_anything_unsigned(panel: Panel, action: str) -> None:
    assert is_problem(post(panel, "/api/v1/requests", {"action": action}), 401)
    assert panel.door.requests == []


@pytest.mark.parametrize("action", ["projector-on", "reset", "restore", "switch", "cut"])
def test_at_the_local_screen_all_else_needs_a_person(panel: Panel, action: str) -> None:
    assert is_problem(post(panel, "/api/v1/requests", {"action": action}, SCREEN), 401)
    assert panel.door.requests == []


def test_a_guessed_screen_cookie_is_worth_nothing(panel: Panel) -> None:
    guess = {"Cookie": "roomwarden-screen=" + "0" * 64}
    assert is_problem(post(panel, "/api/v1/requests", ACK, guess), 401)


def test_through_a_proxy_nobody_is_the_local_screen(panel: Panel) -> None:
    proxied = SCREEN | {"X-Forwarded-For": "192.0.2.7"}
    assert is_problem(post(panel, "/api/v1/requests", ACK, proxied), 401)


def test_the_gate_is_told_who_asks_and_from_where(panel: Panel) -> None:
    cookie = signed_in(panel)
    asked = {"action": "projector-on", "args": {"id": "hall"}, "id": "abc"}
    assert post(panel, "/api/v1/requests", asked, cookie).status == 200
    assert panel.door.requests[1:] == [
        {
            "ask": "request",
            "action": "projector-on",
            "args": {"id": "hall"},
            "wait": False,
            "id": "abc",
            "as": {"actor": "chen", "role": "operate", "origin": "network-panel"},
        }
    ]


def test_who_may_only_look_asks_for_nothing(panel: Panel) -> None:
    cookie = signed_in(panel, "view")
    assert is_problem(post(panel, "/api/v1/requests", ACK, cookie), 403)
    assert [asked["action"] for asked in panel.door.requests] == ["sign-in"]


@pytest.mark.parametrize(
    ("status", "why", "answered"),
    [
        ("done", None, 200),
        ("accepted", None, 202),
        ("refused", "refused.origin", 403),
        ("refused", "interlock.cooling", 409),
        ("expired", None, 409),
        ("failed", None, 502),
    ],
)
def test_the_gates_answer_is_handed_on(
    panel: Panel, status: str, why: str | None, answered: int
) -> None:
    panel.door.reply = {
        "id": "1",
        "status": status,
        "reason": "text",
        "why": {"id": why, "values": {}} if why else None,
    }
    answer = post(panel, "/api/v1/requests", ACK, SCREEN)
    assert answer.status == answered
    reply = answer.json if answered < 300 else answer.json["reply"]
    assert reply == panel.door.reply


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"action": 3}',
        b'{"action": "a", "args": {"x": 1}}',
        b'{"action": "a", "extra": 1}',
        b"[" * 10_000,
    ],
    ids=["empty", "torn", "array", "not-utf8", "number", "argument", "unknown-key", "deep"],
)
def test_a_body_that_is_no_request_is_refused(panel: Panel, body: bytes) -> None:
    assert is_problem(post(panel, "/api/v1/requests", body, SCREEN), 400)


@pytest.mark.parametrize("size", [16 * 1024 + 1, 200_000, 400_000])
def test_a_body_that_is_too_large_is_refused(panel: Panel, size: int) -> None:
    raw = b'{"action": "' + b"x" * size + b'"}'
    head = f"POST /api/v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(raw)}\r\n"
    with socket.create_connection(("127.0.0.1", panel.port), timeout=5) as line:
        line.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + raw[:300_000])
        answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_a_request_that_is_no_http_is_refused(panel: Panel) -> None:
    with socket.create_connection(("127.0.0.1", panel.port), timeout=5) as line:
        line.sendall(b"\x00\xff nonsense\r\n\r\n")
        answer = line.recv(65536)
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_what_another_site_sends_changes_nothing(panel: Panel, headers: dict[str, str]) -> None:
    assert is_problem(post(panel, "/api/v1/requests", ACK, SCREEN | headers), 403)
    assert panel.door.requests == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_changes_nothing(panel: Panel, kind: str) -> None:
    answer = call(panel, "POST", "/api/v1/requests", ACK, SCREEN | {"Content-Type": kind})
    assert is_problem(answer, 415)
    assert panel.door.requests == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "["])
def test_a_name_that_is_not_ours_is_refused(panel: Panel, host: str) -> None:
    answer = get(panel, "/api/v1/state", Host=host)
    assert answer.status in (400, 421)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/state", "/api/v1/stream", "/api/v1/events", "/metrics"])
def test_beyond_loopback_viewing_needs_a_person(panel: Panel, path: str) -> None:
    assert is_problem(get(panel, path, Host="192.0.2.1:8080"), 401)
    cookie = signed_in(panel, "view")
    if path != "/api/v1/stream":
        assert get(panel, path, Host="192.0.2.1:8080", **cookie).status == 200


def test_beyond_loopback_the_page_shows_only_the_sign_in(panel: Panel) -> None:
    assert get(panel, "/", Host="192.0.2.1:8080").status == 401
    session = get(panel, "/api/v1/session", Host="192.0.2.1:8080").json
    assert session["may_view"] is False
    assert get(panel, "/healthz", Host="192.0.2.1:8080").status == 200


def test_a_pin_is_for_the_local_screen_only(panel: Panel) -> None:
    panel.people.add("chen", "陈工", "operate", pin="284619")
    pin = {"id": "chen", "pin": "284619"}
    assert is_problem(post(panel, "/api/v1/session", pin), 403)
    answer = post(panel, "/api/v1/session", pin, SCREEN)
    assert answer.status == 200
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie


@pytest.mark.parametrize("remote", [True, False])
def test_a_session_says_whether_one_may_switch_things_from_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    panel = Panel(folder, remote_operate=remote)
    try:

        def may_operate(**headers: str) -> object:
            return get(panel, "/api/v1/session", **headers).json["may_operate"]

        cookie = signed_in(panel)
        on_screen = {"Cookie": f"{cookie['Cookie']}; {SCREEN['Cookie']}"}
        assert may_operate() is False
        assert may_operate(**SCREEN) is False
        assert may_operate(**cookie) is remote
        assert may_operate(**on_screen) is True
        monkeypatch.setattr("web.sessions.IDLE_S", 0.0)
        assert may_operate(**cookie) is False
    finally:
        panel.close()


def test_names_are_told_to_the_local_screen_only(panel: Panel) -> None:
    panel.people.add("chen", "陈工", "operate", pin="284619")
    assert is_problem(get(panel, "/api/v1/people"), 403)
    assert get(panel, "/api/v1/people", **SCREEN).json == {
        "people": [{"id": "chen", "name": "陈工"}]
    }


def test_signing_out_ends_it(panel: Panel) -> None:
    cookie = signed_in(panel)
    assert get(panel, "/api/v1/session", **cookie).json["person"]["role"] == "operate"
    assert call(panel, "DELETE", "/api/v1/session", headers=cookie).status == 204
    assert get(panel, "/api/v1/session", **cookie).json["person"] is None


def test_an_idle_operator_may_only_look(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = signed_in(panel)
    monkeypatch.setattr("web.sessions.IDLE_S", 0.0)
    assert is_problem(post(panel, "/api/v1/requests", ACK, cookie), 401)
    session = get(panel, "/api/v1/session", Host="192.0.2.1", **cookie).json
    assert session["person"]["role"] == "view"
    assert session["may_view"] is True


def test_an_idle_local_screen_belongs_to_nobody_again(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = {"Cookie": signed_in(panel)["Cookie"] + "; " + SCREEN["Cookie"]}
    assert get(panel, "/api/v1/session", **cookie).json["person"]["role"] == "operate"
    monkeypatch.setattr("web.sessions.IDLE_S", 0.0)
    assert get(panel, "/api/v1/session", **cookie).json["person"] is None
    assert post(panel, "/api/v1/requests", ACK, cookie).status == 200


def test_who_was_taken_out_is_signed_out(panel: Panel) -> None:
    cookie = signed_in(panel)
    panel.people.remove("chen")
    assert is_problem(post(panel, "/api/v1/requests", ACK, cookie), 401)


def test_a_locked_account_can_still_acknowledge_at_the_screen(panel: Panel) -> None:
    panel.people.add("zhou", "周工", "operate", pin="284619")
    for _ in range(5):
        post(panel, "/api/v1/session", {"id": "zhou", "pin": "000000"}, SCREEN)
    locked = post(panel, "/api/v1/session", {"id": "zhou", "pin": "284619"}, SCREEN)
    assert is_problem(locked, 429)
    assert 0 < locked.json["locked_s"] <= 30
    assert post(panel, "/api/v1/requests", ACK, SCREEN).status == 200


def test_the_kiosks_key_gives_the_screens_cookie(panel: Panel) -> None:
    answer = get(panel, f"/kiosk?key={KEY}")
    assert answer.status == 303
    assert answer.headers["Location"] == "/"
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert KEY not in cookie
    assert get(panel, "/api/v1/session", Cookie=cookie).json["origin"] == "local-screen"


def test_the_kiosks_key_is_private_and_outlives_a_restart(folder: Path) -> None:
    key = kiosk_key(folder)
    assert len(key) >= 22
    assert stat.S_IMODE((folder / "kiosk.key").stat().st_mode) == 0o600
    assert kiosk_key(folder) == key


def test_a_kiosks_key_that_others_could_read_is_made_anew(folder: Path) -> None:
    key = kiosk_key(folder)
    (folder / "kiosk.key").chmod(0o644)
    assert kiosk_key(folder) != key
    assert stat.S_IMODE((folder / "kiosk.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("accepts", "locale"),
    [("en-GB,en;q=0.8", "en"), ("zh", "zh-CN"), ("fr, en;q=0.5", "en"), ("fr", "zh-CN")],
)
def test_the_language_follows_the_browser_else_the_room(
    panel: Panel, accepts: str, locale: str
) -> None:
    assert get(panel, "/api/v1/session", Accept_Language=accepts).json["locale"] == locale


def test_the_language_follows_the_person_first(panel: Panel) -> None:
    panel.people.add("li", "Li", "view", password="seven-lamps-cool", locale="en")
    answer = post(panel, "/api/v1/session", {"id": "li", "password": "seven-lamps-cool"})
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    found = get(panel, "/api/v1/session", Cookie=cookie, Accept_Language="zh")
    assert found.json["locale"] == "en"


def test_who_signs_in_fails_to_and_signs_out_is_recorded(panel: Panel) -> None:
    cookie = signed_in(panel)
    wrong = {"id": "chen", "password": "not the one at all"}
    assert is_problem(post(panel, "/api/v1/session", wrong), 401)
    assert call(panel, "DELETE", "/api/v1/session", None, cookie).status == 204
    noted = [(asked["action"], asked["args"]["person"]) for asked in panel.door.requests]
    assert noted == [("sign-in", "chen"), ("sign-in-failed", "chen"), ("sign-out", "chen")]
