"""The command line as operators and scripts use it: exit codes, JSON, and what it leaves alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from controller.journal import verify_chain
from tests.system.house import LAKESIDE, PROGRAM, ROOT, House, wait

pytestmark = pytest.mark.system

QUALITIES = {"good", "stale", "bad", "missing", "frozen", "disagreeing"}


def test_the_program_says_its_version(house: House) -> None:
    said = house.command("--version")
    assert (said.returncode, said.stdout) == (0, f"roomwarden {version('roomwarden')}\n")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("guard", "CONFIG"),
        ("status",),
        ("status", "CONFIG", "--colour"),
        ("request", "CONFIG", "acknowledge", "alarm"),
    ],
    ids=["no-command", "unknown-command", "no-config", "unknown-option", "no-value"],
)
def test_bad_usage_ends_with_2_and_a_word_on_stderr(house: House, words: tuple[str, ...]) -> None:
    said = house.command(*words)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr


def test_check_finds_no_fault_in_the_example_room_and_touches_nothing(house: House) -> None:
    before = sorted(house.folder.iterdir())
    said = house.command("check", "CONFIG", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert (found["ok"], found["faults"]) == (True, [])
    assert sorted(house.folder.iterdir()) == before
    assert not house.run.exists()


def test_the_example_room_is_accepted_as_it_stands_without_its_secrets(house: House) -> None:
    house.config.write_bytes(LAKESIDE.read_bytes())
    (house.folder / "feed.secret").unlink()
    assert house.command("check", "CONFIG").returncode == 0


@pytest.mark.parametrize("command", ["check", "run", "panel"])
def test_a_faulty_room_file_is_refused_whole_and_nothing_is_touched(
    new_house: Callable[..., House], command: str
) -> None:
    house = new_house(
        {
            'timezone = "Asia/Shanghai"': 'timezone = "Asia/Nowhere"',
            "pin = 22": "pin = 17",
            'of = "power-cut"': 'of = "no-such-output"',
            'window = "120s"': 'window = "120 parsecs"',
            "minimum_off": "minimum_of",
        }
    )
    before = sorted(house.folder.iterdir())
    said = house.command(command, "CONFIG")
    assert said.returncode == 2
    faults = said.stderr.splitlines()
    assert all(fault.startswith(f"{house.config}: ") for fault in faults), said.stderr
    for key in (
        "room.timezone",
        'input "front-door".pin',
        'input "cut-proof".of',
        "fire.window",
        'output "aircon".minimum_of',
    ):
        assert any(key in fault for fault in faults), (key, said.stderr)
    assert sorted(house.folder.iterdir()) == before
    assert not house.run.exists()


def test_a_faulty_room_file_is_told_as_json(new_house: Callable[..., House]) -> None:
    house = new_house({'kind = "simulated"': 'kind = "toaster"'})
    said = house.command("check", "CONFIG", "--json")
    assert said.returncode == 2
    found = json.loads(said.stdout)
    assert found["ok"] is False
    assert [(fault["key"], fault["value"]) for fault in found["faults"]] == [
        ("board.kind", '"toaster"')
    ]


def test_a_room_file_that_is_not_there_is_bad_configuration(house: House) -> None:
    house.config.unlink()
    said = house.command("run", "CONFIG")
    assert (said.returncode, said.stdout) == (2, "")
    assert str(house.config) in said.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("status", "CONFIG"),
        ("events", "CONFIG"),
        ("request", "CONFIG", "silence"),
        ("sim", "CONFIG", "smoke-1", "on"),
    ],
    ids=lambda words: words[0],
)
def test_a_room_that_nobody_guards_is_said_to_be_so(house: House, words: tuple[str, ...]) -> None:
    said = house.command(*words)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("roomwarden: ")
    assert "Traceback" not in said.stderr


def test_status_tells_the_whole_room_as_json(standing: House) -> None:
    said = standing.command("status", "CONFIG", "--json")
    assert said.returncode == 0, said.stderr
    state = json.loads(said.stdout)
    assert {"room", "scan", "points", "outputs", "alarms", "feed", "plan"} <= state.keys()
    points = {point["id"]: point for point in state["points"]}
    assert {
        "rack-air.temperature", "rack-air.humidity", "rack-air.dew-point", "smoke-1", "smoke-2",
        "front-door", "mains", "cut-proof", "ups-cut-proof", "hold-button", "hall.power",
        "hall.cooling-left", "main-ups.supply", "main-ups.battery-low", "main-ups.charge",
        "main-ups.runtime", "main-ups.load", "main-ups.input-voltage", "main-ups.input-frequency",
        "main-ups.battery-age", "main-ups.self-test", "main-ups.faults", "power.state",
    } == points.keys()  # fmt: skip
    for point in points.values():
        assert {"id", "value", "unit", "quality", "at"} <= point.keys()
        assert point["quality"] in QUALITIES
        if point["quality"] == "missing":
            assert point["value"] is None
    assert {id: points[id]["value"] for id in ("smoke-1", "front-door", "mains")} == {
        "smoke-1": False,
        "front-door": False,
        "mains": True,
    }
    outputs = {output["id"]: output for output in state["outputs"]}
    assert outputs.keys() == {"power-cut", "ups-cut", "siren", "aircon", "hall-outlet"}
    for output in outputs.values():
        assert {"id", "commanded", "actual", "slot", "reason"} <= output.keys()
        assert output["commanded"] in ("on", "off")
    assert outputs["power-cut"]["actual"] == "off"
    assert outputs["siren"]["actual"] is None


def test_status_is_readable_without_json(standing: House) -> None:
    said = standing.command("status", "CONFIG")
    assert said.returncode == 0
    assert "网络机房 (lakeside-school/server-room)" in said.stdout
    assert re.search(r"^smoke-1 +no +good", said.stdout.replace("  -", "   "), re.MULTILINE)


def test_the_first_temperature_comes_within_ten_seconds_of_the_start(house: House) -> None:
    house.start("run")
    wait(
        lambda: house.point("rack-air.temperature")["quality"] == "good",
        what="a first temperature",
    )
    air_c = house.truth()["air"]["temperature_c"]
    assert house.point("rack-air.temperature")["value"] == pytest.approx(air_c, abs=0.15)


def test_events_come_oldest_first_without_a_gap_one_object_a_line(standing: House) -> None:
    said = standing.command("events", "CONFIG", "--json")
    assert said.returncode == 0, said.stderr
    events = [json.loads(line) for line in said.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert event.keys() == {
            "seq", "boot", "at", "kind", "subject", "cause", "actor", "data", "prev", "hash",
        }  # fmt: skip
    assert (events[0]["subject"], events[0]["cause"]) == ("controller", "started")


def test_events_since_a_moment_are_those_from_then_on(standing: House) -> None:
    last = standing.events()[-1]
    assert standing.ask("silence")["status"] == "done"
    wait(lambda: standing.events()[-1]["seq"] > last["seq"], what="an event")
    after = json.loads(
        standing.command("events", "CONFIG", "--json", "--since", str(last["seq"] + 1))
        .stdout.splitlines()[0]
    )  # fmt: skip
    assert after["seq"] == last["seq"] + 1
    everything = standing.events()
    said = standing.command("events", "CONFIG", "--json", "--since", last["at"])
    found = [json.loads(line)["seq"] for line in said.stdout.splitlines()]
    expected = [event["seq"] for event in everything if event["at"] >= last["at"]]
    assert found[: len(expected)] == expected


def test_events_since_an_hour_ago_are_all_of_a_room_that_began_just_now(standing: House) -> None:
    everything = standing.events()
    said = standing.command("events", "CONFIG", "--json", "--since", "1h")
    assert said.returncode == 0, said.stderr
    assert len(said.stdout.splitlines()) >= len(everything)


def test_a_moment_that_is_none_is_bad_usage_and_named(standing: House) -> None:
    said = standing.command("events", "CONFIG", "--since", "yesterday")
    assert "yesterday" in said.stderr
    assert "Traceback" not in said.stderr
    assert said.returncode == 2


def test_a_request_prints_what_the_gate_said(standing: House) -> None:
    done = standing.command("request", "CONFIG", "silence", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"
    refused = standing.command("request", "CONFIG", "restore", "--json")
    assert refused.returncode == 1
    reply = json.loads(refused.stdout)
    assert (reply["status"], reply["why"]["id"]) == ("refused", "refused.not-cut")
    assert reply["reason"]
    unknown = standing.command("request", "CONFIG", "make-coffee", "cups=2")
    assert unknown.returncode == 1
    assert unknown.stdout.startswith("refused: ")


def test_a_request_that_takes_its_time_is_accepted_at_once_and_can_be_waited_for(
    new_house: Callable[..., House],
) -> None:
    house = new_house({"[simulation]": "[simulation]\npace = 20"})
    house.start_controller()
    accepted = house.command("request", "CONFIG", "projector-on", "id=hall", within_s=5.0)
    assert (accepted.returncode, accepted.stdout) == (0, "accepted\n")
    done = house.command("request", "CONFIG", "projector-on", "id=hall", "--wait", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "done")
    assert house.truth()["projectors"]["hall"]["power"] == "on"


def test_events_are_followed_as_they_come(standing: House) -> None:
    known = len(standing.events())
    words = [*PROGRAM, "events", str(standing.config), "--json", "--follow"]
    with subprocess.Popen(words, cwd=ROOT, env=standing.env, stdout=subprocess.PIPE) as follower:
        try:
            assert follower.stdout is not None
            for seq in range(1, known + 1):
                assert json.loads(follower.stdout.readline())["seq"] == seq
            standing.sim("front-door", "open")
            opened = json.loads(follower.stdout.readline())
            assert opened["seq"] == known + 1
            assert (opened["subject"], opened["cause"]) == ("front-door", "access.opened")
        finally:
            follower.kill()
            standing.sim("front-door", "normal")
    wait(lambda: standing.point("front-door")["value"] is False, what="a shut door")


def test_two_rooms_on_one_machine_never_meet(
    new_house: Callable[..., House], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (new_house({}, tmp_path / name) for name in ("one", "two"))
    one.start_controller()
    two.start_controller()
    one.trip()
    wait(lambda: one.state()["fire"]["cut"] is True, what="word of the cut")
    assert two.state()["fire"]["phase"] == "normal"
    assert not two.is_on("power-cut")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_stranger_on_the_machine_finds_the_door_shut(standing: House) -> None:
    standing.run.parent.chmod(0o755)  # what stands around the run directory lets all pass
    knock = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))\n"
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(sys.argv[1])\n"
    )
    for name in ("door.sock", "world.sock"):
        said = {
            user: subprocess.run(
                [sys.executable, "-c", knock, str(standing.run / name), user],
                capture_output=True, text=True, timeout=20.0, check=False,
            )
            for user in ("0", "65534")
        }  # fmt: skip
        assert said["0"].returncode == 0, said["0"].stderr
        assert "PermissionError" in said["65534"].stderr, said["65534"].stderr


def test_sim_moves_the_world_and_names_what_it_does_not_know(standing: House) -> None:
    try:
        done = standing.command("sim", "CONFIG", "front-door", "open", "--json")
        assert (done.returncode, json.loads(done.stdout)) == (0, {"done": True})
        assert standing.truth()["contacts"]["front-door"]["value"] is True
        wait(lambda: standing.point("front-door")["value"] is True, what="an open door")
    finally:
        standing.sim("front-door", "normal")
    wait(lambda: standing.point("front-door")["value"] is False, what="a shut door")
    for words in (("back-door", "open"), ("front-door", "ajar"), ("rack-air.temperature", "hot")):
        wrong = standing.command("sim", "CONFIG", *words)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert words[0] in wrong.stderr


def test_a_second_run_on_the_same_room_is_refused_and_the_first_goes_on(standing: House) -> None:
    before = standing.moves()
    said = standing.command("run", "CONFIG")
    assert (said.returncode, said.stdout) == (1, "")
    assert "another roomwarden guards this room" in said.stderr
    scan = standing.state()["scan"]["number"]
    wait(lambda: standing.state()["scan"]["number"] > scan, what="a further scan")
    standing.sim("front-door", "open")
    wait(lambda: standing.point("front-door")["value"] is True, what="an open door")
    standing.sim("front-door", "normal")
    assert standing.moves() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_clean_end_moves_no_relay_line_and_leaves_a_whole_journal(
    house: House, number: signal.Signals
) -> None:
    controller = house.start_controller()
    house.sim("smoke-1", "on")  # the siren sounds and the air conditioning is off
    wait(lambda: house.is_on("siren") and not house.is_on("aircon"), what="the pre-alarm")
    moved = house.moves()
    lines = house.truth()["lines"]
    controller.send_signal(number)
    assert controller.wait(8.0) == 0, house.said()
    assert house.moves() == moved
    assert house.truth()["lines"] == lines
    assert not (house.run / "door.sock").exists()
    report = verify_chain(house.store)
    assert (report.ok, report.dropped) == (True, ()), report.faults
    house.start_controller()
    assert house.moves() == moved
