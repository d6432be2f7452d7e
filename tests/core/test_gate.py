"""The one gate: who may ask for what from where, in its time, knowing how things are."""

from __future__ import annotations

from itertools import product

import pytest

from controller.core import gate
from controller.core.gate import Policy, refuses
from controller.core.reading import NEVER_READ, Now, Quality, Reading
from controller.core.reason import why
from controller.core.request import Origin, Request, Role, Status

NOW = Now(1000.0, 1_800_000_000.0)
WALL_S = NOW.wall_s
CLIENT = "central"

# The table of the specification, one row an action: what each origin needs. A role: at least
# that one; "anyone"; "no"; and what the room file or the caller must be.
BUTTON, SCREEN, NETWORK, DOOR, MQTT = range(5)
SWITCH = ("no", Role.OPERATE, "operate, if remote", "group", Role.OPERATE)
IN_THE_ROOM = ("no", Role.OPERATE, "no", "simulated", "no")
NOTE = ("no", "anyone", "anyone", "no", "no")
PERMIT = ("no", Role.OPERATE, "no", "root", "no")
TABLE = {
    "silence": ("yes", "anyone", Role.ACKNOWLEDGE, "group", Role.ACKNOWLEDGE),
    "acknowledge": ("yes", "anyone", Role.ACKNOWLEDGE, "group", Role.ACKNOWLEDGE),
    "hold": ("yes", "anyone", "no", "simulated", "no"),
    "cut": ("no", Role.OPERATE, "no", "root", "no"),
    "reset": IN_THE_ROOM,
    "restore": IN_THE_ROOM,
    "release-lamp": IN_THE_ROOM,
    "confirm-off": IN_THE_ROOM,
    "switch": SWITCH,
    "release": SWITCH,
    "projector-on": SWITCH,
    "projector-off": SWITCH,
    "start-hosts": SWITCH,
    "lock-up": SWITCH,
    "drill": SWITCH,
    "confirm-down": PERMIT,
    "confirm-mains": PERMIT,
    "arm": ("no", Role.OPERATE, Role.OPERATE, "group", Role.OPERATE),
    "disarm": ("no", Role.OPERATE, "no", "group", "no"),
    "shelve": PERMIT,
    "unshelve": PERMIT,
    "out-of-service": PERMIT,
    "in-service": PERMIT,
    "sign-in": NOTE,
    "sign-in-failed": NOTE,
    "sign-out": NOTE,
}
ROLES = list(Role)
COLUMN = {
    Origin.BUTTON: BUTTON,
    Origin.LOCAL_SCREEN: SCREEN,
    Origin.NETWORK_PANEL: NETWORK,
    Origin.DOOR: DOOR,
    Origin.MQTT: MQTT,
}


def may(needs, role, privileged, policy):
    match needs:
        case "no":
            return False
        case "yes" | "anyone" | "group":
            return True
        case "root":
            return privileged
        case "simulated":
            return policy.simulated
        case "operate, if remote":
            return policy.remote_operate and ROLES.index(role) >= ROLES.index(Role.OPERATE)
        case _:
            return ROLES.index(role) >= ROLES.index(needs)


def asked(action, origin=Origin.LOCAL_SCREEN, role=Role.OPERATE, **keys):
    timed = origin is Origin.MQTT
    prepared = {"issued_s": WALL_S, "expires_s": WALL_S + 60.0, "prepared": True}
    keys = {**prepared, **keys} if timed else keys
    return Request("r", action, actor=CLIENT, role=role, origin=origin, **keys)


def judged(request, policy=None, now=NOW, points=None, on=None):
    policy = policy or Policy(clients={CLIENT: frozenset(TABLE)})
    return refuses(request, policy, points or {}, on or {}, now)


def test_the_gate_knows_exactly_the_actions_of_the_table():
    assert set(gate.RIGHTS) == set(TABLE)


CASES = [
    pytest.param(action, origin, id=f"{action} from {origin.value}")
    for action, origin in product(TABLE, COLUMN)
]


@pytest.mark.parametrize(("action", "origin"), CASES)
def test_each_action_needs_what_the_table_says(action, origin):
    needs = TABLE[action][COLUMN[origin]]
    listed = {CLIENT: frozenset([action])}
    for role, privileged, simulated, remote in product(
        ROLES, (False, True), (False, True), (False, True)
    ):
        policy = Policy(simulated, remote, listed)
        refused = judged(asked(action, origin, role, privileged=privileged), policy)
        found = (role.value, privileged, simulated, remote, refused is None)
        assert found == (*found[:-1], may(needs, role, privileged, policy))


@pytest.mark.parametrize("origin", list(COLUMN))
def test_a_permissive_of_the_return_is_waived_only_by_a_person_in_the_room(origin):
    listed = {CLIENT: frozenset(["start-hosts"])}
    waiver = {"override": "charge"}
    for role, simulated in product(ROLES, (False, True)):
        policy = Policy(simulated, True, listed)
        request = asked("start-hosts", origin, role, args=waiver, privileged=True)
        is_let_through = judged(request, policy) is None
        assert is_let_through == may(IN_THE_ROOM[COLUMN[origin]], role, True, policy)
    prepared = asked("prepare", Origin.MQTT, args={"action": "start-hosts", **waiver})
    assert judged(prepared, Policy(clients=listed)).id == "refused.origin"


def test_an_mqtt_client_may_only_what_its_list_says():
    policy = Policy(clients={CLIENT: frozenset(["acknowledge"])})
    assert judged(asked("acknowledge", Origin.MQTT), policy) is None
    assert judged(asked("silence", Origin.MQTT), policy).id == "refused.origin"


def test_nobody_may_anything_by_mqtt_by_default():
    for action in TABLE:
        assert judged(asked(action, Origin.MQTT), Policy()).id == "refused.origin"


@pytest.mark.parametrize(
    ("prepared", "role", "refused"),
    [
        ("projector-on", Role.OPERATE, None),
        ("projector-on", Role.ACKNOWLEDGE, "refused.role"),
        ("switch", Role.OPERATE, "refused.origin"),
        ("silence", Role.OPERATE, "refused.nothing-to-prepare"),
        ("cut", Role.OPERATE, "refused.origin"),
        ("prepare", Role.OPERATE, "refused.unknown-action"),
        ("", Role.OPERATE, "refused.unknown-action"),
    ],
)
def test_an_action_is_prepared_by_who_may_ask_it_and_only_where_that_is_needed(
    prepared, role, refused
):
    policy = Policy(clients={CLIENT: frozenset(["projector-on", "silence", "cut"])})
    args = {"action": prepared, "id": "hall"}
    reason = judged(asked("prepare", Origin.MQTT, role, args=args, prepared=False), policy)
    assert (reason and reason.id) == refused


def test_what_switches_is_refused_from_afar_until_it_is_prepared():
    reason = judged(asked("switch", Origin.MQTT, prepared=False))
    assert reason.id == "refused.not-prepared"


def test_events_are_sent_again_to_every_named_client_and_to_nobody_else():
    request = asked("resend", Origin.MQTT, Role.VIEW)
    assert judged(request, Policy(clients={CLIENT: frozenset()})) is None
    assert judged(request, Policy(clients={"other": frozenset()})).id == "refused.origin"


@pytest.mark.parametrize("action", sorted(gate.FEED))
@pytest.mark.parametrize("origin", sorted(COLUMN.keys() - {Origin.MQTT}))
def test_what_the_feed_carries_out_is_asked_by_it_only(action, origin):
    request = asked(action, origin, Role.CONFIGURE, privileged=True)
    assert judged(request, Policy(simulated=True, remote_operate=True)).id == "refused.origin"


def test_what_was_wrong_before_it_came_here_is_why_it_is_refused():
    flaw = why("refused.retained")
    assert judged(asked("acknowledge", Origin.MQTT, flaw=flaw)) is flaw
    assert judged(Request("", "", flaw=flaw)) is flaw


def test_a_remote_command_is_good_for_no_longer_than_its_id_is_remembered():
    ages_s = WALL_S + 1e9
    young = {"issued_s": WALL_S - 23.0 * 3600, "expires_s": ages_s}
    old = {"issued_s": WALL_S - 24.0 * 3600, "expires_s": ages_s}
    assert judged(asked("acknowledge", Origin.MQTT, **young)) is None
    assert judged(asked("acknowledge", Origin.MQTT, **old)).id == "refused.expired"


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("action", ["", "reboot", "Silence", "silence ", "__class__"])
def test_what_is_not_listed_is_refused(action, origin):
    assert judged(asked(action, origin)).id == "refused.unknown-action"


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({}, None),
        ({"issued_s": WALL_S + 4.0}, None),
        ({"issued_s": WALL_S + 6.0}, "refused.future"),
        ({"expires_s": WALL_S - 4.0}, None),
        ({"expires_s": WALL_S - 6.0}, "refused.expired"),
        ({"issued_s": None, "expires_s": None}, "refused.expired"),
        ({"repeated": True}, "refused.repeated"),
    ],
    ids=["in time", "skewed", "future", "just over", "expired", "without time", "repeated"],
)
def test_a_remote_command_comes_in_its_time_and_once(keys, refused):
    reason = judged(asked("acknowledge", Origin.MQTT, **keys))
    assert (reason and reason.id) == refused


@pytest.mark.parametrize(
    "keys",
    [{"issued_s": WALL_S, "expires_s": None}, {"issued_s": None, "expires_s": WALL_S + 60.0}],
    ids=["no expiry", "no issue"],
)
def test_a_remote_command_says_both_when_it_was_issued_and_when_it_expires(keys):
    assert judged(asked("acknowledge", Origin.MQTT, **keys)) is not None


def test_a_remote_command_with_no_vouched_clock_is_refused():
    now = Now(1000.0, WALL_S, synchronised=False)
    assert judged(asked("acknowledge", Origin.MQTT), now=now).id == "refused.clock"


def test_a_person_at_the_screen_needs_no_clock():
    now = Now(1000.0, 0.0, synchronised=False)
    assert judged(asked("silence"), now=now) is None


@pytest.mark.parametrize("origin", Origin)
def test_a_repeated_id_is_refused_from_everywhere(origin):
    assert judged(asked("silence", origin, repeated=True)) is not None


POINTS = {
    "front-door": Reading(False, Quality.GOOD, 1.0),
    "hall.power": Reading("standby", Quality.GOOD, 1.0),
    "rack-air.temperature": NEVER_READ,
    "rack-air.humidity": Reading(40.0, Quality.STALE, 1.0),
}


@pytest.mark.parametrize(
    ("expect", "ok"),
    [
        ({}, True),
        ({"front-door": False}, True),
        ({"front-door": True}, False),
        ({"hall.power": "standby", "hall-outlet": "off"}, True),
        ({"hall.power": "standby", "hall-outlet": "on"}, False),
        ({"rack-air.temperature": 22.0}, False),
        ({"rack-air.temperature": None}, True),
        ({"rack-air.humidity": 40.0}, False),
        ({"rack-air.humidity": None}, True),
        ({"nothing": "off"}, False),
        ({"nothing": None}, False),
    ],
)
def test_the_asker_must_have_seen_the_room_as_it_is(expect, ok):
    request = asked("silence", expect=expect)
    assert (judged(request, points=POINTS, on={"hall-outlet": False}) is None) is ok


@pytest.mark.parametrize(
    "text", ["", "2", "h", "-1h", "0s", "25h", "1e9h", "nan", "2h 3min", "９h", "1" * 100 + "s"]
)
def test_a_duration_that_cannot_be_right_is_refused(text):
    assert judged(asked("switch", args={"for": text})).id == "refused.bad-argument"


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("switch", {"output": "light", "to": "on", "fro": "1min"}),
        ("silence", {"alarm": "smoke-1.prealarm"}),
        ("drill", {"plan": "outage", "host": "office"}),
    ],
)
def test_an_argument_that_the_action_does_not_take_is_refused_by_its_name(action, args):
    found = judged(asked(action, args=args))
    assert found.id == "refused.bad-argument"
    assert found.values["argument"] == list(args)[-1]


def test_what_is_prepared_takes_the_arguments_of_its_action_and_no_others():
    args = {"action": "switch", "output": "light", "to": "on", "for": "1min"}
    assert judged(asked("prepare", origin=Origin.MQTT, args=args)) is None
    args["fro"] = args.pop("for")
    found = judged(asked("prepare", origin=Origin.MQTT, args=args))
    assert found == why("refused.bad-argument", argument="fro", allowed="output, to, for")


# What a refused request leaves behind: nothing but its record.


@pytest.mark.parametrize(
    "keys",
    [
        {"origin": Origin.BUTTON},
        {"origin": Origin.NETWORK_PANEL},
        {"role": Role.VIEW},
        {"origin": Origin.MQTT},
        {"repeated": True},
        {"expect": {"hall-outlet": "on"}},
    ],
    ids=["button", "network", "role", "mqtt", "repeated", "other state"],
)
def test_a_refused_request_is_recorded_and_changes_nothing(rig, keys):
    rig.ask("release-lamp", id="hall")
    rig.run(3.0)
    outputs, rules, alarms = rig.outputs, rig.memory.rules, rig.memory.alarms
    answer = rig.request("projector-on", id="hall", **keys)
    assert answer.status is Status.REFUSED
    assert rig.outputs == outputs
    assert rig.memory.alarms == alarms
    assert rig.memory.rules["projector.hall"] == rules["projector.hall"]
    at_s, event = rig.events[-1]
    assert (at_s, event.kind, event.subject) == (rig.at_s, "request", "projector-on")
    assert event.actor == "keeper"
    assert event.data["status"] == "refused"
    assert event.data["reason"] == answer.reason.id


def test_an_expired_request_is_answered_as_expired(rig):
    answer = rig.request("silence", issued_s=rig.wall_s - 100.0, expires_s=rig.wall_s - 50.0)
    assert answer.status is Status.EXPIRED


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("switch", {}),
        ("switch", {"output": "aircon"}),
        ("switch", {"output": "aircon", "to": "maybe"}),
        ("switch", {"output": "nothing", "to": "on"}),
        ("switch", {"output": "hall-outlet", "to": "off"}),
        ("switch", {"output": "siren", "to": "off"}),
        ("switch", {"output": "power-cut", "to": "on"}),
        ("release", {"output": "aircon"}),
        ("release", {}),
        ("projector-on", {}),
        ("projector-off", {"id": "attic"}),
        ("release-lamp", {"id": "attic"}),
        ("confirm-off", {"id": "attic"}),
        ("acknowledge", {"alarm": "nothing.at-all"}),
        ("acknowledge", {}),
        ("reset", {}),
        ("reset", {"alarm": "nothing.at-all"}),
        ("shelve", {"alarm": "front-door.held-open"}),
        ("shelve", {"alarm": "front-door.held-open", "for_": "2h"}),
        ("shelve", {"alarm": "front-door.held-open", "reason": "paint"}),
        ("shelve", {"alarm": "nothing.at-all", "for_": "2h", "reason": "paint"}),
        ("out-of-service", {"point": "smoke-1"}),
        ("out-of-service", {"point": "nothing", "reason": "dust"}),
        ("in-service", {"point": "smoke-1"}),
        ("hold", {}),
        ("restore", {}),
    ],
)
def test_a_request_that_means_nothing_here_is_refused_with_a_reason(rig, action, args):
    before = rig.outputs
    answer = rig.request(action, **args)
    assert answer.status is Status.REFUSED
    assert answer.reason.id.startswith(("refused.", "permissive."))
    assert rig.outputs == before


def test_a_lock_up_is_refused_where_nothing_locks_up(rig):
    before = rig.outputs
    assert rig.request("lock-up").reason == why("refused.unknown-subject", subject="lock-up")
    assert rig.outputs == before


@pytest.mark.parametrize(
    ("action", "argument"),
    [
        ("switch", "output"),
        ("release", "output"),
        ("projector-on", "id"),
        ("acknowledge", "alarm"),
        ("shelve", "alarm"),
        ("out-of-service", "id"),
    ],
)
def test_a_request_that_names_nothing_is_told_which_argument_it_lacks(rig, action, argument):
    assert rig.request(action).reason == why("refused.bad-argument", argument=argument)
    named = rig.request(action, **{argument: "attic"})
    assert named.reason == why("refused.unknown-subject", subject="attic")


@pytest.mark.parametrize(
    "action", ["switch", "release", "projector-on", "projector-off", "lock-up"]
)
def test_a_switch_from_afar_needs_two_steps(action):
    assert judged(asked(action, Origin.MQTT, prepared=False)).id == "refused.not-prepared"
    assert judged(asked(action, Origin.MQTT, prepared=True)) is None
