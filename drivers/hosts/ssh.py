"""Stopping a server by SSH: a login whose key is bound to one command, its shutdown.

The server's authorized_keys holds `restrict,command="/path/of/its/shutdown" ssh-ed25519 ..`. The
client is OpenSSH's, and sees neither the user's keys nor the user's known hosts. Source: ssh(1),
ssh_config(5); the words of its log are those of OpenSSH 9.2 (clientloop.c, sshconnect.c).
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from controller.core.parts import DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts.address import Address
from drivers.hosts.files import read_file
from drivers.hosts.process import PLAIN, Finished, run

PORT = 22
# Guesses: what a login and a shutdown's first words take on a busy server, and short beside an
# outage.
_LIMIT_S = 30.0
_CONNECT_S = 10
_TRIES = 3  # where the server, busy with logins (MaxStartups), drops a new one unheard
_APART_S = 1.0
_BROKEN = 255  # ssh's own exit status: the connection ended before the command did, or never was
_KEYS = 8  # host keys of one server
_LOG_BYTES = 8192
_FORBIDDEN_ADDRESS = "127.0.0.1:1"


class _Login(msgspec.Struct, frozen=True):
    """A finished call: `end` tells what the command printed, `log` what ssh itself had to say."""

    end: Finished | None
    log: str

    @property
    def is_in(self) -> bool:
        """Whether the server let us in."""
        return re.search(r"^Authenticated to ", self.log, re.MULTILINE) is not None

    @property
    def was_dropped(self) -> bool:
        """Whether the server closed the connection before it heard us."""
        return "kex_exchange_identification: " in self.log

    @property
    def last_line(self) -> str:
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return lines[-1][:200] if lines else "no word"


class Ssh:
    """`ssh://user@host[:port]`. The files are read at each call."""

    def __init__(
        self,
        address: Address,
        name: str,
        key_file: str | None,
        host_key: str | None,
        ended: threading.Event,
    ) -> None:
        if address.user is None:
            raise ValueError(f"{address.url}: the user is missing")
        self._address = address
        self._name = name
        self._key_file = key_file
        self._host_key = host_key
        self._ended = ended

    def stop(self) -> None:
        """Log in, which runs the key's command, and wait for the command's end.

        A connection that breaks once we are in counts as asked: a server that shuts down may take
        it away; whether it does is for the evidence to say. Raises: DeviceError; DeviceTimeout
        when the command does not end in 30 s.
        """
        login = self._login("--", self._address.host, "shutdown")
        if login.end is None:
            raise DeviceTimeout(
                f"{self._address.url}: its command did not end in {_LIMIT_S:.0f} s"
            )
        if login.end.status not in (0, _BROKEN) or " request failed on channel" in login.log:
            raise DeviceError(f"{self._address.url}: its command failed: {login.end.how}")

    def test(self) -> None:
        """Log in, without running the command. Raises: DeviceError."""
        # A channel to an address instead of a session: `restrict` forbids it, where nothing does
        # nobody listens there; either way ssh ends by itself, with the login in its log.
        self._login("-W", _FORBIDDEN_ADDRESS, "--", self._address.host)

    def _login(self, *words: str) -> _Login:
        """Call ssh until the server lets us in or says why not. Raises: DeviceError."""
        until_s = time.monotonic() + _LIMIT_S
        for number in range(_TRIES):
            if number and self._ended.wait(_APART_S * number):
                break
            login = self._call(words, until_s - time.monotonic())
            if not login.was_dropped:
                break
        if not login.is_in:
            raise self._refusal(login)
        return login

    def _call(self, words: tuple[str, ...], limit_s: float) -> _Login:
        read_file("key_file", self._key_file)
        known = self._known_hosts()
        with tempfile.TemporaryDirectory(prefix="roomwarden-ssh-") as folder:
            known_hosts = Path(folder, "known_hosts")
            known_hosts.write_text(known, encoding="ascii")
            log = Path(folder, "log")
            command = self._command(known_hosts, log)
            try:
                end = run([*command, *words], limit_s, self._ended, PLAIN)
            except DeviceTimeout:
                end = None
            return _Login(end, _read_log(log))

    def _command(self, known_hosts: Path, log: Path) -> list[str]:
        options = {
            "LogLevel": "VERBOSE",  # so that it says when we are in
            "BatchMode": "yes",
            "PreferredAuthentications": "publickey",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "StrictHostKeyChecking": "yes",
            "HostKeyAlias": self._name,  # whatever its address and port
            "UserKnownHostsFile": f'"{known_hosts}"',
            "GlobalKnownHostsFile": "none",
            "UpdateHostKeys": "no",
            "ConnectTimeout": str(_CONNECT_S),
            # A server that is gone without a word: given up after 15 s.
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
        }
        assert self._key_file is not None and self._address.user is not None
        command = ["ssh", "-F", "none", "-T", "-E", str(log), "-p", str(self._address.port)]
        command += ["-l", self._address.user, "-i", self._key_file.replace("%", "%%")]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        return command

    def _known_hosts(self) -> str:
        """The lines of known_hosts that the server's public keys make."""
        lines = read_file("host_key", self._host_key).splitlines()
        keys = [line.split() for line in lines if line.strip() and not line.startswith("#")]
        if not 1 <= len(keys) <= _KEYS or not all(map(_is_public_key, keys)):
            raise DeviceError(
                f"host_key: {self._host_key}: not a public host key such as "
                '"ssh-ed25519 AAAA.. root@server"'
            )
        return "".join(f"{self._name} {kind} {key}\n" for kind, key, *_ in keys)

    def _refusal(self, login: _Login) -> DeviceError:
        """Why the server did not let us in."""
        url, log = self._address.url, login.log
        if "Host key verification failed" in log:
            return DeviceError(f"{url}: shows another key than host_key: {self._host_key}")
        if re.search(r"^Permissions .* are too open|bad permissions", log, re.MULTILINE):
            return DeviceError(f"key_file: {self._key_file}: others may read it; chmod 600")
        unusable = re.search(r"^Load key .*: (.*)", log, re.MULTILINE)
        if unusable:
            return DeviceError(f"key_file: {self._key_file}: not a private key ({unusable[1]})")
        if "Permission denied" in log:
            return DeviceError(f"{url}: refuses the key of key_file: {self._key_file}")
        if login.end is None or "timed out" in log or "timeout" in log:
            return DeviceTimeout(f"{url}: no answer in time")
        if login.was_dropped:
            return DeviceUnreachable(f"{url}: drops new logins: {login.last_line}")
        return DeviceUnreachable(f"{url}: {login.last_line}")


def _is_public_key(words: list[str]) -> bool:
    """Whether these are the words of a public key: its kind, and a text that says the same."""
    if len(words) < 2 or not words[0].isascii():
        return False
    try:
        key = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return False
    return key[4 : 4 + len(words[0])] == words[0].encode("ascii")


def _read_log(log: Path) -> str:
    """What ssh itself had to say; nothing when it could not even begin."""
    try:
        with log.open("rb") as file:
            return file.read(_LOG_BYTES).decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ""
