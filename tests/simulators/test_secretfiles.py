"""The keys and passwords that a simulated room finds missing."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from controller.config.power import HostConfig, Nut
from controller.config.schema import BoardConfig, Room, RoomFile, Simulation
from drivers import nut
from simulators.keys import HOST, certificate, private_key, public_line
from simulators.secretfiles import write_missing


def room(folder: Path, real: tuple[str, ...] = ()) -> RoomFile:
    return RoomFile(
        room=Room(site="lakeside-school", id="server-room", name="Server room", timezone="UTC"),
        board=BoardConfig(kind="simulated"),
        upses=(
            nut.Config(
                id="main-ups", address="nut://warden@127.0.0.1/ups", password_file="ups.secret"
            ),
        ),
        hosts=(
            HostConfig(
                id="standby-1", stage=1, stop="ssh://room@127.0.0.1:2222", key_file="standby-1.key"
            ),
            HostConfig(
                id="storage",
                stage=2,
                stop="redfish://admin@bmc.lakeside",
                password_file="bmc.secret",
                ca="bmc.pem",
            ),
            HostConfig(id="files", stage=3, stop="nut"),
        ),
        nut=Nut(),
        simulation=Simulation(real=real),
        folder=folder,
    )


def test_every_secret_that_is_missing_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    write_missing(room(tmp_path))
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "ups.secret": 0o600,
        "nut.secret": 0o600,
        "standby-1.key": 0o600,
        "standby-1.host-key": 0o600,
        "bmc.secret": 0o600,
        "bmc.pem": 0o600,
    }


def test_secrets_that_are_there_stay_and_real_parts_get_none(tmp_path: Path) -> None:
    (tmp_path / "bmc.secret").write_text("mine\n")
    write_missing(room(tmp_path, real=("main-ups", "standby-1", "files")))
    assert {path.name for path in tmp_path.iterdir()} == {"bmc.secret", "bmc.pem"}
    assert (tmp_path / "bmc.secret").read_text() == "mine\n"


def test_a_host_has_the_same_keys_each_time_and_no_two_the_same(tmp_path: Path) -> None:
    write_missing(room(tmp_path))
    pinned = (tmp_path / "standby-1.host-key").read_text()
    assert pinned == public_line(private_key("lakeside-school/server-room/standby-1", HOST)) + "\n"
    assert pinned != public_line(private_key("lakeside-school/server-room/storage", HOST)) + "\n"
    seed = "lakeside-school/server-room/storage"
    assert certificate(seed, "bmc.lakeside") == (tmp_path / "bmc.pem").read_bytes()


@pytest.mark.parametrize("name", ["standby-1.key", "standby-1.host-key"])
def test_openssh_reads_the_keys(tmp_path: Path, name: str) -> None:
    write_missing(room(tmp_path))
    command = ["ssh-keygen", "-l", "-f", str(tmp_path / name)]
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    assert read.stdout.strip().endswith("(ED25519)")


def test_openssl_takes_the_certificate_as_an_authority(tmp_path: Path) -> None:
    write_missing(room(tmp_path))
    context = ssl.create_default_context(cafile=str(tmp_path / "bmc.pem"))
    assert context.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}


def test_a_folder_that_takes_no_files_keeps_no_world_from_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_missing(room(tmp_path / "nowhere"))
    assert "nut.secret: not written" in caplog.text
