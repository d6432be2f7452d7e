"""Who may sign in, and what guessing costs."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from web.people import LOCKED_S, LONGEST_LOCK_S, TRIES, Locked, People, PeopleError, Secret
from web.sessions import IDLE_S, LIMIT, LONGEST_S, Sessions

PIN = "284619"
PASSWORD = "seven-lamps-cool"


@pytest.fixture
def people(tmp_path: Path) -> People:
    people = People(tmp_path / "people.json")
    people.add("chen", "陈工", "operate", pin=PIN, password=PASSWORD)
    return people


def test_the_right_secret_names_its_person(people: People) -> None:
    found = people.check("chen", Secret.PIN, PIN, 0.0)
    assert found is not None
    assert (found.name, found.role.value) == ("陈工", "operate")


@pytest.mark.parametrize(
    ("id", "secret", "given"),
    [
        ("chen", Secret.PIN, "284618"),
        ("chen", Secret.PASSWORD, PIN),
        ("chen", Secret.PIN, PASSWORD),
        ("li", Secret.PIN, PIN),
        ("chen", Secret.PIN, ""),
    ],
    ids=["wrong", "pin-as-password", "password-as-pin", "unknown", "empty"],
)
def test_anything_else_names_nobody(people: People, id: str, secret: Secret, given: str) -> None:
    assert people.check(id, secret, given, 0.0) is None


def test_five_wrong_secrets_lock_the_account_for_a_while(people: People) -> None:
    for _ in range(TRIES):
        assert people.check("chen", Secret.PIN, "000000", 0.0) is None
    with pytest.raises(Locked):
        people.check("chen", Secret.PIN, PIN, LOCKED_S - 1)
    assert people.check("chen", Secret.PIN, PIN, LOCKED_S + 1) is not None


def test_the_lock_doubles_and_ends_at_a_quarter_of_an_hour(people: People) -> None:
    now_s = 0.0
    locks: list[float] = []
    for _ in range(TRIES - 1):
        people.check("chen", Secret.PIN, "000000", now_s)
    while len(locks) < 7:
        people.check("chen", Secret.PIN, "000000", now_s)
        with pytest.raises(Locked) as locked:
            people.check("chen", Secret.PIN, PIN, now_s)
        locks.append(locked.value.left_s)
        now_s += locked.value.left_s
    assert locks[:3] == [LOCKED_S, 2 * LOCKED_S, 4 * LOCKED_S]
    assert max(locks) == LONGEST_LOCK_S


def test_one_account_locked_leaves_the_others_free(people: People) -> None:
    people.add("li", "李工", "acknowledge", pin="905172")
    for _ in range(TRIES):
        people.check("chen", Secret.PIN, "000000", 0.0)
    assert people.check("li", Secret.PIN, "905172", 0.0) is not None


@pytest.mark.parametrize(
    "given",
    [
        {"pin": "12345"},
        {"pin": "123456789"},
        {"pin": "12345a"},
        {"pin": "111111"},
        {"pin": "123456"},
        {"pin": "876543"},
        {"password": "short"},
        {"password": "aaaaaaaaaaaa"},
        {},
    ],
    ids=str,
)
def test_weak_secrets_are_not_taken(tmp_path: Path, given: dict[str, str]) -> None:
    people = People(tmp_path / "people.json")
    with pytest.raises(PeopleError):
        people.add("chen", "陈工", "view", **given)
    assert people.everybody() == []


@pytest.mark.parametrize(("id", "role"), [("Chen", "view"), ("", "view"), ("chen", "nobody")])
def test_bad_ids_and_roles_are_not_taken(tmp_path: Path, id: str, role: str) -> None:
    with pytest.raises(PeopleError):
        People(tmp_path / "people.json").add(id, "陈工", role, pin=PIN)


def test_no_secret_is_kept_in_the_clear_and_the_file_is_private(
    people: People, tmp_path: Path
) -> None:
    path = tmp_path / "people.json"
    assert PIN not in path.read_text()
    assert PASSWORD not in path.read_text()
    assert "$argon2id$" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_somebody_added_by_another_program_can_sign_in(people: People, tmp_path: Path) -> None:
    People(tmp_path / "people.json").add("li", "李工", "view", pin="905172")
    assert people.check("li", Secret.PIN, "905172", 0.0) is not None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text('[{"id": 3}]')
    with pytest.raises(PeopleError, match=r"people\.json"):
        People(path).everybody()


def test_an_operator_idles_after_five_minutes(people: People) -> None:
    sessions, person = Sessions(), people.everybody()[0]
    token = sessions.begin(person, 0.0)
    session = sessions.find(token, IDLE_S - 1)
    assert session is not None
    assert not session.is_idle(IDLE_S - 1)
    assert session.is_idle(IDLE_S)


def test_touching_the_screen_keeps_the_role_but_not_past_eight_hours(people: People) -> None:
    sessions, person = Sessions(), people.everybody()[0]
    token, now_s = sessions.begin(person, 0.0), 0.0
    while now_s + IDLE_S / 2 < LONGEST_S:
        now_s += IDLE_S / 2
        sessions.touch(token, now_s)
        session = sessions.find(token, now_s)
        assert session is not None
        assert not session.is_idle(now_s)
    assert sessions.find(token, LONGEST_S) is None


def test_what_idled_away_does_not_come_back_by_a_touch(people: People) -> None:
    sessions, person = Sessions(), people.everybody()[0]
    token = sessions.begin(person, 0.0)
    sessions.touch(token, IDLE_S + 1)
    session = sessions.find(token, IDLE_S + 1)
    assert session is not None
    assert session.is_idle(IDLE_S + 1)


def test_sign_ins_are_bounded(people: People) -> None:
    sessions, person = Sessions(), people.everybody()[0]
    tokens = [sessions.begin(person, float(at)) for at in range(LIMIT + 1)]
    assert sessions.find(tokens[0], 1.0) is None
    assert sessions.find(tokens[-1], 1.0) is not None
