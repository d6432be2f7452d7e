"""The configurations for brokers that we ship, with the real mosquitto and real certificates."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.feed.central import command
from tests.feed.conftest import Cable, Mosquitto
from tests.feed.room import ROOT, FeedRoom

pytestmark = pytest.mark.system

EXAMPLES = Path(__file__).parents[2] / "firmware/examples/mosquitto"
OTHER = "roomwarden/school/room-2"


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class Certificates:
    """An authority, and what it has signed. `of`: by file name, the common name."""

    def __init__(self, folder: Path, of: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl(
            folder,
            *("req", "-x509", *key, "-days", "2", "-subj", "/CN=authority"),
            *("-keyout", "ca.key", "-out", "ca.crt"),
        )
        (folder / "san").write_text("subjectAltName = IP:127.0.0.1\n")
        for name, common_name in of.items():
            subject = "/CN=" + common_name.replace("/", "\\/")
            openssl(
                folder,
                *("req", *key, "-subj", subject, "-keyout", f"{name}.key", "-out", "csr"),
            )
            openssl(
                folder,
                *("x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key"),
                *("-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.crt"),
            )


class Client:
    """One who connects by MQTT 5. `came`: topic, payload, retained."""

    def __init__(
        self,
        port: int,
        until: Any,
        certificate: tuple[Path, str] | None = None,
        password: tuple[str, str] | None = None,
    ) -> None:
        self.came: list[tuple[str, bytes, bool]] = []
        self.properties: list[Any] = []
        self.refused: dict[int, bool] = {}
        self.is_connected = False
        self.until = until
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        if certificate is not None:
            folder, name = certificate
            files = (folder / file for file in ("ca.crt", f"{name}.crt", f"{name}.key"))
            self._client.tls_set(*map(str, files))
        if password is not None:
            self._client.username_pw_set(*password)
        self._client.on_connect = self._connected
        self._client.on_message = self._take
        self._client.on_subscribe = lambda *_: self._subscribed.append(True)
        self._client.on_publish = self._published
        self._subscribed: list[bool] = []
        self._client.reconnect_delay_set(0, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: self.is_connected)

    def subscribe(self, topic: str) -> None:
        count = len(self._subscribed)
        self._client.subscribe(topic, qos=1)
        self.until(lambda: len(self._subscribed) > count)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, **more: Any) -> bool:
        """Return whether the broker took it."""
        sent = self._client.publish(topic, payload, 1, retain, **more)
        self.until(lambda: sent.mid in self.refused)
        return not self.refused[sent.mid]

    def ask(self, response_topic: str | None = None) -> None:
        """Send the room a command as the client `desk`; `response_topic` is MQTT 5's."""
        wanted = Properties(PacketTypes.PUBLISH)
        if response_topic is not None:
            wanted.ResponseTopic = response_topic
        payload = json.dumps(command("silence")).encode()
        assert self.publish(f"{ROOT}/cmd/desk", payload, properties=wanted)

    def of(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _ in list(self.came) if name == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, *_: object) -> None:
        self.is_connected = True

    def _published(self, _c: object, _u: object, mid: int, code: Any, _p: object) -> None:
        self.refused[mid] = code.is_failure

    def _take(self, _c: object, _u: object, message: mqtt.MQTTMessage) -> None:
        self.came.append((message.topic, message.payload, message.retain))
        self.properties.append(message.properties)


def example(name: str, folder: Path) -> str:
    """A shipped file as it is on the machine whose files are in `folder`, for the tests' room."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    text = text.replace("/etc/mosquitto/", f"{folder}/").replace(
        "/var/lib/mosquitto/", f"{folder}/"
    )
    return text.replace("lakeside-school", "school").replace("server-room", "room-1")


def of_example(broker: Mosquitto, name: str) -> None:
    """Let `broker` have the shipped configuration, but its own port."""
    lines = example(name, broker.folder).splitlines()
    broker.lines = [line for line in lines if not line.startswith("listener")]


@pytest.fixture
def certificates(tmp_path) -> Certificates:
    return Certificates(
        tmp_path / "central" / "certs",
        {
            "broker": "broker",
            "room": "school/room-1",
            "other": "school/room-2",
            "central": "central",
            "desk": "desk",
            "telegraf": "telegraf",
        },
    )


@pytest.fixture
def central(tmp_path, certificates) -> Iterator[Mosquitto]:
    """The central broker of the example."""
    folder = tmp_path / "central"
    (folder / "rooms.acl").write_text(example("rooms.acl", folder))
    broker = Mosquitto(folder)
    of_example(broker, "central.conf")
    yield broker.start()
    broker.end()


@pytest.fixture
def client(central, certificates, until) -> Iterator[Callable[[str], Client]]:
    clients: list[Client] = []

    def client(name: str) -> Client:
        clients.append(Client(central.port, until, (certificates.folder, name)))
        return clients[-1]

    yield client
    for one in clients:
        one.close()


KEYS = "".join(
    f'{key} = "central/certs/{name}"\n'
    for key, name in (("ca", "ca.crt"), ("certificate", "room.crt"), ("key", "room.key"))
)


def test_a_room_with_its_certificate_is_served_and_the_central_sees_all_of_it(
    central, client, open_room, until
):
    watcher = client("central")
    watcher.subscribe("roomwarden/#")
    room = open_room(f"mqtts://127.0.0.1:{central.port}", KEYS)
    until(room.is_settled)

    room.leak(is_there=True)

    until(
        lambda: any(b'"active":true' in told for told in watcher.of(f"{ROOT}/alarm/leak-1.leak"))
    )
    until(lambda: watcher.of(f"{ROOT}/event") and room.is_settled())
    assert watcher.of(f"{ROOT}/availability")[-1] == b"online"
    assert json.loads(watcher.of(f"{ROOT}/birth")[0])["v"] == 1
    assert room.state()["condition"] == "up"


OWN = ["availability", "birth", "state/siren", "alarm/leak-1.leak", "event", "reply/central"]
OWN.append("reply/central/call/7")


def test_a_room_writes_what_is_its_own_and_nothing_else(client):
    room, watcher, reader = client("room"), client("central"), client("telegraf")
    watcher.subscribe("roomwarden/#")
    reader.subscribe("roomwarden/#")
    for topic in OWN:
        assert room.publish(f"{ROOT}/{topic}", b"{}"), topic
        assert not room.publish(f"{OTHER}/{topic}", b"{}"), f"the other room's {topic}"
    for topic in (f"{ROOT}/weather", "roomwarden/school/event", f"{OTHER}/cmd/central", "event"):
        assert not room.publish(topic, b"{}"), topic
    assert room.publish(f"{ROOT}/event", b"the last one")

    for one in (watcher, reader):
        one.until(lambda one=one: (f"{ROOT}/event", b"the last one", False) in one.came)
        assert {topic for topic, _, _ in one.came} == {f"{ROOT}/{topic}" for topic in OWN}


def test_a_room_reads_its_own_commands_and_no_others(client, until):
    room, other, central = client("room"), client("other"), client("central")
    for one in (room, other):
        one.subscribe("roomwarden/#")
        one.subscribe(f"{ROOT}/cmd/+")
        one.subscribe(f"{OTHER}/cmd/+")
        one.subscribe(f"{ROOT}/event")
    assert room.publish(f"{ROOT}/event", b"{}")
    assert central.publish(f"{ROOT}/cmd/central", b"to the one")
    assert central.publish(f"{OTHER}/cmd/central", b"to the other")

    until(lambda: room.came and other.came)
    assert room.publish(f"{ROOT}/cmd/central", b"")  # and all before it has arrived
    until(lambda: room.of(f"{ROOT}/cmd/central")[-1] == b"")
    assert {payload for _, payload, _ in room.came} == {b"to the one", b""}
    assert {payload for _, payload, _ in other.came} == {b"to the other"}


def test_a_client_commands_in_its_own_name_only_and_hears_its_own_answers_only(client, until):
    room, central, desk = client("room"), client("central"), client("desk")
    room.subscribe(f"{ROOT}/cmd/+")
    listener = client("desk")
    listener.subscribe("roomwarden/#")
    assert desk.publish(f"{ROOT}/cmd/desk", b"{}")
    assert not desk.publish(f"{ROOT}/cmd/central", b"{}")
    assert not central.publish(f"{ROOT}/cmd/desk", b"{}")
    assert not central.publish(f"{ROOT}/event", b"{}")
    assert not desk.publish(f"{ROOT}/reply/desk", b"{}")
    assert not desk.publish(f"{ROOT}/reply/desk/call", b"{}")
    for topic in ("central", "central/call", "desk-2", "desk/call", "desk"):
        assert room.publish(f"{ROOT}/reply/{topic}", b"{}")

    until(lambda: listener.of(f"{ROOT}/reply/desk"))
    heard = [topic for topic, _, _ in listener.came]
    assert heard == [f"{ROOT}/reply/desk/call", f"{ROOT}/reply/desk"]
    assert {topic for topic, _, _ in room.came} == {f"{ROOT}/cmd/desk"}


DESK = '[[feed.client]]\nid = "desk"\nrole = "acknowledge"\nactions = ["silence"]\n'


@pytest.fixture
def served(central, open_room, until) -> FeedRoom:
    """The room with its certificate, that hears the client `desk`."""
    room = open_room(f"mqtts://127.0.0.1:{central.port}", KEYS + DESK)
    until(room.is_settled)
    return room


def test_a_reply_comes_below_the_reply_topic_of_its_asker_where_it_wants_it_there(
    served, client, until
):
    desk = client("desk")
    desk.subscribe("roomwarden/#")
    desk.ask(f"{ROOT}/reply/desk/call/7")
    desk.ask()

    until(lambda: desk.of(f"{ROOT}/reply/desk"))
    heard = [(topic, json.loads(payload)["status"]) for topic, payload, _ in desk.came]
    assert heard == [(f"{ROOT}/reply/desk/call/7", "done"), (f"{ROOT}/reply/desk", "done")]


def test_a_response_topic_that_the_rules_deny_does_not_throw_the_room_off_the_broker(
    served, central, client, until
):
    desk = client("desk")
    desk.subscribe(f"{ROOT}/reply/desk")
    connections = central.log.count("as roomwarden-school_room-1 (")
    desk.ask("elsewhere/inbox")
    desk.ask()

    until(lambda: desk.came)
    assert "Denied PUBLISH from roomwarden-school_room-1" in central.log
    assert central.log.count("as roomwarden-school_room-1 (") == connections == 1
    assert served.state()["condition"] == "up"


def test_a_room_clears_a_retained_command_of_its_own_and_cannot_clear_anothers(client, until):
    room, other, central = client("room"), client("other"), client("central")
    assert central.publish(f"{ROOT}/cmd/central", b"stale", retain=True)

    assert not other.publish(f"{ROOT}/cmd/central", b"", retain=True)
    before = client("room")
    before.subscribe(f"{ROOT}/cmd/+")
    until(lambda: before.came == [(f"{ROOT}/cmd/central", b"stale", True)])
    assert room.publish(f"{ROOT}/cmd/central", b"", retain=True)

    after = client("room")
    after.subscribe(f"{ROOT}/cmd/+")
    assert central.publish(f"{ROOT}/cmd/central", b"fresh")
    until(lambda: after.came)
    assert after.came == [(f"{ROOT}/cmd/central", b"fresh", False)]


def test_a_room_with_anothers_certificate_is_refused(central, open_room, until):
    keys = KEYS.replace("room.", "other.")
    room = open_room(f"mqtts://127.0.0.1:{central.port}", keys)
    until(lambda: room.state()["condition"] == "refused")
    assert "Denied PUBLISH from roomwarden-school_room-1" in central.log


def test_nobody_comes_in_without_a_certificate_of_the_authority(
    central, open_room, until, tmp_path, certificates
):
    Certificates(tmp_path / "forged", {"room": "school/room-1"})
    keys = KEYS.replace("central/certs/room", "forged/room")
    room = open_room(f"mqtts://127.0.0.1:{central.port}", keys)
    until(lambda: room.state()["condition"] == "certificate")
    out = subprocess.run(
        pub(central.port, "--cafile", str(certificates.folder / "ca.crt")),
        capture_output=True,
        check=False,
    )
    assert out.returncode != 0


def pub(port: int, *more: str) -> list[str]:
    topic = f"{ROOT}/cmd/central"
    return ["mosquitto_pub", "-p", str(port), *more, "-t", topic, "-m", "{}", "-q", "1"]


class Bridged:
    """The example's local broker, bridged to the central one by a cable."""

    def __init__(self, tmp_path: Path, central: Mosquitto) -> None:
        folder = tmp_path / "pi"
        folder.mkdir()
        shutil.copytree(central.folder / "certs", folder / "certs")
        (folder / "local.acl").write_text(example("local.acl", folder))
        (tmp_path / "feed.secret").write_text("a secret\n")
        subprocess.run(
            ["mosquitto_passwd", "-c", "-b", folder / "local.passwd", "room", "a secret"],
            check=True,
            capture_output=True,
        )
        self.broker = Mosquitto(folder)
        of_example(self.broker, "pi.conf")
        self.cable = Cable(central.port)
        address = self.cable.url.removeprefix("mqtt://")
        self.broker.lines = [
            line.replace("central.example:8883", address).replace("timeout 1 30", "timeout 1 1")
            for line in self.broker.lines
        ]
        self.keys = 'username = "room"\npassword_file = "feed.secret"\n'


@pytest.fixture
def bridged(tmp_path, central) -> Iterator[Bridged]:
    bridged = Bridged(tmp_path, central)
    bridged.broker.start()
    yield bridged
    bridged.broker.end()
    bridged.cable.close()


@pytest.fixture
def local(bridged, until) -> Iterator[Client]:
    """The room, as its broker on the Pi knows it."""
    client = Client(bridged.broker.port, until, password=("room", "a secret"))
    client.subscribe(f"{ROOT}/cmd/+")
    yield client
    client.close()


def seqs(client: Client) -> list[int]:
    return [json.loads(event)["seq"] for event in client.of(f"{ROOT}/event")]


def settled(room: FeedRoom, watcher: Client) -> bool:
    return room.is_settled() and set(seqs(watcher)) >= set(range(1, room.journal.acked_seq + 1))


def test_over_the_bridge_events_go_through_once_and_in_order(
    central, bridged, client, open_room, until
):
    watcher = client("central")
    watcher.subscribe("roomwarden/#")
    until(lambda: watcher.of(f"{ROOT}/bridge")[-1:] == [b"1"])
    room = open_room(bridged.broker.url, bridged.keys)
    for _ in range(20):
        room.door(is_open=True)
        room.door(is_open=False)
    room.guard.tell("feed.events-lost", "a trial")

    until(lambda: settled(room, watcher))
    assert seqs(watcher) == list(range(1, len(seqs(watcher)) + 1))
    assert watcher.of(f"{ROOT}/availability") == [b"online"]
    assert len(watcher.of(f"{ROOT}/birth")) == 1


def test_over_the_bridge_commands_come_back_with_their_properties_and_nothing_goes_round(
    central, bridged, client, local, until
):
    watcher = client("central")
    watcher.subscribe("roomwarden/#")
    until(lambda: watcher.of(f"{ROOT}/bridge")[-1:] == [b"1"])
    room = local
    asked = Properties(PacketTypes.PUBLISH)
    asked.ResponseTopic = f"{ROOT}/reply/central/7"
    asked.CorrelationData = b"7"
    assert watcher.publish(f"{ROOT}/cmd/central", b"{}", properties=asked)

    until(lambda: room.of(f"{ROOT}/cmd/central"))
    assert room.properties[0].ResponseTopic == f"{ROOT}/reply/central/7"
    assert room.properties[0].CorrelationData == b"7"
    assert room.publish(f"{ROOT}/reply/central", b"first")
    assert room.publish(f"{ROOT}/reply/central/7", b"below")
    assert room.publish(f"{ROOT}/event", b"{}")
    assert room.publish(f"{ROOT}/reply/central", b"last")
    until(lambda: b"last" in watcher.of(f"{ROOT}/reply/central"))
    assert watcher.publish(f"{ROOT}/cmd/central", b"last")
    until(lambda: b"last" in room.of(f"{ROOT}/cmd/central"))

    until(lambda: watcher.of(f"{ROOT}/event"))
    assert watcher.of(f"{ROOT}/cmd/central") == [b"{}", b"last"]
    assert watcher.of(f"{ROOT}/reply/central") == [b"first", b"last"]
    assert watcher.of(f"{ROOT}/reply/central/7") == [b"below"]
    assert watcher.of(f"{ROOT}/event") == [b"{}"]
    assert [topic for topic, _, _ in room.came] == [f"{ROOT}/cmd/central"] * 2


def test_while_the_central_broker_is_away_events_are_kept_and_of_the_present_only_the_last(
    central, bridged, client, local, until
):
    first = client("central")
    first.subscribe(f"{ROOT}/event")
    assert local.publish(f"{ROOT}/event", b"before")
    until(lambda: first.came)
    central.end()
    for number in range(100):
        assert local.publish(f"{ROOT}/event", b"%d" % number)
        assert local.publish(f"{ROOT}/state/siren", b"%d" % number, retain=True)
        assert local.publish(f"{ROOT}/alarm/leak-1.leak", b"%d" % number, retain=True)
    central.start()
    watcher = client("central")
    watcher.subscribe("roomwarden/#")

    until(lambda: watcher.of(f"{ROOT}/event")[-1:] == [b"99"])
    until(lambda: watcher.of(f"{ROOT}/state/siren")[-1:] == [b"99"])
    until(lambda: watcher.of(f"{ROOT}/alarm/leak-1.leak") == [b"99"])
    told = first.of(f"{ROOT}/event") + watcher.of(f"{ROOT}/event")
    assert list(dict.fromkeys(told)) == [b"before", *(b"%d" % number for number in range(100))]


def test_a_command_that_was_given_while_the_bridge_was_down_is_not_carried_out_later(
    central, bridged, client, local, until
):
    watcher = client("central")
    watcher.subscribe(f"{ROOT}/bridge")
    until(lambda: watcher.came and watcher.came[-1][1] == b"1")
    bridged.cable.cut()
    until(lambda: watcher.came[-1][1] == b"0")
    assert watcher.publish(f"{ROOT}/cmd/central", b"late")
    bridged.cable.mend()
    until(lambda: watcher.came[-1][1] == b"1")
    assert watcher.publish(f"{ROOT}/cmd/central", b"in time")

    until(lambda: local.of(f"{ROOT}/cmd/central"))
    assert local.of(f"{ROOT}/cmd/central") == [b"in time"]


def test_a_pi_that_dies_is_told_by_its_bridge(central, bridged, client, until):
    watcher = client("central")
    watcher.subscribe(f"{ROOT}/bridge")
    until(lambda: watcher.came and watcher.came[-1][1] == b"1")

    bridged.broker.end(signal.SIGKILL)

    until(lambda: watcher.came[-1][1] == b"0")


def test_nobody_else_on_the_pi_speaks_for_the_room_or_commands_it(bridged, local):
    for credentials in ([], ["-u", "room", "-P", "a guess"]):
        out = subprocess.run(
            pub(bridged.broker.port, *credentials),
            capture_output=True,
            check=False,
        )
        assert out.returncode != 0
