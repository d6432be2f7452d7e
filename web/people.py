"""The people who may sign in: a JSON file with their roles and the hashes of their secrets.

A PIN is for the local screen, a password for the network. Wrong secrets lock an account for a
while, never for good, and never what needs no sign-in (acknowledge, silence, hold).
"""

from __future__ import annotations

import os
import threading
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controller.client import Role

# OWASP's least parameters for Argon2id. Source: Password Storage Cheat Sheet.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_SPENT = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43

TRIES = 5
LOCKED_S = 30.0
LONGEST_LOCK_S = 15 * 60.0
PEOPLE_LIMIT = 200
SECRET_LIMIT = 128

PersonId = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Secret(StrEnum):
    PIN = "pin"
    PASSWORD = "password"


class Person(msgspec.Struct, frozen=True):
    """Somebody known to the room. `pin` and `password` are Argon2id hashes or None."""

    id: PersonId
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    role: Role
    pin: str | None = None
    password: str | None = None
    locale: str | None = None


class PeopleError(ValueError):
    """The file, or what should go into it, is not right; the message says what."""


class Locked(Exception):
    """Too many wrong secrets. `left_s` says for how long still."""

    def __init__(self, left_s: float) -> None:
        super().__init__(f"locked for {left_s:.0f} s")
        self.left_s = left_s


class _Failures(msgspec.Struct):
    count: int = 0
    until_s: float = 0.0


class People:
    """The file `path`; one that is not there means that nobody can sign in.

    It is read again when it changed, so that a command line can add people under a running
    panel. Safe to use from many threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._people: dict[str, Person] = {}
        self._failures: dict[str, _Failures] = {}
        self._one_at_a_time = threading.Lock()  # each check takes 19 MiB

    def everybody(self) -> list[Person]:
        """Return all people, by name. Raises: PeopleError."""
        with self._lock:
            self._reread()
            return sorted(self._people.values(), key=lambda person: person.name)

    def find(self, id: str) -> Person | None:
        with self._lock:
            self._reread()
            return self._people.get(id)

    def add(
        self,
        id: str,
        name: str,
        role: str,
        *,
        pin: str | None = None,
        password: str | None = None,
        locale: str | None = None,
    ) -> Person:
        """Add a person, or replace the one with this id. Raises: PeopleError."""
        if pin is None and password is None:
            raise PeopleError("a PIN or a password is needed")
        if pin is not None:
            _check_pin(pin)
        if password is not None:
            _check_password(password)
        made = {
            "id": id,
            "name": name,
            "role": role,
            "pin": _HASHER.hash(pin) if pin is not None else None,
            "password": _HASHER.hash(password) if password is not None else None,
            "locale": locale,
        }
        try:
            person = msgspec.convert(made, Person)
        except msgspec.ValidationError as error:
            raise PeopleError(str(error)) from error
        if person.role is Role.NOBODY:
            raise PeopleError("role: view, acknowledge, operate or configure")
        with self._lock:
            self._reread()
            if id not in self._people and len(self._people) >= PEOPLE_LIMIT:
                raise PeopleError(f"there are {PEOPLE_LIMIT} people already")
            self._write({**self._people, id: person})
        return person

    def remove(self, id: str) -> None:
        """Take a person out. Raises: PeopleError when there is none."""
        with self._lock:
            self._reread()
            if id not in self._people:
                raise PeopleError(f"nobody is called {id!r}")
            self._write({key: one for key, one in self._people.items() if key != id})

    def check(self, id: str, secret: Secret, given: str, now_s: float) -> Person | None:
        """Return the person whose secret this is, else None. Raises: Locked, PeopleError.

        An unknown person costs as much time as a wrong secret.
        """
        with self._one_at_a_time:
            person = self.find(id)
            failures = self._failures.get(id, _Failures())
            if person is not None and now_s < failures.until_s:
                raise Locked(failures.until_s - now_s)
            kept = getattr(person, secret.value, None)
            matches = _verify(kept or _SPENT, given[:SECRET_LIMIT]) and kept is not None
            if person is None:
                return None
            if matches:
                self._failures.pop(id, None)
                return person
            failures.count += 1
            if failures.count >= TRIES:
                doubled = LOCKED_S * 2 ** min(failures.count - TRIES, 10)
                failures.until_s = now_s + min(doubled, LONGEST_LOCK_S)
            self._failures[id] = failures
            return None

    def _reread(self) -> None:
        try:
            about = self._path.stat()
        except FileNotFoundError:
            self._people, self._stamp = {}, None
            return
        stamp = (about.st_mtime_ns, about.st_ino)
        if stamp == self._stamp:
            return
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=list[Person])
        except (OSError, msgspec.DecodeError) as error:
            raise PeopleError(f"{self._path}: {error}") from error
        self._people = {person.id: person for person in found[:PEOPLE_LIMIT]}
        self._stamp = stamp

    def _write(self, people: dict[str, Person]) -> None:
        raw = msgspec.json.format(msgspec.json.encode(list(people.values())), indent=2)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)
        _write_private(fresh, raw + b"\n")
        os.replace(fresh, self._path)
        self._stamp = None


def _write_private(path: Path, raw: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _verify(hashed: str, given: str) -> bool:
    try:
        return _HASHER.verify(hashed, given)
    except (VerificationError, InvalidHashError):
        return False


def _check_pin(pin: str) -> None:
    if not (pin.isascii() and pin.isdigit() and 6 <= len(pin) <= 8):
        raise PeopleError("a PIN has 6 to 8 digits")
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise PeopleError("this PIN is too easy to guess")


def _check_password(password: str) -> None:
    if not 12 <= len(password) <= SECRET_LIMIT:
        raise PeopleError(f"a password has 12 to {SECRET_LIMIT} characters")
    if len(set(password)) < 5:
        raise PeopleError("this password is too easy to guess")
