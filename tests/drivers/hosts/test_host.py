"""A host as the guard sees it: what its probes, put together, say."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from controller.core.parts import DeviceError
from drivers.hosts import open_host
from drivers.hosts.evidence import Evidence
from drivers.hosts.probes import Answer


def greets(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def answering(answer: Answer | None):
    def ask() -> Answer:
        if answer is None:
            raise DeviceError("nobody could be asked")
        return answer

    return ask


def facts(path: Answer | str | None = "no path", ready: tuple[str, ...] = (), **answers):
    """What a host's probes say together; each is named by its scheme."""
    probes = {url.replace("_", ":"): answering(answer) for url, answer in answers.items()}
    way = None if isinstance(path, str) else answering(path)
    return Evidence(probes, [url for url in probes if url not in ready], ready, way).look()


YES, REFUSED, OWN, NO = Answer.ANSWERS, Answer.REFUSES, Answer.OURSELVES, Answer.SILENT


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"ping": YES, "tcp": NO}, {"network": True}),
        ({"ping": NO, "tcp": YES}, {"network": True}),
        ({"ping": NO, "tcp": NO}, {"network": False}),
        ({"ping": NO, "tcp": REFUSED}, {"network": True}),
        ({"ssh": REFUSED}, {"client": False}),
        ({"ssh": NO, "nut": YES}, {"client": True}),
        ({"ssh": NO, "nut": None}, {"client": False}),
        ({"nut": None}, {"client": None}),
        ({"redfish": YES}, {"management": True}),
        ({"redfish": NO}, {"management": False}),
        ({"redfish": None}, {"management": None}),
        ({"ping": OWN, "tcp": NO}, {"network": False}),
        ({"ping": OWN, "tcp": YES}, {"network": True}),
        ({"ping": OWN}, {"network": None}),
        (
            {"tcp": YES, "ssh": NO, "redfish": None},
            {"network": True, "client": False, "management": None},
        ),
        ({}, {}),
    ],
)
def test_a_kind_of_evidence_answers_when_any_of_its_probes_does(answers, expected):
    assert facts(**answers) == expected


@pytest.mark.parametrize("path", [YES, REFUSED, OWN])
def test_on_a_living_way_silence_says_that_the_host_is_down(path):
    assert facts(path, ping=NO, ssh=NO) == {"network": False, "client": False}


@pytest.mark.parametrize("path", [NO, None], ids=["silent", "cannot be asked"])
def test_on_a_dead_way_silence_proves_nothing_and_an_answer_still_counts(path):
    assert facts(path, ping=NO, ssh=YES, redfish=NO) == {
        "network": None,
        "client": True,
        "management": None,
    }


def test_the_way_is_asked_for_only_when_something_is_silent():
    asked = []

    def path() -> Answer:
        asked.append("path")
        return YES

    Evidence({"tcp": answering(YES)}, ["tcp"], [], path).look()
    assert asked == []
    Evidence({"tcp": answering(NO)}, ["tcp"], [], path).look()
    assert asked == ["path"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((YES, YES), True),
        ((YES, OWN), True),
        ((YES, NO), False),
        ((YES, REFUSED), False),
        ((NO, None), False),
        ((YES, None), None),
    ],
)
def test_a_host_is_ready_when_everything_answers(answers, expected):
    first, second = answers
    said = facts(ready=("tcp:1", "http:2"), tcp_1=first, http_2=second)
    assert said == {"ready": expected}


def test_probes_are_asked_side_by_side():
    together = threading.Barrier(8)

    def waits_for_the_others() -> Answer:
        together.wait(10.0)  # breaks, and fails this test, unless all eight are here at once
        return YES

    urls = [f"tcp:{number}" for number in range(8)]
    probes = dict.fromkeys(urls, waits_for_the_others)
    assert Evidence(probes, urls, [], None).look() == {"network": True}


def test_a_probe_that_cannot_ask_is_logged_once_and_when_it_can_again(caplog):
    caplog.set_level("INFO", "drivers.hosts.evidence")
    answers = iter([None, None, YES, None])
    host = Evidence({"tcp": lambda: answering(next(answers))()}, ["tcp"], [], None)
    for _ in range(4):
        host.look()
    assert [record.message for record in caplog.records] == [
        "cannot tell: nobody could be asked",
        "can tell again: tcp",
        "cannot tell: nobody could be asked",
    ]


def test_a_host_that_is_up_answers_and_one_that_is_down_does_not(host, far, dead_port):
    up = f"127.0.0.1:{far(greets).port}"
    down = f"127.0.0.1:{dead_port}"
    assert host(stop=f"ssh://room@{up}", evidence=(f"tcp://{up}", "ping://127.0.0.1")).look() == {
        "network": True,
        "client": True,
        "ready": True,
    }
    assert host(
        stop=f"ssh://room@{down}", evidence=(f"tcp://{down}", "ping://127.0.0.1")
    ).look() == {"network": False, "client": False, "ready": False}


def test_a_host_behind_a_dead_neighbour_is_not_known_to_be_down(host, far, dead_port):
    down = f"127.0.0.1:{dead_port}"
    keys = {"stop": f"ssh://room@{down}", "evidence": (f"tcp://{down}",)}
    unknown = {"network": None, "client": None, "ready": None}
    assert host(path=f"tcp://{down}", **keys).look() == unknown
    assert host(path="tcp://no-such-host.invalid:80", **keys).look() == unknown
    known = {"network": False, "client": False, "ready": False}
    assert host(path=f"tcp://127.0.0.1:{far(greets).port}", **keys).look() == known
    assert host(path="ping://127.0.0.1", **keys).look() == known


def test_a_host_is_ready_by_what_is_given_for_it(host, far, program, dead_port):
    up = f"127.0.0.1:{far(greets).port}"
    assert host(
        evidence=(f"tcp://127.0.0.1:{dead_port}",),
        ready=(f"tcp://{up}", f"ssh://{up}", f"command:{program('exit 0')}"),
    ).look() == {"network": False, "ready": True}


def test_a_host_that_nothing_tells_of_tells_nothing(host):
    assert host().look() == {}


def test_a_host_that_is_started_by_hand_says_so_when_it_is_to_start(host):
    with pytest.raises(DeviceError, match="standby-1: no way of starting"):
        host().start()


UPSD = ("127.0.0.1", 3493, "roomwarden", "nut.secret")


@pytest.fixture
def done(monkeypatch) -> list[str]:
    """What was done to the virtual UPSes; nobody is there to take a signal back."""
    done: list[str] = []

    class VirtualUps:
        def __init__(self, *of: object) -> None:
            done.append(f"of {of[0]} at {of[1]}")

        def stop(self) -> None:
            done.append("stop")

        def clear(self) -> None:
            done.append("clear")
            raise DeviceError("upsd is away")

        def test(self) -> None:
            done.append("test")

        def test_signal(self) -> None:
            done.append("test_signal")

        def is_logged_in(self) -> bool:
            return True

    monkeypatch.setattr("drivers.hosts.nut.VirtualUps", VirtualUps)
    return done


def test_a_shutdown_signal_is_taken_back_before_the_host_is_started(host, program, done):
    server = host(stop="nut", nut=UPSD, start=f"command:{program('exit 9')}")
    assert server.look() == {"client": True}
    server.stop()
    with pytest.raises(DeviceError, match="upsd is away"):  # and the host is not started
        server.start()
    assert done == [f"of standby-1 at {UPSD}", "stop", "clear"]


@pytest.mark.parametrize("start", [{}, {"start": "outlet"}, {"start": "wol://02:00:00:00:00:01"}])
def test_a_shutdown_signal_can_be_taken_back_however_the_host_is_started(host, done, start):
    with pytest.raises(DeviceError, match="upsd is away"):
        host(stop="nut", nut=UPSD, **start).clear()
    assert done[1:] == ["clear"]


def test_only_what_stops_by_our_upsd_has_a_signal_to_take_back(host, done, program, tmp_path):
    stop = f"command:{program(f'touch {tmp_path}/stopped')}"
    host(stop=stop, evidence=("nut",), nut=UPSD).clear()
    host(stop="redfish://room@no-such-host.invalid").clear()
    assert done == [f"of standby-1 at {UPSD}"]
    assert not (tmp_path / "stopped").exists()


def test_starting_by_the_outlet_is_left_to_the_outlet(host):
    host(start="outlet").start()


@pytest.mark.parametrize("start", [{}, {"start": "outlet"}], ids=["by hand", "by its outlet"])
def test_where_nothing_is_told_to_start_a_host_there_is_nothing_to_try(host, start):
    host(stop="command:/no/such/program", **start).test_start()


def test_of_a_host_under_our_upsd_the_taking_back_is_tried_too(host, done, tmp_path):
    server = host(stop="nut", nut=UPSD, start=f"command:{tmp_path}/missing")
    with pytest.raises(DeviceError, match="missing: no such program"):
        server.test_start()
    assert done[1:] == ["test_signal"]


@pytest.mark.parametrize(
    "keys",
    [
        {"stop": "telnet://server"},
        {"stop": "ssh://server"},
        {"stop": "ssh://room@"},
        {"stop": "nut"},
        {"stop": "redfish://ro%3Aom@server"},
        {"start": "ssh://room@server"},
        {"evidence": ("http://server",)},
        {"evidence": ("outlet",)},
        {"evidence": ("nut",)},
        {"ready": ("gopher://server",)},
        {"path": "server"},
        {"initialise": ("echo",)},
    ],
    ids=str,
)
def test_an_address_that_cannot_be_used_is_named_when_the_host_is_opened(host, keys):
    (value,) = keys.values()
    named = value if isinstance(value, str) else value[0]
    with pytest.raises(ValueError, match=re.escape(named)):
        host(**keys)


def test_a_room_without_hosts_loads_neither_http_nor_tls():
    text = "import sys, drivers.hosts; print({'ssl', 'http.client'} & set(sys.modules))"
    root = Path(open_host.__code__.co_filename).parents[2]
    told = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=root)
    assert told.stdout == "set()\n"
