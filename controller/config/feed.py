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
    """One who may send commands, and which; nobody may who is not named.

    * `id`: the client's name in the topics `cmd/<id>` and `reply/<id>`.
    * `role`: what it may do at most; a list of actions beyond it is a fault.
    * `actions`: what it may ask.
    """

    id: Id
    role: Literal["view", "acknowledge", "operate"] = "view"
    actions: tuple[str, ...] = ()


class Feed(Table, frozen=True, kw_only=True):
    """The MQTT broker that the room tells what it sees. Left out: the room tells nobody.

    * `url`: the broker; `mqtts://` is TLS.
    * `username`: the user at the broker.
    * `password_file`: the password of that user. Missing: an alarm, and the feed is off.
    * `ca`: the authority that the broker must be certified by. Left out: the system's.
    * `certificate`: our own, where the broker asks for one.
    * `key`: the private key of `certificate`.
    * `discovery`: whether Home Assistant is told of every point.
    * `client`: who may send commands, each a `[[feed.client]]`.
    """

    url: BrokerUrl
    username: Text | None = None
    password_file: FileName | None = None
    ca: FileName | None = None
    certificate: FileName | None = None
    key: FileName | None = None
    discovery: bool = False
    clients: tuple[FeedClient, ...] = field(name="client", default=())
