"""What of a room file is simulated, with the drivers' own configuration of each kind."""

from __future__ import annotations

from pathlib import Path

from controller.config.power import HostConfig, Nut
from controller.config.schema import BoardConfig, Room, RoomFile, Simulation
from controller.core.duration import Duration
from controller.core.partconfig import InputConfig, UpsConfig
from controller.core.registers import RegisterMap
from drivers import (
    contact,
    contact_pair,
    dht11,
    dht22,
    dry_contacts,
    iio_dht,
    modbus,
    nut,
    pjlink,
    relay,
    relay_only,
)
from simulators.plan import (
    ClimatePart,
    CoilPart,
    ContactPart,
    Loop,
    Plan,
    ProjectorPart,
    plan_of,
)
from simulators.powerplan import (
    Account,
    HostPart,
    Listener,
    ModbusEnd,
    NutEnd,
    OwnUpsd,
    UpsPart,
)

ROOM = Room(site="lakeside-school", id="server-room", name="Server room", timezone="UTC")
INPUTS = (
    dht22.Config(id="rack-air", pin=4),
    dht11.Config(id="door-air", pin=5),
    contact_pair.Config(id="smoke-1", role="smoke", pins=(17, 18)),
    contact.Config(id="front-door", role="door", pin=22, contact="nc"),
    contact.Config(id="cut-proof", role="feedback", pin=24, contact="no", of="power-cut"),
)
OUTPUTS = (
    relay.Config(id="power-cut", role="cut-off", scope="room", pin=16, pulse=Duration(0.5)),
    relay.Config(id="ups-cut", role="cut-off", scope="ups", pin=13, energised="off"),
    relay.Config(id="siren", role="siren", pin=12, active="low"),
)
PROJECTORS = (
    pjlink.Config(
        id="hall", outlet="hall-outlet", address="127.0.0.1:4352", password_file="hall.secret"
    ),
    relay_only.Config(id="foyer", outlet="foyer-outlet", cooling=Duration(60.0), supply="ups"),
)


def room(folder: Path = Path("nowhere"), real: tuple[str, ...] = ()) -> RoomFile:
    return RoomFile(
        room=ROOM,
        board=BoardConfig(kind="simulated"),
        inputs=INPUTS,
        outputs=OUTPUTS,
        projectors=PROJECTORS,
        simulation=Simulation(real=real),
        folder=folder,
    )


def test_every_simulated_kind_of_part_is_in_the_plan(tmp_path: Path) -> None:
    (tmp_path / "hall.secret").write_text("secret-1\n")
    assert plan_of(room(tmp_path)) == Plan(
        contacts=(
            ContactPart("smoke-1", "smoke", (Loop(17, True), Loop(18, False))),
            ContactPart("front-door", "door", (Loop(22, False),)),
            ContactPart("cut-proof", "feedback", (Loop(24, True),), of="power-cut"),
        ),
        climates=(ClimatePart("rack-air", "dht22"), ClimatePart("door-air", "dht11")),
        coils=(
            CoilPart("power-cut", "cut-off", 16, scope="room", shunt=True),
            CoilPart("ups-cut", "cut-off", 13, scope="ups", on_when_energised=False),
            CoilPart("siren", "siren", 12, active_high=False),
        ),
        projectors=(
            ProjectorPart("hall", "hall-outlet", 300.0, False, ("127.0.0.1", 4352), "secret-1"),
            ProjectorPart("foyer", "foyer-outlet", 60.0, on_ups=True),
        ),
    )


def test_parts_that_are_really_there_are_left_out() -> None:
    plan = plan_of(room(real=("rack-air", "smoke-1", "siren", "hall")))
    left = [*plan.contacts, *plan.climates, *plan.coils, *plan.projectors]
    assert [part.id for part in left] == [
        "front-door",
        "cut-proof",
        "door-air",
        "power-cut",
        "ups-cut",
        "foyer",
    ]


def test_a_projector_whose_secret_is_missing_asks_for_no_password() -> None:
    assert plan_of(room()).projectors[0].password is None


def test_kinds_that_cannot_be_simulated_are_left_out() -> None:
    parts = (iio_dht.Config(id="kernel-air", device="dht11@4"),)
    plan = plan_of(RoomFile(room=ROOM, board=BoardConfig(kind="simulated"), inputs=parts))
    assert plan == Plan()


def test_a_ups_feeds_the_racks_of_a_room_that_has_one() -> None:
    ups = dry_contacts.Config(id="main-ups")
    assert plan_of(RoomFile(room=ROOM, board=BoardConfig(kind="simulated"), upses=(ups,))).has_ups


def powered(
    *upses: UpsConfig,
    hosts: tuple[HostConfig, ...] = (),
    inputs: tuple[InputConfig, ...] = (),
    real: tuple[str, ...] = (),
    folder: Path = Path("nowhere"),
) -> RoomFile:
    return RoomFile(
        room=ROOM,
        board=BoardConfig(kind="simulated"),
        inputs=inputs,
        upses=upses,
        hosts=hosts,
        nut=Nut(address="127.0.0.1:34930"),
        simulation=Simulation(real=real),
        folder=folder,
    )


def test_each_ups_answers_at_its_own_address(tmp_path: Path) -> None:
    (tmp_path / "ups.secret").write_text("s3\n")
    found = RegisterMap("some-ups")
    upses = (
        modbus.Config(id="main-ups", address="tcp://127.0.0.1:1502", map="some-ups", unit=3),
        modbus.Config(id="serial-ups", address="rtu:///dev/ttyUSB0", map="some-ups"),
        nut.Config(
            id="usb-ups", address="nut://warden@127.0.0.1/rack", password_file="ups.secret"
        ),
        dry_contacts.Config(id="least-ups"),
        modbus.Config(id="real-ups", address="tcp://127.0.0.1:1503", map="some-ups"),
    )
    file = powered(*upses, real=("real-ups",), folder=tmp_path)
    assert plan_of(file, {"main-ups": found, "serial-ups": found}).upses == (
        UpsPart("main-ups", ModbusEnd(("127.0.0.1", 1502), 3, found)),
        UpsPart("serial-ups"),
        UpsPart("usb-ups", NutEnd(("127.0.0.1", 3493), "rack", "warden", "s3")),
        UpsPart("least-ups"),
    )


def test_contacts_alone_make_a_ups_and_belong_to_the_only_one() -> None:
    contacts = (
        contact.Config(id="on-battery", role="ups-on-battery", pin=5),
        contact.Config(id="mains", role="mains", pin=6),
    )
    implied = plan_of(powered(inputs=contacts))
    assert (implied.upses, implied.has_ups) == ((UpsPart("ups"),), True)
    assert [part.of for part in implied.contacts] == ["ups", None]
    named = plan_of(powered(dry_contacts.Config(id="main-ups"), inputs=contacts))
    assert [part.of for part in named.contacts] == ["main-ups", None]


def test_each_host_answers_where_its_evidence_and_its_means_say(tmp_path: Path) -> None:
    (tmp_path / "bmc.secret").write_text("s3\n")
    hosts = (
        HostConfig(
            id="standby-1",
            stage=1,
            stop="ssh://room@127.0.0.1:2222",
            key_file="standby-1.key",
            start="wol://02:00:00:00:00:0A@10.0.0.255",
            evidence=("tcp://127.0.0.1:2222", "ping://127.0.0.1", "tcp://127.0.0.1:80"),
            ready=("http://127.0.0.1/up", "https://127.0.0.1:8443/", "ssh://127.0.0.1:2223"),
        ),
        HostConfig(
            id="nas",
            stage=2,
            stop="redfish://admin@127.0.0.2/system.1",
            start="outlet",
            password_file="bmc.secret",
            outlet="nas-outlet",
        ),
        HostConfig(id="files", stage=3, stop="nut"),
        HostConfig(id="real-one", stage=3, stop="nut"),
    )
    plan = plan_of(powered(hosts=hosts, real=("real-one",), folder=tmp_path))
    assert plan.hosts == (
        HostPart(
            "standby-1",
            (
                Listener(("127.0.0.1", 2222), "ssh"),
                Listener(("127.0.0.1", 80), "http"),
                Listener(("127.0.0.1", 8443), "https"),
                Listener(("127.0.0.1", 2223), "banner"),
            ),
            Account(
                seed="lakeside-school/server-room/standby-1",
                ssh_user="room",
                key_file=tmp_path / "standby-1.key",
                system="standby-1",
            ),
            mac="02:00:00:00:00:0a",
        ),
        HostPart(
            "nas",
            (Listener(("127.0.0.2", 443), "redfish"),),
            Account(
                seed="lakeside-school/server-room/nas",
                bmc_user="admin",
                password="s3",
                system="system.1",
            ),
            outlet="nas-outlet",
            starts_with_outlet=True,
        ),
        HostPart(
            "files",
            account=Account(seed="lakeside-school/server-room/files", system="files"),
            runs_upsmon=True,
        ),
    )
    assert plan.upsd == OwnUpsd(("127.0.0.1", 34930), "roomwarden", None)


def test_nobody_needs_our_upsd_where_no_simulated_host_runs_upsmon() -> None:
    only = (HostConfig(id="files", stage=1, stop="nut"),)
    assert plan_of(powered(hosts=only, real=("files",))).upsd is None
