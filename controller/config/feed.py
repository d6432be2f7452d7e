"""`[feed]`: the broker, and who may send commands by it."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from controller.config.forms import BrokerUrl, FileName, Text
from controller.config.table import Table
from controller.core.partconfig import Id
from controller.core.request import Role

# What a remote client may ask, and the least role that it takes.
# `prepare` and `resend` are every named client's; to list them is no fault.
REMOTE_ACTIONS = {
    "prepare": Role.VIEW,
    "resend": Role.VIEW,
    "silence": Role.ACKNOWLEDGE,
    "acknowledge": Role.ACKNOWLEDGE,
    "switch": Role.OPERATE,
    "release": Role.OPERATE,
    "projector-on": Role.OPERATE,
    "projector-off": Role.OPERATE,
    "start-hosts": Role.OPERATE,
    "lock-up": Role.OPERATE,
    "drill": Role.OPERATE,
    "arm": Role.OPERATE,
}


class FeedClient(Table, frozen=True, kw_only=True):
    """A `[[feed.client]]`: one who may send commands, and which."""

    id: Id
    role: Literal["view", "acknowledge", "operate"] = "view"
    actions: tuple[str, ...] = ()


class Feed(Table, frozen=True, kw_only=True):
    """`ca`, `certificate`, `key` and `password_file` are files; see `RoomFile.resolve`."""

    url: BrokerUrl
    username: Text | None = None
    password_file: FileName | None = None
    ca: FileName | None = None
    certificate: FileName | None = None
    key: FileName | None = None
    discovery: bool = False
    clients: tuple[FeedClient, ...] = field(name="client", default=())
