"""Where a room's socket, lock and line file stand: on tmpfs, derived from the store's path."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

SYSTEM = Path("/run/roomwarden")


def run_dir(store: Path) -> Path:
    """Return the run directory of the room whose journal is `store` (not made yet).

    Two rooms, or two copies of one, have different stores and so never meet; one store has one
    run directory by whatever links it is reached. The base is ROOMWARDEN_RUN where set; the
    system's where root or the service's own user runs us, or where it already guards this room;
    else the user's own runtime directory, else shared memory. Each of them is gone after a
    boot, as the line file must be.
    """
    key = hashlib.sha256(str(store.resolve()).encode()).hexdigest()[:12]
    return _base(key) / key


def _base(key: str) -> Path:
    named = os.environ.get("ROOMWARDEN_RUN")
    if named:
        return Path(named)
    if os.geteuid() == 0 or os.access(SYSTEM, os.W_OK) or (SYSTEM / key).exists():
        return SYSTEM
    own = os.environ.get("XDG_RUNTIME_DIR")
    if own:
        return Path(own) / "roomwarden"
    return Path("/dev/shm") / f"roomwarden-{os.geteuid()}"
