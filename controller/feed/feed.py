"""The feed's thread: connect, say what there is, send what happens, begin again."""

from __future__ import annotations

import logging
import os
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from controller.config.feed import Feed as FeedConfig
from controller.feed.birth import birth
from controller.feed.broker import Broker, Condition, Limits, LinkFailed
from controller.feed.commands import Commands
from controller.feed.discovery import announce, discovery
from controller.feed.leftovers import Leftovers
from controller.feed.link import Link, connected
from controller.feed.messages import OFFLINE, ONLINE, encoded
from controller.feed.outbox import Outbox, backlog
from controller.feed.present import Present
from controller.guard import Guard, Published
from controller.journal.journal import Journal
from controller.snapshot import About, Snapshots
from controller.threads import Supervised

log = logging.getLogger(__name__)

_IDLE_S = 1.0
_LEAVE_S = 1.0
"""How long the last messages may take when the program ends."""

_CONNECTED: tuple[Condition, ...] = ("up", "slow")

_LASTED_S = 10.0
"""A connection that lasted this long was a good one: the next try comes soon."""


class Feed:
    """Tells one broker about one room. `resolve`: where a file of the configuration is.

    `board`: its kind. Nothing here touches the scan: the guard's thread leaves its last word and
    rings a bell, and all else is this thread's.
    """

    def __init__(
        self,
        config: FeedConfig,
        resolve: Callable[[str], Path],
        guard: Guard,
        journal: Journal,
        about: About,
        board: str,
        limits: Limits | None = None,
    ) -> None:
        self._config = config
        self._resolve = resolve
        self._guard = guard
        self._journal = journal
        self._about = about
        self._board = board
        self._limits = limits or Limits()
        self._root = f"roomwarden/{about.site}/{about.id}"
        self._snapshots = Snapshots(guard.room, about, guard.clock)
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._latest: Published | None = None
        self._is_proven = False
        self._condition: Condition = "down"
        self._detail = ""
        self._older, self._took_s = False, 0.0
        self._told: dict[str, str | bool] = {}
        self._commands = Commands(
            config.clients, self._root, guard, journal, about.locale, self._limits, self.ring
        )
        self._thread = Supervised("feed", self._run, guard.thread_failed)
        guard.listen(self._hear)

    def start(self) -> None:
        self._latest = self._latest or self._guard.published
        self._thread.start()

    def close(self) -> None:
        """Say good-bye to the broker and end."""
        self._thread.stop.set()
        self.ring()
        self._thread.end(timeout_s=_LEAVE_S + 1.0)

    def state(self) -> dict[str, Any]:
        """The feed as `status` shows it. `detail`: why it is not up, in English."""
        return {
            "configured": True,
            "connected": self._condition in _CONNECTED,
            "backlog": backlog(self._journal),
            "condition": self._condition,
            "detail": self._detail or None,
        }

    def ring(self) -> None:
        """Something is new: look. From any thread; never blocks."""
        os.eventfd_write(self._bell, 1)

    def recorded(self, _seq: int) -> None:
        """The journal has made events durable."""
        self.ring()

    def _hear(self, published: Published) -> None:
        """On the scribe's thread, after each scan."""
        was, self._latest = self._latest, published
        now = published.decision.memory
        if (
            was is None
            or published.changed_points
            or now.outputs is not was.decision.memory.outputs
            or now.alarms is not was.decision.memory.alarms
        ):
            self.ring()

    def _run(self, stop: threading.Event) -> None:
        pause_s = first_s = self._limits.back_off_s[0]
        while not stop.is_set():
            password = self._password()
            if password is None and self._config.password_file is not None:
                self._say("off", "its secret file is missing")
                stop.wait(_IDLE_S)
                continue
            began_s = time.monotonic()
            try:
                self._session(password, stop)
                return
            except LinkFailed as failed:
                self._say(failed.condition, str(failed))
                soon = failed.soon
            except Exception:
                self._say("down", "the feed itself has failed")
                raise  # to the thread, which reports it and begins again
            if time.monotonic() - began_s > _LASTED_S:
                pause_s = first_s
            pause_s = min(pause_s, self._limits.back_off_s[1] if soon else self._limits.refused_s)
            self._pause(stop, pause_s, password)
            pause_s *= 2

    def _session(self, password: str | None, stop: threading.Event) -> None:
        """Be connected until the connection is lost or `stop` is set. Raises: LinkFailed."""
        availability = f"{self._root}/availability"
        will = (availability, OFFLINE)
        broker = self._broker(password)
        link = connected(
            broker, will, self._limits, self._bell, older=self._older, took_s=self._took_s
        )
        # A broker that lets us in and throws us out is down until it has taken something.
        self._is_proven = False
        try:
            self._say("up", "")
            self._older, self._took_s = link.is_older, link.took_s
            version = "3.1.1" if link.is_older else "5"
            log.info("the feed is connected to %s by MQTT %s", self._config.url, version)
            self._commands.listen(link)
            born = birth(self._guard.room, self._about, self._board)
            link.publish(f"{self._root}/birth", encoded(born), qos=1, retain=True)
            self._serve(link, availability, stop)
            self._leave(link, availability)
        finally:
            link.drop()
            self._commands.lost()

    def _serve(self, link: Link, availability: str, stop: threading.Event) -> None:
        """Send the present first, whole, and then what changes of it before what happened.

        `online` follows the present, so that who sees it finds nothing old beside it.
        """
        present = Present(self._guard.room, self._snapshots, self._guard.clock, self._root)
        outbox = Outbox(self._journal, f"{self._root}/event")
        wanted = self._config.discovery
        found = discovery(self._guard.room, self._about, self._root) if wanted else {}
        unsaid = iter(found.items())
        kept = self._journal.path.with_name(f"{self._journal.path.name}.retained")
        leftovers = Leftovers(kept, self._root, present.topics)
        online = False
        while not stop.is_set():
            published = self._latest
            current = (
                leftovers.clear(link)
                and announce(link, unsaid)
                and published is not None
                and present.send(link, published, self._journal.offset)
            )
            if current and not online and link.room_for(qos=1):
                link.publish(availability, ONLINE, qos=1, retain=True)
                online = True
            more = online and outbox.send(link)
            more = self._commands.send(link, outbox.sent_seq) or more
            answered = link.turn(self._bell, 0.0 if more else _IDLE_S)
            if online and answered and not self._is_proven:
                self._is_proven = True
                self._tell("feed.down", False)
            leftovers.arrived(answered)
            outbox.answered(answered)
            self._commands.arrived(answered)
            for received in link.received():
                self._commands.take(received, link)
            self._look_at(link)

    def _look_at(self, link: Link) -> None:
        """Say how a connection that stands is."""
        deaf = f"the broker lets us hear none of {', '.join(link.deaf_to)}" if link.deaf_to else ""
        late = link.late_s > self._limits.slow_s
        self._say("slow" if late else "up", "the broker answers late" if late else deaf)

    def _leave(self, link: Link, availability: str) -> None:
        """Say good-bye. Where there is no room for that in time, the broker sends the will."""
        end_s = time.monotonic() + _LEAVE_S
        while not link.room_for(qos=1):
            if time.monotonic() >= end_s:
                return
            link.turn(self._bell, end_s - time.monotonic())
        link.publish(availability, OFFLINE, qos=1, retain=True)
        while link.unanswered and time.monotonic() < end_s:
            link.turn(self._bell, end_s - time.monotonic())
        link.close()

    def _broker(self, password: str | None) -> Broker:
        url = urlsplit(self._config.url)
        tls = self._tls() if url.scheme == "mqtts" else None
        return Broker(
            url.hostname or "",
            url.port or (1883 if tls is None else 8883),
            # Ids have no underscore: two rooms cannot come out the same.
            f"roomwarden-{self._about.site}_{self._about.id}",
            self._config.username,
            password,
            tls,
            self._config.certificate,
        )

    def _tls(self) -> ssl.SSLContext:
        """Read the certificates anew, so that renewed ones need no restart."""
        config = self._config
        names = {
            name: str(self._resolve(name))
            for name in (config.ca, config.certificate, config.key)
            if name
        }

        def pass_phrase() -> str:
            # Without this OpenSSL asks at the terminal, and waits for ever.
            key = names.get(config.key or "")
            raise LinkFailed("certificate", f"{key}: has a pass phrase; it must have none")

        try:
            context = ssl.create_default_context(cafile=names.get(config.ca or ""))
            if config.certificate is not None:
                context.load_cert_chain(
                    names[config.certificate], names.get(config.key or ""), pass_phrase
                )
        except OSError as error:
            files = ", ".join(names.values())
            raise LinkFailed("certificate", f"{files}: {error.strerror or error}") from error
        return context

    def _password(self) -> str | None:
        """Read the secret, at each try; None where there is none or it cannot be read."""
        if self._config.password_file is None:
            return None
        path = self._resolve(self._config.password_file)
        try:
            password = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            self._tell("feed.secret-missing", str(path))
            return None
        self._tell("feed.secret-missing", False)
        return password

    def _pause(self, stop: threading.Event, pause_s: float, password: str | None) -> None:
        """Wait before the next try, but not once the password is another one."""
        end_s = time.monotonic() + pause_s
        while (left_s := end_s - time.monotonic()) > 0 and not stop.wait(min(left_s, _IDLE_S)):
            if self._password() != password:
                return

    def _say(self, condition: Condition, detail: str) -> None:
        if (condition, detail) == (self._condition, self._detail):
            return
        self._condition, self._detail = condition, detail
        if condition != "up" or detail:
            log.warning("the feed is %s: %s", condition, detail)
        if condition in _CONNECTED and not self._is_proven:
            return
        # A feed that is off has an alarm of its own: the missing secret.
        told = f"{condition}: {detail}" if detail else condition
        self._tell("feed.down", False if condition in (*_CONNECTED, "off") else told)

    def _tell(self, fault: str, told: str | bool) -> None:
        if self._told.get(fault) != told:
            self._guard.tell(fault, told)
            self._told[fault] = told
