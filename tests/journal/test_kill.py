"""kill -9 of a writing process at random moments: nothing reported as recorded is lost."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from controller.journal import verify_chain

CHILD = """
import sys, time
from pathlib import Path
from controller.clock import Clock
from controller.core.event import Event, Recorded
from controller.core.reading import Quality
from controller.journal import Journal, Stored

def say(seq):
    print(seq, flush=True)

journal = Journal(Path(sys.argv[1]), 10**9, Clock(), lambda text: None, on_recorded=say)
seq = journal.open().last_seq
while True:
    for _ in range(20):
        seq += 1
        now = time.time()
        reading = Stored("rack-air.temperature", int(now * 1000), seq / 10, Quality.GOOD)
        journal.record(
            [Recorded(seq, "boot", now, Event("output", "siren"))], (str(seq), 1.0, now), [reading]
        )
    journal.wait_recorded(seq - 10, 5)
"""


@pytest.mark.system
def test_a_kill_at_any_moment_loses_and_doubles_nothing(desk):
    root = Path(__file__).parents[2]
    rng = random.Random()
    last = 0
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(desk.path)],
            cwd=root,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout
        told = [child.stdout.readline() for _ in range(rng.randrange(1, 60))]
        child.kill()
        told += child.stdout.read().splitlines(keepends=True)
        child.wait(10)
        child.stdout.close()
        promised = int([line for line in told if line.endswith("\n")][-1])

        _, kept = desk.open()
        assert kept.last_seq >= promised > last
        assert kept.memory.text == str(kept.memory.seq) == str(kept.last_seq)
        assert desk.seqs() == list(range(1, kept.last_seq + 1))
        desk.close()
        report = verify_chain(desk.path)
        assert (report.faults, report.dropped, report.last) == ((), (), kept.last_seq)
        last = kept.last_seq
    assert desk.faults == []
