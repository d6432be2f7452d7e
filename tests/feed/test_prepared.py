"""The nonce between the two steps, and the rate; in virtual time."""

from __future__ import annotations

import pytest

from controller.feed.parse import Malformed, parse, texts
from controller.feed.prepared import LASTS_S, Prepared
from controller.feed.rate import Flood, Rate

ARGS = {"id": "hall"}


@pytest.mark.parametrize(
    ("after_s", "good"), [(0.0, True), (LASTS_S - 0.1, True), (LASTS_S, False), (1e6, False)]
)
def test_a_nonce_lasts_fifteen_seconds(after_s, good):
    prepared = Prepared()
    nonce = prepared.prepare("central", "projector-on", ARGS, 1000.0)
    redeemed = prepared.redeem("central", nonce, "projector-on", ARGS, 1000.0 + after_s)
    assert redeemed is good
    assert LASTS_S == 15.0


def test_a_nonce_serves_once():
    prepared = Prepared()
    nonce = prepared.prepare("central", "projector-on", ARGS, 0.0)
    assert prepared.redeem("central", nonce, "projector-on", ARGS, 1.0)
    assert not prepared.redeem("central", nonce, "projector-on", ARGS, 1.0)


@pytest.mark.parametrize(
    ("client", "action", "args"),
    [
        ("other", "projector-on", ARGS),
        ("central", "projector-off", ARGS),
        ("central", "projector-on", {"id": "aula"}),
        ("central", "projector-on", ARGS | {"for": "2h"}),
        ("central", "projector-on", {}),
    ],
)
def test_a_nonce_is_for_one_client_one_action_and_its_arguments(client, action, args):
    prepared = Prepared()
    nonce = prepared.prepare("central", "projector-on", ARGS, 0.0)
    assert not prepared.redeem(client, nonce, action, args, 1.0)


def test_another_client_s_guess_does_not_use_up_a_nonce():
    prepared = Prepared()
    nonce = prepared.prepare("central", "projector-on", ARGS, 0.0)
    assert not prepared.redeem("other", nonce, "projector-on", ARGS, 1.0)
    assert prepared.redeem("central", nonce, "projector-on", ARGS, 1.0)


def test_a_client_that_only_prepares_fills_no_memory():
    prepared = Prepared()
    nonces = [prepared.prepare("central", "projector-on", ARGS, 0.0) for _ in range(1000)]
    assert len(set(nonces)) == 1000
    good = [prepared.redeem("central", n, "projector-on", ARGS, 1.0) for n in nonces]
    assert good == [False] * 984 + [True] * 16


def test_thirty_messages_in_any_ten_seconds():
    rate = Rate(30, 10.0)
    assert all(rate.takes(n / 10) for n in range(30))
    assert not rate.takes(9.99)
    assert rate.takes(10.0)
    assert not rate.takes(10.05)
    assert rate.takes(10.1)


def test_a_flood_is_answered_each_second_and_recorded_each_minute():
    flood = Flood()
    steps = [n / 100 for n in range(12_000)]
    answered = sum(flood.is_answered(now_s) for now_s in steps)
    recorded = sum(flood.is_recorded(now_s) for now_s in steps)
    assert (answered, recorded) == (120, 2)


def test_arguments_become_the_texts_that_requests_take():
    args = {"a": "x", "b": True, "c": False, "d": 3, "e": 2.0, "f": 1.5, "g": -1e300}
    found = texts(args)
    assert found == {
        "a": "x", "b": "on", "c": "off", "d": "3", "e": "2", "f": "1.5", "g": "-1e+300",
    }  # fmt: skip


@pytest.mark.parametrize("depth", [10, 1000, 8000])
def test_depth_costs_nothing(depth):
    payload = b'{"id": "a", "action": "b", "args": ' + b'{"a":' * depth
    assert isinstance(parse(payload[:16_384]), Malformed)


def test_the_id_of_a_malformed_command_is_read_where_it_can_be():
    assert parse(b'{"id": "a-1", "colour": 1}').id == "a-1"
    assert parse(b'{"colour": {"id": 2}, "id": "a-1"}').id == "a-1"
    assert parse(b'{"id": "a-1"').id is None


def test_what_comes_beside_the_payload_counts():
    assert parse(b"{}", 16_383).fault.id == "refused.too-big"
    assert parse(b"{}", 16_382).fault.id == "refused.malformed"
