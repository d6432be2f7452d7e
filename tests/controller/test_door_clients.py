"""The door's clients: those that stream, hang up, read nothing, or are too many."""

from __future__ import annotations

import socket
import threading
import time

from controller import door as door_module
from controller.door import MAX_CLIENTS


def full(bench):
    return bench.controller._door._slots._value == 0


def test_a_stream_client_that_reads_nothing_is_let_go_and_costs_nothing(
    bench, line, wait, monkeypatch, dial
):
    monkeypatch.setattr(door_module, "_SEND_S", 0.1)
    monkeypatch.setattr(door_module, "_STREAM_S", (0.001, 0.002))
    dead = dial(receive_bytes=2048)
    dead.say({"ask": "stream"})
    slots = bench.controller._door._slots
    wait(lambda: slots._value == MAX_CLIENTS - 2)
    wait(lambda: slots._value == MAX_CLIENTS - 1)  # only `line` is still there
    assert "state" in line.ask({"ask": "state"})
    bench.press()
    assert bench.level("power-cut") is True
    dead.close()


def test_who_follows_the_events_and_hangs_up_leaves_no_trace(bench, line, wait, dial):
    slots = bench.controller._door._slots
    gone = dial()
    gone.say({"ask": "events", "follow": True})
    assert "event" in gone.hear()
    assert slots._value == MAX_CLIENTS - 2
    gone.close()
    wait(lambda: slots._value == MAX_CLIENTS - 1)


def test_who_waits_for_an_end_and_hangs_up_leaves_no_trace(bench, line, wait, monkeypatch, dial):
    bench.cut()
    cut = bench.controller.room.rules["cut"]
    monkeypatch.setattr(cut, "_is_off", lambda outlet, seen: False)
    monkeypatch.setattr(cut, "_outlets", ("lamp",))
    gone = dial()
    gone.say({"ask": "request", "action": "restore", "wait": True})
    assert gone.hear()["reply"]["status"] == "accepted"
    guard = bench.controller.guard
    assert len(guard._waiting) == 1
    gone.close()
    wait(lambda: not guard._waiting)
    wait(lambda: bench.controller._door._slots._value == MAX_CLIENTS - 1)


def test_more_clients_than_there_is_room_for_are_told_so(bench, wait, dial):
    bench.start()
    lines = [dial() for _ in range(MAX_CLIENTS)]
    wait(lambda: full(bench))
    late = dial()
    assert late.hear() == {"error": "too many clients"}
    assert late.hear() is None
    lines[0].close()
    wait(lambda: not full(bench))
    assert "state" in dial().ask({"ask": "state"})
    bench.press()
    assert bench.level("power-cut") is True
    for each in (*lines, late):
        each.close()


def test_a_socket_left_by_a_killed_controller_is_replaced(bench):
    bench.run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(bench.run / "door.sock"))
    bench.start()
    assert bench.door.state()["state"] == "normal"
    bench.close()
    assert not (bench.run / "door.sock").exists()


def test_a_controller_ends_at_once_with_clients_at_its_door(bench, line):
    line.say({"ask": "stream"})
    assert "state" in line.hear()
    began_s = time.monotonic()
    bench.close()
    assert time.monotonic() - began_s < 0.8
    assert not [t for t in threading.enumerate() if t.name in ("timer", "scribe", "door")]
