"""The feed over TLS, with real certificates on both sides."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.system


class Authority:
    """Signs certificates for the address 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        _openssl(
            folder,
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            f"-subj /CN={name} -keyout {name}.key -out {name}.crt",
        )

    def sign(self, name: str, days: int = 2) -> None:
        (self.folder / "san").write_text("subjectAltName = IP:127.0.0.1\n")
        _openssl(
            self.folder,
            f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} "
            f"-keyout {name}.key -out {name}.csr",
        )
        _openssl(
            self.folder,
            f"x509 -req -in {name}.csr -CA {self.name}.crt -CAkey {self.name}.key "
            f"-CAcreateserial -days {days} -extfile san -out {name}.crt",
        )


def _openssl(folder: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def secure(mosquitto, tmp_path):
    """A mosquitto with a certificate, which asks for one of its clients."""
    authority = Authority(tmp_path, "ca")
    authority.sign("broker")
    authority.sign("room")
    mosquitto.lines += [
        f"cafile {tmp_path}/ca.crt",
        f"certfile {tmp_path}/broker.crt",
        f"keyfile {tmp_path}/broker.key",
        "require_certificate true",
    ]
    mosquitto.url = f"mqtts://127.0.0.1:{mosquitto.port}"
    mosquitto.authority = authority
    return mosquitto.start()


OURS = 'ca = "ca.crt"\ncertificate = "room.crt"\nkey = "room.key"'


def test_certificates_of_both_sides_are_accepted(secure, open_room, until):
    room = open_room(secure.url, OURS)
    until(lambda: room.state()["condition"] == "up")
    until(room.is_settled)


def test_a_broker_signed_by_somebody_else_is_not_trusted(secure, open_room, until, tmp_path):
    Authority(tmp_path, "other")
    room = open_room(secure.url, OURS.replace("ca.crt", "other.crt"))
    until(lambda: room.state()["condition"] == "certificate")
    until(lambda: room.alarm("feed.down"))
    assert "certificate" in str(room.state()["detail"])


def test_a_room_without_the_certificate_it_needs_is_told_so(secure, open_room, until):
    room = open_room(secure.url, 'ca = "ca.crt"')
    until(lambda: room.state()["condition"] == "certificate")


@pytest.mark.parametrize("days", [2, -1], ids=["signed by somebody else", "expired"])
def test_a_room_whose_certificate_the_broker_does_not_trust_is_told_so_each_time(
    secure, open_room, until, tmp_path, days
):
    signer = Authority(tmp_path, "other") if days > 0 else secure.authority
    signer.sign("room", days)
    room = open_room(secure.url, OURS)
    until(lambda: room.state()["detail"])
    found = set()

    def is_tried_often() -> bool:
        state = room.state()
        found.add((state["condition"], "room.crt" in str(state["detail"])))
        return secure.log.count("New connection") >= 12

    until(is_tried_often)
    assert found == {("certificate", True)}


def test_a_missing_certificate_is_named_and_used_once_it_is_there(
    secure, open_room, until, tmp_path
):
    (tmp_path / "room.crt").rename(tmp_path / "room.later")
    room = open_room(secure.url, OURS)
    until(lambda: room.state()["condition"] == "certificate")
    assert "room.crt" in str(room.state()["detail"])

    (tmp_path / "room.later").rename(tmp_path / "room.crt")

    until(lambda: room.state()["condition"] == "up")


def test_a_key_with_a_pass_phrase_is_named_and_nobody_is_asked_for_it(
    secure, open_room, until, tmp_path
):
    encrypt = "ec -in room.key -aes128 -passout pass:secret -out locked.key"
    _openssl(tmp_path, encrypt)
    room = open_room(secure.url, OURS.replace("room.key", "locked.key"))
    until(lambda: room.state()["condition"] == "certificate")
    until(lambda: room.alarm("feed.down"))
    detail = str(room.state()["detail"])
    assert detail.endswith("locked.key: has a pass phrase; it must have none")
