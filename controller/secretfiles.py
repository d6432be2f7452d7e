"""The files with secrets that a room file names, and which of them are missing."""

from __future__ import annotations

import os
from pathlib import Path

from controller.config.power import HostConfig
from controller.config.schema import RoomFile


def secret_files(file: RoomFile) -> dict[str, list[Path]]:
    """Return the files that each part cannot do without. "feed" and "nut" are parts here."""
    named: dict[str, list[Path]] = {}
    for part in (*file.projectors, *file.upses):
        password = getattr(part, "password_file", None)
        if password is not None:
            named[part.id] = [file.resolve(password)]
    for host in file.hosts:
        files = _of_host(file, host)
        if files:
            named[host.id] = files
    if any(host.stop == "nut" for host in file.hosts):
        named["nut"] = [file.resolve(file.nut.password_file)]
    if file.feed is not None and file.feed.password_file is not None:
        named["feed"] = [file.resolve(file.feed.password_file)]
    return named


def missing_secrets(file: RoomFile) -> dict[str, str | bool]:
    """Return, as faults of the shell, the missing files of each part, or False."""
    told: dict[str, str | bool] = {}
    for part, paths in secret_files(file).items():
        # Unlike Path.is_file() it does not raise where a folder may not be looked into.
        missing = [str(path) for path in paths if not os.path.isfile(path)]
        told[f"{part}.secret-missing"] = "; ".join(missing) or False
    return told


def host_key(file: RoomFile, host: HostConfig) -> Path:
    """Return the file with the public key by which a host must prove itself over ssh."""
    return file.resolve(host.host_key or f"{host.id}.host-key")


def _of_host(file: RoomFile, host: HostConfig) -> list[Path]:
    names = (host.key_file, host.password_file, host.ca)
    files = [file.resolve(name) for name in names if name is not None]
    return [*files, host_key(file, host)] if host.stop.startswith("ssh:") else files
