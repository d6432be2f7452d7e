"""`roomwarden nut CONFIG [--write DIR]`: the files of our own upsd, for hosts with stop = "nut".

Each such host has a virtual UPS and a user of its own, both named like it; its upsmon is a
secondary there. The controller's user alone may change what the virtual UPSes say. Only the
controller's password is kept in a file of the site's: a host's is derived from it, so that none
can be had from another. They are shown to nobody; `--write` puts them where they are needed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from drivers.hosts.nut import RUNNING
from drivers.nutwords import quoted, read_password
from firmware.commands.common import with_room
from firmware.main import BAD_USAGE, DONE, REFUSED

GROUP = "nut"
"""Whom upsd and its drivers run as in Debian: they must read what is secret to others."""

_HIDDEN = "(not shown)"
_MAXAGE_S = 15  # NUT's default: how long upsd trusts a driver that says nothing
_POLL_S = 2  # how soon a host sees its shutdown; upsmon's default is 5


class Text(msgspec.Struct, frozen=True):
    """One file. `shared`: upsd's group may read it; else its owner alone."""

    text: str
    shared: bool = True


def run(options: argparse.Namespace) -> int:
    return with_room(options.config, lambda file: _nut(file, options))


def _nut(file: RoomFile, options: argparse.Namespace) -> int:
    hosts = [host for host in file.hosts if host.stop == "nut"]
    if not hosts:
        print(f'roomwarden: {options.config}: no host has stop = "nut"', file=sys.stderr)
        return REFUSED
    if file.nut.username in {host.id for host in hosts}:
        print(f"{options.config}: nut.username is a host's id, too", file=sys.stderr)
        return BAD_USAGE
    if options.write is None:
        _show(nut_files(file, hosts, lambda user: _HIDDEN), options.json)
        return DONE
    secret_file = file.resolve(file.nut.password_file)
    try:
        secret = read_password(secret_file)
    except ValueError as error:
        print(f"{options.config}: nut.{error}", file=sys.stderr)
        return BAD_USAGE
    files = nut_files(file, hosts, lambda user: _password(file, secret, user))
    try:
        written = write_files(options.write, files)
    except OSError as error:
        print(f"roomwarden: {options.write}: {error}", file=sys.stderr)
        return REFUSED
    if options.json:
        print(json.dumps({"written": [str(path) for path in written]}))
        return DONE
    for path in written:
        print(path)
    units = " ".join(f"roomwarden-virtual-ups@{host.id}" for host in hosts)
    print(f"next: systemctl enable --now roomwarden-upsd {units}")
    print("next: systemctl restart roomwarden-upsd")
    print("next: each file of upsmon/ becomes /etc/nut/upsmon.conf of its host")
    return DONE


def nut_files(
    file: RoomFile, hosts: list[HostConfig], password: Callable[[str], str]
) -> dict[str, Text]:
    """Return the files by name. `password` gives a user's; it is asked for each."""
    address, _, port = file.nut.address.rpartition(":")
    address = address.strip("[]")
    files = {
        "ups.conf": Text("".join(_ups(host) for host in hosts)),
        "upsd.conf": Text(f"LISTEN {address} {port}\nMAXAGE {_MAXAGE_S}\n"),
        "upsd.users": Text(
            f"[{file.nut.username}]\n\tpassword = {quoted(password(file.nut.username))}\n"
            "\tactions = SET\n"
            + "".join(
                f"[{host.id}]\n\tpassword = {quoted(password(host.id))}\n\tupsmon secondary\n"
                for host in hosts
            )
        ),
    }
    for host in hosts:
        files[f"{host.id}.dev"] = Text(f"ups.status: {RUNNING}\n")
        monitor = f"{host.id}@{_seen_from_outside(address)}:{port}"
        files[f"upsmon/{host.id}.conf"] = Text(_upsmon(host, monitor, password(host.id)), False)
    return files


def _ups(host: HostConfig) -> str:
    # dummy-once: what the controller sets stands until it sets something else.
    return f"[{host.id}]\n\tdriver = dummy-ups\n\tport = {host.id}.dev\n\tmode = dummy-once\n"


def _upsmon(host: HostConfig, monitor: str, password: str) -> str:
    return (
        f"# The upsmon.conf of {host.id}, mode 640, root:nut; MODE=netclient in its nut.conf.\n"
        "# An upsmon older than NUT 2.8 says slave for secondary.\n"
        f"MONITOR {monitor} 1 {host.id} {quoted(password)} secondary\n"
        "MINSUPPLIES 1\n"
        'SHUTDOWNCMD "/sbin/shutdown -h +0"\n'
        f"POLLFREQ {_POLL_S}\nPOLLFREQALERT {_POLL_S}\n"
        f"DEADTIME {_MAXAGE_S}\nFINALDELAY 0\n"
    )


def _seen_from_outside(address: str) -> str:
    """Where a host finds this board; who listens everywhere, or on loopback, does not say."""
    with contextlib.suppress(ValueError):
        ip = ipaddress.ip_address(address)
        if ip.is_loopback or ip.is_unspecified:
            return "ADDRESS-OF-THIS-BOARD"
        return f"[{ip}]" if ip.version == 6 else str(ip)
    return "ADDRESS-OF-THIS-BOARD" if address == "localhost" else address


def _password(file: RoomFile, secret: str, user: str) -> str:
    if user == file.nut.username:
        return secret
    digest = hmac.new(secret.encode(), f"upsmon {user}".encode(), hashlib.sha256)
    return digest.hexdigest()[:40]


def _show(files: Mapping[str, Text], as_json: bool) -> None:
    if as_json:
        print(json.dumps({name: file.text for name, file in files.items()}, ensure_ascii=False))
        return
    for name, file in files.items():
        print(f"# {name}\n{file.text}")


def write_files(folder: Path, files: Mapping[str, Text]) -> list[Path]:
    """Write the files, each at once and never readable by more than it should be.

    As root, upsd's group gets what is shared; otherwise all is the owner's alone. Raises: OSError.
    """
    written = []
    for name, file in files.items():
        path = folder / name
        _make_folder(path.parent, file.shared)
        # A name of its own: what stands there under a fixed one could be a link to elsewhere.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(draft, "x", encoding="utf-8", opener=_private) as text:
                if file.shared:
                    _share(draft, 0o640)
                text.write(file.text)
                text.flush()
                os.fsync(text.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        written.append(path)
    return written


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_folder(folder: Path, shared: bool) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
        if shared:
            _share(folder, 0o750)


def _share(path: Path, mode: int) -> None:
    if os.geteuid() == 0:
        with contextlib.suppress(LookupError):  # NUT is not installed: then nobody needs it
            shutil.chown(path, group=GROUP)
            path.chmod(mode)
