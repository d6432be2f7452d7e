"""A real sshd on loopback, with a forced command."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.core.parts import DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts import ssh

pytestmark = pytest.mark.system
USER = getpass.getuser()


def keygen(file: Path, kind: str = "ed25519") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(file)], check=True)
    return file


class Server:
    """An sshd of our own: `command.sh` is what the key is bound to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = keygen(folder / "standby-1.key")
        self.host_key = keygen(folder / "host")
        self.authorise(self.key)
        self.forced("exit 0")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"ssh://{USER}@127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def authorise(self, key: Path) -> None:
        public = key.with_suffix(key.suffix + ".pub").read_text()
        line = f'restrict,command="{self.folder}/command.sh" {public}'
        (self.folder / "authorized_keys").write_text(line)

    def forced(self, text: str) -> None:
        file = self.folder / "command.sh"
        file.write_text(
            f'#!/bin/sh\necho "$SSH_ORIGINAL_COMMAND" >> {self.folder}/asked\n{text}\n'
        )
        file.chmod(0o755)

    @property
    def asked(self) -> str:
        file = self.folder / "asked"
        return file.read_text() if file.exists() else ""

    def serve(self, *lines: str) -> Server:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd started by root insists
        config = self.folder / "sshd_config"
        settings = (
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.host_key}",
            f"PidFile {self.folder}/pid",
            f"AuthorizedKeysFile {self.folder}/authorized_keys",
            "StrictModes no",
            "UsePAM no",
            "PermitTTY no",
        )
        config.write_text("\n".join((*lines, *settings)) + "\n")  # of two, sshd takes the first
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=log
            )
        until_s = time.monotonic() + 20.0
        while b"Server listening" not in (self.folder / "log").read_bytes():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until_s
            time.sleep(0.01)
        return self

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5.0)


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


@pytest.fixture
def standby(server: Server, host) -> Callable[..., object]:
    """The host on that server, with its right keys, but for what the test says."""

    def make(**keys: object):
        right = {
            "stop": server.url,
            "key_file": str(server.key),
            "host_key": f"{server.host_key}.pub",
        }
        return host(**{**right, **keys})

    return make


def test_the_times_allowed():
    assert (ssh._LIMIT_S, ssh._CONNECT_S, ssh._TRIES) == (30.0, 10, 3)


def test_a_host_is_asked_to_shut_down_by_its_forced_command(server, standby):
    server.serve()
    standby().stop()
    assert server.asked == "shutdown\n"


def test_testing_the_way_logs_in_and_runs_nothing(server, standby):
    server.serve()
    standby().test()
    assert server.asked == ""
    assert "Accepted publickey" in (server.folder / "log").read_text()


def test_a_key_that_is_not_bound_to_a_command_is_tested_as_well(server, standby):
    public = Path(f"{server.key}.pub").read_text()
    (server.folder / "authorized_keys").write_text(public)
    server.serve()
    standby().test()


def test_the_server_may_be_reached_by_any_name_and_have_keys_of_several_kinds(server, standby):
    other = keygen(server.folder / "ecdsa", "ecdsa")
    server.serve(f"HostKey {other}")
    pinned = server.folder / "pinned"
    pinned.write_text(f"# of the server\n\n{Path(f'{server.host_key}.pub').read_text()}")
    url = server.url.replace("127.0.0.1", "localhost")
    standby(stop=url, host_key=str(pinned)).stop()
    assert server.asked == "shutdown\n"


def test_nothing_of_the_users_own_ssh_is_taken(standby, program, monkeypatch):
    # ssh finds the user's files by the account, not by HOME: what it is told is looked at.
    recorder = Path(program('printf "%s\\n" "$@" > "${0%/*}/words"', "ssh"))
    monkeypatch.setattr(ssh, "PLAIN", {"PATH": f"{recorder.parent}:/usr/bin:/bin"})
    with pytest.raises(DeviceUnreachable):
        standby().stop()
    words = (recorder.parent / "words").read_text().split("\n")
    assert words[:2] == ["-F", "none"]
    assert {
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "GlobalKnownHostsFile=none",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
    } <= set(words)
    known = next(word for word in words if word.startswith("UserKnownHostsFile="))
    assert "roomwarden-ssh-" in known and "/.ssh/" not in known


def test_another_host_key_is_refused_before_the_login(server, standby):
    server.serve()
    other = keygen(server.folder / "other")
    for call in ("stop", "test"):
        with pytest.raises(DeviceError, match=r"shows another key than host_key: .*/other\.pub"):
            getattr(standby(host_key=f"{other}.pub"), call)()
    assert "Accepted" not in (server.folder / "log").read_text()


def test_a_host_key_of_another_kind_is_refused(server, standby):
    server.serve()
    other = keygen(server.folder / "other", "ecdsa")
    with pytest.raises(DeviceError, match="shows another key"):
        standby(host_key=f"{other}.pub").stop()


def test_a_key_that_the_server_does_not_know_is_refused(server, standby):
    server.serve()
    other = keygen(server.folder / "other")
    with pytest.raises(DeviceError, match=r"refuses the key of key_file: .*/other$"):
        standby(key_file=str(other)).stop()
    with pytest.raises(DeviceError, match="refuses the key of key_file"):
        standby(key_file=str(other)).test()


@pytest.mark.parametrize("key", ["key_file", "host_key"])
def test_a_missing_file_is_named_until_it_is_there(server, standby, key):
    server.serve()
    missing = server.folder / "missing"
    server_host = standby(**{key: str(missing)})
    for call in (server_host.stop, server_host.test):
        with pytest.raises(DeviceError, match=rf"^{key}: .*/missing: No such file"):
            call()
    right = server.key if key == "key_file" else Path(f"{server.host_key}.pub")
    missing.write_bytes(right.read_bytes())
    missing.chmod(0o600)
    server_host.stop()
    assert server.asked == "shutdown\n"


@pytest.mark.parametrize("key", ["key_file", "host_key"])
def test_a_file_that_is_not_given_is_named(standby, key):
    with pytest.raises(DeviceError, match=f"^{key}: not given"):
        standby(**{key: None}).stop()


def test_a_key_that_others_may_read_is_named(server, standby):
    server.serve()
    server.key.chmod(0o644)
    with pytest.raises(DeviceError, match=r"^key_file: .*standby-1\.key: others may read it"):
        standby().stop()


def test_a_key_file_that_holds_no_key_is_named(server, standby):
    server.serve()
    server.key.write_text("nonsense\n")
    with pytest.raises(DeviceError, match=r"^key_file: .*standby-1\.key: not a private key"):
        standby().stop()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "ssh-ed25519\n",
        "ssh-ed25519 nonsense\n",
        "ssh-ed25519 AAAAC3NzaC1yc2E=\n",
        "server ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n",
        "sсh-ed25519 AAAAC3NzaC1lZDI1NTE5\n",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 x\n" * 9,
    ],
)
def test_a_host_key_file_that_holds_no_public_key_is_named(standby, tmp_path, text):
    (tmp_path / "pinned").write_text(text)
    with pytest.raises(DeviceError, match=r"^host_key: .*/pinned: not a public host key"):
        standby(host_key=str(tmp_path / "pinned")).stop()


def test_a_port_that_is_shut_is_told(standby):
    with pytest.raises(DeviceUnreachable, match="Connection refused"):
        standby().stop()
    with pytest.raises(DeviceUnreachable, match="Connection refused"):
        standby().test()


def test_a_name_that_does_not_resolve_is_told(standby):
    with pytest.raises(DeviceUnreachable, match="Could not resolve hostname"):
        standby(stop="ssh://room@no-such-host.invalid").stop()


def test_a_server_that_never_greets_is_given_up(standby, far, monkeypatch):
    monkeypatch.setattr(ssh, "_CONNECT_S", 1)
    silent = far(lambda line: line.recv(4096) and line.recv(4096))
    with pytest.raises(DeviceTimeout, match="no answer in time"):
        standby(stop=f"ssh://room@127.0.0.1:{silent.port}").stop()


def test_a_command_that_hangs_is_given_up_and_told(server, standby, monkeypatch):
    monkeypatch.setattr(ssh, "_LIMIT_S", 4.0)
    server.forced("exec sleep 40")
    server.serve()
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout, match="its command did not end in 4 s"):
        standby().stop()
    assert time.monotonic() - began_s < 15.0
    assert server.asked == "shutdown\n"


def test_a_command_that_fails_is_told_with_its_last_words(server, standby):
    server.forced("echo not tonight >&2; exit 3")
    server.serve()
    with pytest.raises(DeviceError, match="its command failed: exit status 3: not tonight"):
        standby().stop()


def test_an_account_without_a_shell_is_told(server, standby):
    # What sshd runs for an account whose shell is nologin, whatever command the key is bound to.
    server.forced("exec /usr/sbin/nologin")
    server.serve()
    with pytest.raises(DeviceError, match=r"failed: exit status 1: .*not available"):
        standby().stop()


@pytest.mark.skipif(os.getuid() != 0, reason="only root's sshd can log others in")
def test_the_account_of_a_service_cannot_be_logged_in_to(server, standby):
    # It reads its keys as the account that logs in, which may not look into our folder.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        keys = Path(folder, "authorized_keys")
        keys.write_text((server.folder / "authorized_keys").read_text())
        server.serve("UsePAM yes", f"AuthorizedKeysFile {keys}")
        with pytest.raises(DeviceError, match=r"failed: exit status 1: .*not available"):
            standby(stop=server.url.replace(USER, "daemon")).stop()
    assert server.asked == ""


@pytest.mark.parametrize(
    "end", ["kill -9 $PPID; sleep 5", "kill -TERM $$; sleep 5"], ids=["connection", "session"]
)
def test_a_connection_that_the_shutdown_takes_away_counts_as_asked(server, standby, end):
    server.forced(end)
    server.serve()
    standby().stop()
    assert server.asked == "shutdown\n"


def test_a_command_that_prints_for_ever_is_given_up(server, standby, monkeypatch):
    monkeypatch.setattr(ssh, "_LIMIT_S", 4.0)
    server.forced("exec yes")
    server.serve()
    with pytest.raises(DeviceTimeout):
        standby().stop()


def test_a_server_busy_with_logins_is_asked_again(server, standby, eventually):
    server.serve("MaxStartups 1")
    log = server.folder / "log"
    busy = socket.create_connection(("127.0.0.1", server.port))
    eventually(lambda: busy.recv(4) == b"SSH-")

    def make_room() -> None:
        eventually(lambda: b"drop connection" in log.read_bytes(), 10.0)
        busy.close()

    room = threading.Thread(target=make_room)
    room.start()
    standby().stop()
    room.join()
    assert server.asked == "shutdown\n"
    assert b"drop connection" in log.read_bytes()


def test_a_server_that_drops_every_login_is_given_up(standby, far, monkeypatch):
    monkeypatch.setattr(ssh, "_APART_S", 0.01)
    busy = far(lambda line: None)
    with pytest.raises(DeviceUnreachable, match="drops new logins"):
        standby(stop=f"ssh://room@127.0.0.1:{busy.port}").stop()
    assert busy.connections == 3


def test_no_file_is_left_behind(server, standby, tmp_path, monkeypatch):
    folder = tmp_path / "temporary files"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    server.serve()
    standby().stop()
    assert list(folder.iterdir()) == []
