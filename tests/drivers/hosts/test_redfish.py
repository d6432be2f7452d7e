"""A management controller that answers over TLS what each test writes, right or wrong."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import time
from collections.abc import Callable

import pytest

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts import redfish

pytestmark = pytest.mark.slow

ROOT = "/redfish/v1/Systems"
RESET = f"{ROOT}/1/Actions/ComputerSystem.Reset"
ALLOWED = "ResetType@Redfish.AllowableValues"


def system(power: object = "On", **reset: object) -> dict[str, object]:
    action = {"target": RESET, ALLOWED: ["On", "ForceOff", "GracefulShutdown"], **reset}
    return {"PowerState": power, "Actions": {"#ComputerSystem.Reset": action}}


class Pages:
    """What the controller has to say, path by path, and what it was asked."""

    def __init__(self, pages: dict[str, object]) -> None:
        self.pages = {ROOT: {"Members": [{"@odata.id": f"{ROOT}/1"}]}, **pages}
        self.heard: list[tuple[str, bytes]] = []
        self.headers: list[bytes] = []

    def __call__(self, line: socket.socket) -> None:
        head, _, body = line.recv(65536).partition(b"\r\n\r\n")
        if not head:  # the caller had seen enough of the certificate
            return
        first, *self.headers = head.split(b"\r\n")
        length = next((int(h[16:]) for h in self.headers if h.startswith(b"Content-Length")), 0)
        while len(body) < length:
            body += line.recv(65536)
        method, path, _ = first.decode().split()
        self.heard.append((f"{method} {path}", body))
        page = self.pages.get(path, b"HTTP/1.1 404 Not Found\r\n\r\n")
        if callable(page):
            page(line)
        elif isinstance(page, bytes):
            line.sendall(page)
        else:
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(page).encode())


@pytest.fixture
def bmc(far, certificate, host, tmp_path) -> Callable[..., tuple[object, Pages]]:
    """The host behind a controller with those pages, and the pages."""
    secret = tmp_path / "bmc.secret"
    secret.write_text("opensesame\n")

    def make(pages: dict[str, object], path: str = "/1", user: str = "room@", **keys: object):
        answers = Pages(pages)
        port = far(answers, certificate=certificate).port
        url = f"redfish://{user}127.0.0.1:{port}{path}"
        files = {"password_file": str(secret), "ca": certificate.file}
        return host(**{"stop": url, "start": url, **files, **keys}), answers

    return make


DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


def test_the_times_allowed():
    assert (redfish._LIMIT_S, redfish._LOOK_S) == (20.0, 5.0)


def test_a_running_host_is_asked_for_a_graceful_shutdown(bmc):
    server, pages = bmc({f"{ROOT}/1": system("On"), RESET: DONE})
    server.stop()
    asked = (f"POST {RESET}", b'{"ResetType":"GracefulShutdown"}')
    assert pages.heard == [(f"GET {ROOT}/1", b""), asked]
    pair = base64.b64encode(b"room:opensesame")
    assert b"Authorization: Basic " + pair in pages.headers
    assert b"Content-Type: application/json" in pages.headers


@pytest.mark.parametrize("power", ["Off", "PoweringOff"])
def test_a_host_that_is_off_or_going_is_not_asked_again(bmc, power):
    server, pages = bmc({f"{ROOT}/1": system(power)})
    server.stop()
    assert pages.heard == [(f"GET {ROOT}/1", b"")]


def test_a_host_that_is_off_is_switched_on(bmc):
    server, pages = bmc({f"{ROOT}/1": system("Off"), RESET: DONE})
    server.start()
    assert pages.heard[1:] == [(f"POST {RESET}", b'{"ResetType":"On"}')]


@pytest.mark.parametrize("power", ["On", "PoweringOn"])
def test_a_host_that_is_on_or_coming_is_not_switched_on_again(bmc, power):
    server, pages = bmc({f"{ROOT}/1": system(power)})
    server.start()
    assert len(pages.heard) == 1


def test_a_host_that_is_still_powering_off_is_not_taken_for_started(bmc):
    server, pages = bmc({f"{ROOT}/1": system("PoweringOff")})
    with pytest.raises(DeviceError, match="still powering off"):
        server.start()
    assert len(pages.heard) == 1


def test_the_only_system_need_not_be_named(bmc):
    server, pages = bmc({f"{ROOT}/1": system("On"), RESET: DONE}, path="")
    server.stop()
    assert [what for what, _ in pages.heard] == [
        f"GET {ROOT}",
        f"GET {ROOT}/1",
        f"POST {RESET}",
    ]


def test_of_several_systems_one_must_be_named(bmc):
    members = {"Members": [{"@odata.id": f"{ROOT}/1"}, {"@odata.id": f"{ROOT}/2"}]}
    server, _ = bmc({ROOT: members}, path="/")
    with pytest.raises(DeviceError, match="has 2 systems: name one"):
        server.stop()


@pytest.mark.parametrize("test", ["test", "test_start"])
def test_testing_reads_and_asks_for_nothing(bmc, test):
    server, pages = bmc({f"{ROOT}/1": system("On")})
    getattr(server, test)()
    assert pages.heard == [(f"GET {ROOT}/1", b"")]


def test_a_start_that_is_not_offered_is_found_by_its_test(bmc):
    server, pages = bmc({f"{ROOT}/1": system(**{ALLOWED: ["GracefulShutdown", "ForceOff"]})})
    with pytest.raises(DeviceError, match="offers no On, only: GracefulShutdown, ForceOff"):
        server.test_start()
    server.test()
    assert all(what.startswith("GET") for what, _ in pages.heard)


def test_a_shutdown_that_is_not_offered_is_never_asked_for(bmc):
    server, pages = bmc({f"{ROOT}/1": system(**{ALLOWED: ["On", "ForceOff"]})})
    for call in (server.stop, server.test):
        with pytest.raises(DeviceError, match="offers no GracefulShutdown, only: On, ForceOff"):
            call()
    server, pages = bmc({f"{ROOT}/1": {"PowerState": "On"}})
    with pytest.raises(DeviceError, match="offers no reset"):
        server.stop()
    server, pages = bmc({f"{ROOT}/1": system(**{ALLOWED: None})})
    with pytest.raises(DeviceError, match="offers no GracefulShutdown, only: nothing"):
        server.stop()
    assert all(what.startswith("GET") for what, _ in pages.heard)


def test_what_is_offered_may_stand_on_a_page_of_its_own(bmc):
    info = f"{ROOT}/1/ResetActionInfo"
    offer = [{"Name": "Other"}, {"Name": "ResetType", "AllowableValues": ["GracefulShutdown"]}]
    page = system(**{ALLOWED: None, "@Redfish.ActionInfo": info})
    server, pages = bmc({f"{ROOT}/1": page, info: {"Parameters": offer}, RESET: DONE})
    server.stop()
    assert pages.heard[-1][0] == f"POST {RESET}"
    with pytest.raises(DeviceError, match="offers no On"):
        bmc({f"{ROOT}/1": {**page, "PowerState": "Off"}, info: {"Parameters": offer}})[0].start()


def test_a_controller_that_wants_a_slash_at_the_end_gets_it(bmc):
    moved = f"HTTP/1.1 308 Permanent Redirect\r\nLocation: {ROOT}/1/\r\n\r\n".encode()
    server, pages = bmc({f"{ROOT}/1": moved, f"{ROOT}/1/": system("Off")})
    assert server.look() == {"management": False}
    assert [what for what, _ in pages.heard] == [f"GET {ROOT}/1", f"GET {ROOT}/1/"]


def test_the_password_is_never_sent_to_another_host(bmc, far, certificate):
    other = far(lambda line: None, certificate=certificate)
    moved = f"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:{other.port}/x\r\n\r\n"
    server, pages = bmc({f"{ROOT}/1": moved.encode()})
    with pytest.raises(DeviceError, match="HTTP 404"):
        server.stop()
    assert other.connections == 0 and pages.heard[-1][0] == "GET /x"


def test_a_controller_that_sends_us_round_and_round_is_given_up(bmc):
    moved = f"HTTP/1.1 302 Found\r\nLocation: {ROOT}/1\r\n\r\n".encode()
    server, pages = bmc({f"{ROOT}/1": moved})
    with pytest.raises(DeviceError, match="HTTP 302"):
        server.stop()
    assert len(pages.heard) == 2


@pytest.mark.parametrize(
    ("power", "up"),
    [("On", True), ("PoweringOn", True), ("PoweringOff", True), ("Paused", True), ("Off", False)],
)
def test_the_power_of_the_host_is_evidence(bmc, power, up):
    server, _ = bmc({f"{ROOT}/1": system(power)})
    assert server.look() == {"management": up}


def test_a_silent_controller_tells_nothing_of_its_host(bmc, dead_port, host, monkeypatch):
    assert host(stop=f"redfish://room@127.0.0.1:{dead_port}").look() == {"management": None}
    monkeypatch.setattr(redfish, "_LOOK_S", 0.3)
    server, _ = bmc({f"{ROOT}/1": lambda line: line.recv(4096)})
    assert server.look() == {"management": None}
    server, _ = bmc({f"{ROOT}/1": system(None)})
    assert server.look() == {"management": None}


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"403 Forbidden"])
def test_a_refused_password_is_told_without_showing_it(bmc, status):
    server, _ = bmc({f"{ROOT}/1": b"HTTP/1.1 " + status + b"\r\n\r\n"})
    with pytest.raises(DeviceError, match="user or password refused") as told:
        server.test()
    assert "opensesame" not in str(told.value)


def test_a_missing_password_is_named_and_nothing_is_sent(bmc, tmp_path):
    missing = str(tmp_path / "missing")
    server, pages = bmc({f"{ROOT}/1": system()}, password_file=missing)
    for call in (server.stop, server.start, server.test, server.test_start):
        with pytest.raises(DeviceError, match=r"^password_file: .*/missing: No such file"):
            call()
    server, pages = bmc({f"{ROOT}/1": system()}, password_file=None)
    with pytest.raises(DeviceError, match=r"^password_file: not given"):
        server.stop()
    assert pages.heard == []


def test_without_a_user_no_password_is_sent(bmc):
    server, pages = bmc({f"{ROOT}/1": system()}, user="", password_file=None)
    server.test()
    assert not any(header.startswith(b"Authorization") for header in pages.headers)


def test_an_unknown_system_is_told(bmc):
    server, _ = bmc({})
    with pytest.raises(DeviceError, match=rf"{ROOT}/1: HTTP 404$"):
        server.stop()


def test_a_refusal_is_told_in_the_controllers_words(bmc):
    error = json.dumps({"error": {"code": "x", "message": "The lid is open."}}).encode()
    page = b"HTTP/1.1 400 Bad Request\r\n\r\n" + error
    server, _ = bmc({f"{ROOT}/1": system(), RESET: page})
    with pytest.raises(DeviceError, match=r"HTTP 400: The lid is open\.$"):
        server.stop()


def body(text: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + text


@pytest.mark.parametrize(
    "page",
    [
        b"\x80\x81garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nlong: " + b"x" * 70000 + b"\r\n\r\n",
        body(b""),
        body(b"<html>"),
        body(b"[]"),
        body(b"null"),
        body(b"{}"),
        body(b'"On"'),
        body(b'{"PowerState": 1}'),
        body(b'{"PowerState": null}'),
        body(b'{"PowerState": "on fire"}'),
        body(b'{"PowerState": "On", "Actions": []}'),
        body(b'{"PowerState": "On", "Actions": {"#ComputerSystem.Reset": {"target": 1}}}'),
        body(b'{"PowerState": "On", "x": ' + b"[" * 100000),
        body(b'{"PowerState": "\xff"}'),
        body(json.dumps(system(target="example.invalid")).encode()),
        body(json.dumps(system(target="/a b\r\nX: y")).encode()[:-2]),
    ],
    ids=range(21),
)
def test_a_reply_that_cannot_be_right_is_a_bad_reply(bmc, page):
    server, pages = bmc({f"{ROOT}/1": page})
    with pytest.raises(BadReply):
        server.stop()
    assert all(what.startswith("GET") for what, _ in pages.heard)


def test_a_path_from_a_reply_cannot_smuggle_a_header(bmc):
    server, pages = bmc({f"{ROOT}/1": system(target="/a\r\nX-Evil: 1")})
    with pytest.raises(DeviceError, match="HTTP 404"):
        server.stop()
    assert pages.heard[-1][0] == "POST /a%0D%0AX-Evil:%201"


def test_a_reply_without_an_end_is_refused_before_it_fills_the_memory(bmc):
    def flood(line: socket.socket) -> None:
        line.sendall(body(b'{"PowerState": "'))
        with contextlib.suppress(OSError):
            while True:
                line.sendall(b"x" * 65536)

    server, _ = bmc({f"{ROOT}/1": flood})
    with pytest.raises(BadReply, match="more than 262144 bytes"):
        server.stop()


def test_a_reply_that_drips_for_ever_is_given_up_in_time(bmc, monkeypatch):
    def drip(line: socket.socket) -> None:
        line.sendall(body(b""))
        with contextlib.suppress(OSError):
            while True:
                line.sendall(b" ")
                time.sleep(0.02)

    monkeypatch.setattr(redfish, "_LIMIT_S", 0.5)
    server, _ = bmc({f"{ROOT}/1": drip})
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout, match="no answer in time"):
        server.stop()
    assert time.monotonic() - began_s < 5.0


def test_a_server_that_never_shakes_hands_is_given_up_in_time(far, host, monkeypatch):
    monkeypatch.setattr(redfish, "_LIMIT_S", 0.3)
    mute = far(lambda line: line.recv(4096) and line.recv(4096))
    with pytest.raises(DeviceTimeout):
        host(stop=f"redfish://127.0.0.1:{mute.port}").stop()


def test_a_controller_that_is_not_there_or_has_no_such_name_is_unreachable(host, dead_port):
    with pytest.raises(DeviceUnreachable, match="refused"):
        host(stop=f"redfish://127.0.0.1:{dead_port}").stop()
    with pytest.raises(DeviceUnreachable, match=r"no-such-host\.invalid: no such host name"):
        host(stop="redfish://no-such-host.invalid").stop()


def test_a_controller_with_another_certificate_hears_nothing(bmc, certify):
    other = certify("DNS:other.example")
    server, pages = bmc({f"{ROOT}/1": system()}, ca=other.file)
    with pytest.raises(DeviceUnreachable, match="its certificate is not trusted"):
        server.stop()
    assert pages.heard == []


def test_a_controller_that_nobody_vouches_for_hears_nothing(bmc):
    server, pages = bmc({f"{ROOT}/1": system()}, ca=None)
    with pytest.raises(DeviceUnreachable, match="its certificate is not trusted: self"):
        server.stop()
    assert pages.heard == []


def test_an_authority_may_vouch_for_the_name_that_a_controller_is_reached_by(far, host, certify):
    authority = certify("DNS:authority.example")
    right, wrong = certify("IP:127.0.0.1", authority), certify("DNS:bmc.example", authority)
    pages = {f"{ROOT}/1": system("Off")}
    port = far(Pages(pages), certificate=right).port
    host(stop=f"redfish://127.0.0.1:{port}/1", ca=authority.file).stop()
    port = far(Pages(pages), certificate=wrong).port
    with pytest.raises(DeviceUnreachable, match="not trusted: IP address mismatch"):
        host(stop=f"redfish://127.0.0.1:{port}/1", ca=authority.file).stop()


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"],
)
def test_a_file_that_holds_no_certificate_is_named(bmc, tmp_path, text):
    (tmp_path / "bmc.pem").write_text(text)
    server, pages = bmc({f"{ROOT}/1": system()}, ca=str(tmp_path / "bmc.pem"))
    with pytest.raises(DeviceError, match=r"^ca: .*/bmc\.pem: not a certificate"):
        server.stop()
    assert pages.heard == []
