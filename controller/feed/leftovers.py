"""What an earlier room file left with the broker: retained, of what the room has no more.

A broker keeps it for ever, and would show a part that was taken out as it last was. The room may
read nothing there but commands, so the topics on which it retains something stand in a file of
their own beside the journal. Without that file nothing is taken back; nor are announcements to
Home Assistant, whose topics another room may share.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from controller.feed.link import Link

log = logging.getLogger(__name__)

_MOST_BYTES = 1_000_000
_NAME = re.compile(r"[a-z0-9.-]{1,200}")


class _Kept(msgspec.Struct, frozen=True):
    topics: tuple[str, ...]


class Leftovers:
    """Takes back, by one connection, what stands in `file` and is none of `topics`.

    `root`: of the room's own topics.
    """

    def __init__(self, file: Path, root: str, topics: Iterable[str]) -> None:
        self._file = file
        self._root = root
        self._topics = set(topics)
        self._known = self._read()
        left = self._known - self._topics
        self._left = sorted(left)
        self._under_way: set[int] = set()
        self._write(self._topics | left)  # before the broker has any of them

    def clear(self, link: Link) -> bool:
        """Send what is left to clear; False when the link could not take all of it now."""
        while self._left:
            if not link.room_for(qos=1):
                return False
            topic = self._left.pop()
            number = link.publish(topic, b"", qos=1, retain=True, dispensable=True)
            self._under_way.add(number)
        return True

    def arrived(self, messages: Iterable[int]) -> None:
        """The broker has these; once it has all, there is nothing left over."""
        if self._under_way:
            self._under_way.difference_update(messages)
            if not (self._under_way or self._left):
                self._write(self._topics)

    def _read(self) -> set[str]:
        try:
            with self._file.open("rb") as file:
                data = file.read(_MOST_BYTES)
            kept = msgspec.json.decode(data, type=_Kept)
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s: %s; nothing is taken back from the broker", self._file, error)
            return set()
        return {topic for topic in kept.topics if self._is_own(topic)}

    def _is_own(self, topic: str) -> bool:
        """Whether this can be a topic of ours: a file may be damaged, or another room's."""
        branch, _, name = topic.removeprefix(f"{self._root}/").partition("/")
        own = topic.startswith(f"{self._root}/") and branch in ("state", "alarm")
        return own and _NAME.fullmatch(name) is not None

    def _write(self, topics: set[str]) -> None:
        if topics == self._known:
            return
        kept = msgspec.json.encode(_Kept(tuple(sorted(topics))))
        draft = self._file.with_name(f"{self._file.name}.new")
        try:
            draft.write_bytes(kept)
            draft.replace(self._file)
        except OSError as error:
            log.warning("%s: %s", self._file, error.strerror or error)
            return
        self._known = topics
