"""What `check` says of a room without faults."""

from __future__ import annotations

from pathlib import Path

from controller.config.notes import notes
from controller.config.read import read_room
from controller.config.walk import Kinds

HOST = '[[host]]\nid = "h"\nstage = 1\nevidence = ["ping://10.0.0.1"]\n'
MAINS = '[[input]]\nid = "mains"\nkind = "contact"\nrole = "mains"\npin = 23\n'
STAGE = '[[outage.stage]]\nstage = 1\nafter = "2min"\n'
WHOLE = 'path = "ping://10.0.0.254"\nstart = "redfish://10.0.1.1"\n'
REDFISH = HOST + WHOLE + 'stop = "redfish://10.0.1.1"\n'
PLUG = '[[output]]\nid = "plug"\nkind = "relay"\nrole = "outlet"\npin = 21\nenergised = "off"\n'
PROOF = '[[input]]\nid = "proof"\nkind = "contact"\nrole = "feedback"\nof = "plug"\npin = 5\n'
NUT = '[[ups]]\nid = "u"\nkind = "nut"\naddress = "nut://127.0.0.1/ups"\n'


def test_a_room_that_lacks_nothing_has_no_notes(read):
    assert notes(read(REDFISH + STAGE + MAINS)) == []


def test_a_room_without_servers_has_no_notes(rooms: Path, kinds: Kinds):
    assert notes(read_room(rooms / "lakeside.toml", kinds)) == []


def test_the_room_with_servers_is_told_what_it_lacks(rooms: Path, kinds: Kinds):
    assert notes(read_room(rooms / "lakeside-servers.toml", kinds)) == [
        "outage.stage[2]: no host is of stage 2",
        'host "standby-1": has no path: where the way to it is dead, its silence counts as a host '
        "that is down",
        'host "standby-1": all its evidence goes over one network: a dead switch leaves nothing '
        "that tells whether it is down; redfish:// or the feedback of its outlet would",
    ]


def test_a_host_that_nothing_warns_of_an_outage_is_told(read):
    assert notes(read(REDFISH)) == [
        'hosts, but no [[ups]] and no input with role "mains": nothing tells of an outage',
        "hosts, but no [[outage.stage]]: only a low battery stops them",
    ]


def test_a_silent_ups_without_a_mains_contact_is_told(read):
    assert notes(read(NUT)) == [
        'no input with role "mains": when the UPS falls silent, nothing tells of the mains'
    ]


def test_a_stage_that_hangs_on_what_a_nut_ups_may_tell_is_told(read):
    stage = "[[outage.stage]]\nstage = 1\ncharge_below = 50\n"
    assert notes(read(REDFISH + NUT + MAINS + stage)) == [
        'outage.stage[1]: has no after; as long as UPS "u" tells neither charge nor runtime, only '
        "a low battery begins it"
    ]


def test_a_host_that_only_its_outlet_can_prove_down_is_told(read):
    host = HOST.replace('1"]', '1", "outlet"]') + WHOLE
    room = read(
        host + 'stop = "command:/bin/stop"\noutlet = "plug"\n' + PLUG + PROOF + STAGE + MAINS
    )
    assert notes(room) == [
        'host "h": cannot be confirmed down while its outlet has power: of its kinds of evidence '
        "only 1 can say so before"
    ]


def test_a_host_that_nothing_starts_is_told(read):
    room = read(REDFISH.replace('start = "redfish://10.0.1.1"\n', "") + STAGE + MAINS)
    assert notes(room) == ['host "h": has no start: after an outage it is started by hand']


def test_files_that_nothing_reads_are_told(read):
    files = 'key_file = "k"\nhost_key = "h"\npassword_file = "p"\nca = "c"\n'
    assert notes(read(REDFISH + files + STAGE + MAINS)) == [
        'host "h": key_file is not used by any of its addresses',
        'host "h": host_key is not used by any of its addresses',
    ]
