"""What of a room file is simulated, with the drivers' own configuration of each kind."""

from __future__ import annotations

from pathlib import Path

from controller.config.power import UpsConfig
from controller.config.schema import BoardConfig, Room, RoomFile, Simulation
from controller.core.duration import Duration
from drivers import contact, contact_pair, dht11, dht22, iio_dht, pjlink, relay, relay_only
from simulators.plan import (
    ClimatePart,
    CoilPart,
    ContactPart,
    Loop,
    Plan,
    ProjectorPart,
    plan_of,
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
    ups = UpsConfig(id="main-ups", kind="modbus", address="tcp://127.0.0.1:1502", map="x.toml")
    assert plan_of(RoomFile(room=ROOM, board=BoardConfig(kind="simulated"), upses=(ups,))).has_ups
