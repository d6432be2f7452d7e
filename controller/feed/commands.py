"""Commands: what clients ask by `cmd/<client>`, put to the one gate; what becomes of it, told.

What is wrong with a message itself goes to the gate too, as a request with a flaw, so that every
command is refused and recorded in one place. The id of a request is on the disk with the event
that says what became of it; a controller killed within those milliseconds may carry out a repeat
of what it had just done, which for whatever needs no nonce is to do nothing.

A broker of MQTT 3.1.1 marks as retained only what it kept from before the subscription. There a
retained command that arrives while the room listens cannot be told from another; it is carried
out if it is fresh, and refused, recorded and cleared at the next connection.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Sequence
from functools import partial

from controller.config.feed import FeedClient
from controller.core import gate
from controller.core.reason import Reason, why
from controller.core.request import Answer, Origin, Request, Role, Status
from controller.feed.broker import Limits, Received
from controller.feed.link import Link
from controller.feed.messages import Command
from controller.feed.parse import Malformed, parse, texts
from controller.feed.prepared import Prepared
from controller.feed.rate import Flood, Rate
from controller.feed.replies import Address, Replies, address
from controller.feed.resend import Resend, asked_range
from controller.guard import Guard
from controller.journal.journal import Journal

log = logging.getLogger(__name__)

_MOST_OPEN = 100
"""Commands of one client that wait for their end; the oldest beyond these is told no more."""

_CLEAR_S = 1.0
_COMMAND = "command"
"""What is recorded as the action of a message that is refused before it is looked into."""


class _Client:
    """One client, as long as the program runs. `open`: its commands without their end yet.

    `resend`: the one that it may have, until its refusal or its end. `echoes`: how many of our own
    clearings of its topic are still to come back to us.
    """

    def __init__(self, config: FeedClient, root: str, rate: tuple[int, float]) -> None:
        self.id = config.id
        self.role = Role(config.role)
        self.topic = f"{root}/cmd/{config.id}"
        self.reply_to = f"{root}/reply/{config.id}"
        self.rate = Rate(*rate)
        self.flood = Flood()
        self.open: dict[_Asked, None] = {}
        self.resend: _Asked | None = None
        self.is_retained = False
        self.cleared_s = float("-inf")
        self.echoes = 0


class _Asked:
    """A command that the gate has. `id` is null where it could not be read."""

    def __init__(
        self,
        client: _Client,
        id: str | None,
        to: Address,
        request: Request,
        told: Callable[[_Asked, Answer], None],
    ) -> None:
        self.client = client
        self.id = id
        self.to = to
        self.action = request.action
        self.args = request.args
        self._told = told

    def hear(self, answer: Answer) -> None:
        self._told(self, answer)


class Commands:
    """Everything here runs on the feed's thread, but for the answers' way into their queue.

    `ring`: wakes that thread. Lives as long as the program, through many connections.
    """

    def __init__(
        self,
        clients: Sequence[FeedClient],
        root: str,
        guard: Guard,
        journal: Journal,
        locale: str,
        limits: Limits,
        ring: Callable[[], None],
    ) -> None:
        every = [_Client(client, root, limits.rate) for client in clients]
        self._clients = {client.topic: client for client in every}
        self._guard = guard
        self._journal = journal
        self._ring = ring
        self._prepared = Prepared()
        self._resend = Resend(journal, f"{root}/event")
        self._answers: queue.SimpleQueue[tuple[_Asked, Answer]] = queue.SimpleQueue()
        self._replies = Replies(locale)

    def listen(self, link: Link) -> None:
        """Hear the clients by a new connection."""
        for client in self._clients.values():
            client.echoes = 0
        if self._clients:
            link.subscribe(list(self._clients))

    def take(self, came: Received, link: Link) -> None:
        """Put one message to the gate."""
        client = self._clients.get(came.topic)
        if client is None:
            return
        if link.is_older and client.echoes and not came.payload:
            client.echoes -= 1  # our own clearing of what was retained
            return
        if came.retained and not came.payload:
            return  # somebody cleared what was retained
        now_s = time.monotonic()
        client.is_retained |= came.retained
        if not client.rate.takes(now_s):
            self._over_rate(client, came, now_s)
            return
        to = address(came, client.reply_to)
        read = parse(came.payload, to.size)
        if came.retained:
            self._refuse(client, read.id, to, why("refused.retained"))
        elif isinstance(read, Malformed):
            self._refuse(client, read.id, to, read.fault)
        else:
            self._ask(client, read, to, now_s)

    def send(self, link: Link, sent_seq: int) -> bool:
        """Send the replies there are and events asked for again; True when there is more.

        `sent_seq`: the last event that was sent as a new one.
        """
        while not self._answers.empty():
            self._answered(*self._answers.get())
        self._clear(link)
        self._record_rest()
        return self._replies.send(link) and self._resend.send(link, sent_seq)

    def arrived(self, messages: Sequence[int]) -> None:
        """The broker has these."""
        self._replies.arrived(messages)
        self._resend.answered(messages)

    def lost(self) -> None:
        """The connection is over."""
        self._replies.lost()
        self._resend.lost()

    def _ask(self, client: _Client, command: Command, to: Address, now_s: float) -> None:
        args = texts(command.args)
        repeated = self._journal.seen_request(command.id, command.issued.timestamp())
        prepared = (
            not repeated
            and command.nonce is not None
            and self._prepared.redeem(client.id, command.nonce, command.action, args, now_s)
        )
        flaw = why("refused.repeated") if repeated else self._flaw(client, command.action, args)
        request = Request(
            command.id,
            command.action,
            args,
            actor=client.id,
            role=client.role,
            origin=Origin.MQTT,
            issued_s=command.issued.timestamp(),
            expires_s=command.expires.timestamp(),
            expect=command.expect,
            repeated=repeated,
            prepared=prepared,
            user=command.user or "",
            flaw=flaw,
        )
        self._put(client, request, command.id, to)

    def _flaw(self, client: _Client, action: str, args: dict[str, str]) -> Reason | None:
        if action != gate.RESEND:
            return None
        if client.resend is not None:
            return why("refused.busy", action=action)
        wanted = asked_range(args)
        return None if isinstance(wanted, range) else wanted

    def _refuse(self, client: _Client, id: str | None, to: Address, flaw: Reason) -> None:
        self._put(client, _refused(client, id, flaw), id, to)

    def _put(self, client: _Client, request: Request, id: str | None, to: Address) -> None:
        asked = _Asked(client, id, to, request, self._hear)
        client.open[asked] = None
        if len(client.open) > _MOST_OPEN:
            oldest = next(iter(client.open))
            del client.open[oldest]
            self._guard.forget(oldest.id or "", oldest.hear)
        if request.action == gate.RESEND and request.flaw is None:
            client.resend = asked
        self._guard.ask(request, asked.hear)

    def _hear(self, asked: _Asked, answer: Answer) -> None:
        """On the scribe's thread."""
        self._answers.put((asked, answer))
        self._ring()

    def _answered(self, asked: _Asked, answer: Answer) -> None:
        client = asked.client
        if answer.status is not Status.ACCEPTED:
            client.open.pop(asked, None)
        nonce: str | None = None
        match asked.action, answer.status:
            case gate.PREPARE, Status.DONE:
                args = {name: text for name, text in asked.args.items() if name != "action"}
                now_s = time.monotonic()
                nonce = self._prepared.prepare(client.id, asked.args["action"], args, now_s)
            case gate.RESEND, Status.ACCEPTED:
                wanted = asked_range(asked.args)
                assert isinstance(wanted, range), "it was looked at before the gate had it"
                self._guard.forget(answer.id, asked.hear)  # its end comes from here
                self._resend.begin(client.id, wanted, partial(self._resent, asked))
            case gate.RESEND, _ if client.resend is asked:
                client.resend = None
        self._replies.tell(asked.to, asked.id, answer.status, answer.reason, nonce)

    def _resent(self, asked: _Asked, outcome: Reason, is_whole: bool) -> None:
        asked.client.open.pop(asked, None)
        asked.client.resend = None
        status = Status.DONE if is_whole else Status.FAILED
        self._replies.tell(asked.to, asked.id, status, outcome)

    def _over_rate(self, client: _Client, came: Received, now_s: float) -> None:
        answered = client.flood.is_answered(now_s)
        refused = why("refused.rate", count=client.flood.since)
        recorded = client.flood.is_recorded(now_s)
        if not (answered or recorded):
            return
        id, to = parse(came.payload).id, address(came, client.reply_to)
        if recorded:
            log.warning("%s sends commands faster than it may", client.id)
            self._refuse(client, id, to, refused)
        else:
            self._replies.tell(to, id, Status.REFUSED, refused)

    def _record_rest(self) -> None:
        """Have recorded how many were over the rate since the last record, once it is time."""
        now_s = time.monotonic()
        for client in self._clients.values():
            if count := client.flood.rest(now_s):
                flaw = why("refused.rate", count=count)
                self._guard.ask(_refused(client, "", flaw), lambda _: None)

    def _clear(self, link: Link) -> None:
        """Take what is retained on a command's topic from the broker; now and then is enough."""
        now_s = time.monotonic()
        for client in self._clients.values():
            if not client.is_retained or now_s < client.cleared_s + _CLEAR_S:
                continue
            if not link.room_for(qos=1):
                return
            link.publish(client.topic, b"", qos=1, retain=True, dispensable=True)
            client.is_retained = False
            client.cleared_s = now_s
            client.echoes += link.is_older


def _refused(client: _Client, id: str | None, flaw: Reason) -> Request:
    """Return what is put to the gate for a message that is refused for what it is itself."""
    return Request(
        id or "",
        _COMMAND,
        actor=client.id,
        role=client.role,
        origin=Origin.MQTT,
        flaw=flaw,
    )
