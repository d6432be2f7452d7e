"""How the local screen proves itself: by a key that only its own user on this machine can read.

The panel makes `kiosk.key` in the run directory (mode 0600); the kiosk's browser is started at
`/kiosk?key=<that key>` and gets a cookie for it. The key outlives a restart of the panel, so
that the screen on the wall needs no hand; it ends with the boot, as the run directory does.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

_BYTES = 24
_FORM = re.compile(r"[A-Za-z0-9_-]{32}")


def kiosk_key(run_dir: Path) -> str:
    """Return the room's kiosk key, made on the first call. Raises: OSError."""
    path = run_dir / "kiosk.key"
    kept = _kept(path)
    if kept is not None:
        return kept
    key = secrets.token_urlsafe(_BYTES)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key


def _kept(path: Path) -> str | None:
    """Return the key of an earlier start, unless anybody else could have read or written it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, encoding="ascii", errors="replace") as file:
        about = os.fstat(file.fileno())
        if about.st_mode & 0o077 or about.st_uid != os.geteuid():
            return None
        key = file.read(64).strip()
    return key if _FORM.fullmatch(key) else None


def cookie_for(key: str) -> str:
    """Return the cookie's value: it proves the key without being it."""
    return hmac.new(key.encode(), b"roomwarden local screen", hashlib.sha256).hexdigest()


def is_key(key: str, offered: str) -> bool:
    return hmac.compare_digest(key.encode(), offered.encode())


def is_cookie(key: str, offered: str) -> bool:
    return hmac.compare_digest(cookie_for(key).encode(), offered.encode())
