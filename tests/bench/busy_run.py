"""`roomwarden` with one more kind of part, the bench's quick sensor.

python tests/bench/busy_run.py run CONFIG
"""

from __future__ import annotations

import sys
from pathlib import Path

import drivers
from firmware.main import main

if __name__ == "__main__":
    # Kinds are the modules of the package `drivers`, wherever its path leads.
    drivers.__path__.append(str(Path(__file__).parent / "kinds"))
    sys.exit(main(sys.argv[1:]))
