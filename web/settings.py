"""What the panel needs to know about the room file; firmware fills it in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`kiosk_key` is what only the local screen knows (see `web.kiosk`).

    `locale` is the room's language. `names` are further host names by which browsers may call
    the panel; addresses and this machine's own name always may. `secure` says that browsers
    come by https only, through a proxy. `remote_operate`: whether people who signed in over the
    network may switch things.
    """

    kiosk_key: str
    locale: str = "en"
    names: tuple[str, ...] = ()
    secure: bool = False
    remote_operate: bool = False
    viewers: int = 20
