from __future__ import annotations

import pytest

from simulators.wake import mac_of

MAC = bytes.fromhex("020000000001")
PACKET = b"\xff" * 6 + MAC * 16


@pytest.mark.parametrize(
    ("packet", "mac"),
    [
        pytest.param(PACKET, "02:00:00:00:00:01", id="as it is sent"),
        pytest.param(b"noise" + PACKET + b"secret", "02:00:00:00:00:01", id="within a frame"),
        pytest.param(b"\xff" * 3 + PACKET, "02:00:00:00:00:01", id="after more of its beginning"),
        pytest.param(PACKET[:-1], None, id="cut short"),
        pytest.param(PACKET[:-1] + b"\x02", None, id="one byte of another"),
        pytest.param(MAC * 16, None, id="without its beginning"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_a_magic_packet_is_known_by_its_sixteen_repeats(packet: bytes, mac: str | None) -> None:
    assert mac_of(packet) == mac
