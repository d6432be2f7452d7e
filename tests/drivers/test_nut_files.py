"""The files of our own upsd, as `roomwarden nut` writes them, and its services."""

from __future__ import annotations

import configparser
import grp
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import firmware
from controller.core.parts import DeviceError
from drivers.nutclient import NutClient
from firmware.main import main
from tests.drivers.nut_server import USER, Upsd, wait
from tests.drivers.test_nut_hosts import Server, virtual

UNITS = Path(firmware.__file__).parent / "nut"
SECRET = 'a "b" c\\d # =='
HOSTS = """
[[host]]
id = "standby-1"
name = "备用服务器"
stage = 1
stop = "nut"
evidence = ["nut"]
needs = 1

[[host]]
id = "standby-2"
stage = 2
stop = "nut"
evidence = ["nut"]
needs = 1

[[host]]
id = "other"
stage = 2
stop = "command:/bin/true"
evidence = ["ping://127.0.0.1"]
needs = 1
"""
STAGES = """
[outage]
[[outage.stage]]
stage = 1
after = "1min"
[[outage.stage]]
stage = 2
after = "2min"
"""


class Room:
    """A room file with its secret beside it, and what `roomwarden nut` makes of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "room.toml"
        self.secret = folder / "nut.secret"
        self.secret.write_text(f"{SECRET}\n")
        self.out = folder / "out"
        self._capsys = capsys
        self.write(HOSTS)

    def write(self, hosts: str, nut: str = "") -> None:
        self.file.write_text(
            '[room]\nsite = "school"\nid = "room"\nname = "Room"\ntimezone = "UTC"\n'
            f'[board]\nkind = "simulated"\n{hosts}{STAGES}{nut}'
        )

    def nut(self, *words: str) -> tuple[int, str, str]:
        """Run the command: its exit code, and what it printed."""
        code = main(["nut", str(self.file), *words])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def written(self) -> dict[str, str]:
        code, _, error = self.nut("--write", str(self.out))
        assert (code, error) == (0, "")
        files = (path for path in self.out.rglob("*") if path.is_file())
        return {str(path.relative_to(self.out)): path.read_text() for path in files}


@pytest.fixture
def room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Room:
    return Room(tmp_path, capsys)


def test_each_host_that_nut_stops_has_a_virtual_ups_that_is_on_line(room):
    files = room.written()
    assert set(files) == {
        "ups.conf",
        "upsd.conf",
        "upsd.users",
        "standby-1.dev",
        "standby-2.dev",
        "upsmon/standby-1.conf",
        "upsmon/standby-2.conf",
    }
    ups = configparser.ConfigParser()
    ups.read_string(files["ups.conf"])
    assert {name: dict(ups[name]) for name in ups.sections()} == {
        host: {"driver": "dummy-ups", "port": f"{host}.dev", "mode": "dummy-once"}
        for host in ("standby-1", "standby-2")
    }
    assert files["standby-1.dev"] == "ups.status: OL\n"
    assert files["upsd.conf"] == "LISTEN 127.0.0.1 3493\nMAXAGE 15\n"


def test_a_host_may_log_in_and_only_the_controller_may_change_anything(room):
    users = [block.splitlines() for block in room.written()["upsd.users"].split("[")[1:]]
    rights = {lines[0].rstrip("]"): [line.strip() for line in lines[2:]] for lines in users}
    assert rights == {
        "roomwarden": ["actions = SET"],
        "standby-1": ["upsmon secondary"],
        "standby-2": ["upsmon secondary"],
    }


def test_a_hosts_password_gives_away_no_other(room):
    files = room.written()
    passwords = [
        line.split()[4].strip('"')
        for name, text in files.items()
        if name.startswith("upsmon/")
        for line in text.splitlines()
        if line.startswith("MONITOR")
    ]
    assert len(set(passwords)) == 2
    assert all(len(password) == 40 and password.isalnum() for password in passwords)
    assert all(files["upsd.users"].count(password) == 1 for password in passwords)
    assert not any(SECRET in text for name, text in files.items() if name != "upsd.users")
    assert room.written() == files  # they stay, so that a second run locks nobody out


def test_what_is_shown_has_no_password_and_needs_no_secret(room):
    room.secret.unlink()
    code, shown, _ = room.nut()
    assert code == 0
    assert shown.count('"(not shown)"') == 5
    code, shown, _ = room.nut("--json")
    assert json.loads(shown)["upsd.conf"].startswith("LISTEN 127.0.0.1 3493\n")
    assert not room.out.exists()


def test_what_is_written_is_for_upsd_alone(room):
    (room.out / "upsmon").mkdir(parents=True)
    old = room.out / "upsd.users"
    old.write_text("old")
    old.chmod(0o666)
    room.written()
    shared = 0o600
    if os.geteuid() == 0 and "nut" in {group.gr_name for group in grp.getgrall()}:
        shared = 0o640
        assert {path.group() for path in room.out.glob("*.*")} == {"nut"}
    for path in (path for path in room.out.rglob("*") if path.is_file()):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o600 if path.parent.name == "upsmon" else shared), path


def test_folders_that_are_made_are_closed_to_others(room):
    room.written()
    for folder in (room.out, room.out / "upsmon"):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o027 == 0


def test_nothing_half_written_is_left_behind(room):
    room.out.mkdir()
    (room.out / "upsd.users").mkdir()  # in the way
    code, _, error = room.nut("--write", str(room.out))
    assert code == 1
    assert len(error.splitlines()) == 1
    assert "upsd.users" in error
    assert not list(room.out.rglob(".*"))


@pytest.mark.parametrize("content", [None, "", "two\nlines\n", "密码"])
def test_a_secret_that_is_none_is_named_in_one_line(room, content):
    room.secret.unlink()
    if content is not None:
        room.secret.write_text(content)
    code, _, error = room.nut("--write", str(room.out))
    assert code == 2
    assert len(error.splitlines()) == 1
    assert "nut.password_file" in error
    assert str(room.secret) in error
    assert not room.out.exists()


def test_a_room_without_such_hosts_has_no_such_files(room):
    room.write(
        HOSTS.replace('stop = "nut"', 'stop = "command:/bin/true"').replace(
            '"nut"', '"ping://127.0.0.1"'
        )
    )
    code, _, error = room.nut()
    assert code == 1
    assert 'stop = "nut"' in error


def test_the_controllers_user_is_no_hosts(room):
    room.write(HOSTS, '[nut]\nusername = "standby-1"\n')
    code, _, error = room.nut()
    assert code == 2
    assert "nut.username" in error


@pytest.mark.parametrize(
    ("address", "listen", "monitor"),
    [
        ("127.0.0.1:3493", "127.0.0.1 3493", "@ADDRESS-OF-THIS-BOARD:3493"),
        ("0.0.0.0:3500", "0.0.0.0 3500", "@ADDRESS-OF-THIS-BOARD:3500"),
        ("10.0.0.5:3493", "10.0.0.5 3493", "@10.0.0.5:3493"),
        ("[fd00::5]:3493", "fd00::5 3493", "@[fd00::5]:3493"),
    ],
)
def test_hosts_find_upsd_where_it_listens(room, address, listen, monitor):
    room.write(HOSTS, f'[nut]\naddress = "{address}"\n')
    files = room.written()
    assert files["upsd.conf"].splitlines()[0] == f"LISTEN {listen}"
    assert f"standby-1{monitor} 1 standby-1" in files["upsmon/standby-1.conf"]


@pytest.fixture
def upsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Room], Upsd]]:
    """The upsd of a room, with the files that `roomwarden nut` wrote for it."""
    made: list[Upsd] = []

    def start(room: Room) -> Upsd:
        server = Upsd(tmp_path_factory.mktemp("nut"), {})
        made.append(server)
        room.write(HOSTS, f'[nut]\naddress = "127.0.0.1:{server.port}"\n')
        assert room.nut("--write", str(server.etc))[0] == 0
        for host in ("standby-1", "standby-2"):
            server.start_driver(host)
        server.start()
        return server

    yield start
    for server in made:
        server.close()


@pytest.mark.system
def test_a_real_upsd_and_a_real_upsmon_take_what_is_written(room, upsd):
    server = upsd(room)
    client = NutClient("127.0.0.1", server.port)
    for host in ("standby-1", "standby-2"):
        wait(lambda host=host: served(client, host), 20.0, f"{host} is served")
    # The host's own upsmon.conf as it was written, but for where it runs and what it does.
    written = (server.etc / "upsmon" / "standby-1.conf").read_text()
    host = Server(server)
    server.write(
        "upsmon.conf",
        written.replace("ADDRESS-OF-THIS-BOARD", "127.0.0.1")
        .replace("/sbin/shutdown -h +0", f"touch {host.down}")
        .replace(
            "POLLFREQ", f"POWERDOWNFLAG {server.state}/flag\nRUN_AS_USER {USER}\nPOLLFREQ", 1
        ),
    )
    host.boot()
    wait(lambda: client.sessions("standby-1") == 1, 20.0, "upsmon is logged in")
    virtual(server, secret=room.secret).stop()
    wait(lambda: host.is_down, 20.0, "the host has run its SHUTDOWNCMD")
    assert client.variable("standby-2", "ups.status") == "OL"
    assert "error" not in server.log("upsd").lower()


def served(client: NutClient, host: str) -> bool:
    try:
        return client.variable(host, "ups.status") == "OL"
    except DeviceError:
        return False


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string((UNITS / name).read_text())
    return parsed


def test_upsd_and_its_drivers_outlive_the_controller_and_are_restarted_together():
    upsd, driver = unit("roomwarden-upsd.service"), unit("roomwarden-virtual-ups@.service")
    for each in (upsd, driver):
        bound = {"PartOf", "BindsTo", "Requires", "Requisite", "StopPropagatedFrom", "Upholds"}
        tied = {each["Unit"][key] for key in bound if key in each["Unit"]}
        assert "roomwarden.service" not in " ".join(tied)
        assert each["Service"]["Restart"] == "always"
    assert driver["Unit"]["PartOf"] == "roomwarden-upsd.service"
    assert driver["Install"]["WantedBy"] == "roomwarden-upsd.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.system
def test_systemd_takes_the_units(tmp_path):
    # A template is looked at as one of its instances; NUT's user may not be here.
    for unit_file in UNITS.glob("*.service"):
        text = unit_file.read_text().replace("User=nut", "User=root").replace("Group=nut", "")
        (tmp_path / unit_file.name.replace("@.", "@standby-1.")).write_text(text)
    names = sorted(str(path) for path in tmp_path.glob("*.service"))
    assert len(names) == 2
    told = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")
