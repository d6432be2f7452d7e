"""Events sent again from the journal, for a consumer that has found a gap."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any

from controller.core.reason import Reason, why
from controller.feed.link import Link
from controller.feed.messages import JournalEvent, encoded
from controller.journal.chain import DROPPED
from controller.journal.journal import Journal

MOST = 10_000
_READ_AT_ONCE = 200
_SENT_AT_ONCE = 10
_SPARE = 0.5
"""The part of the window that stays free: what is new goes first."""

_LONGEST_NUMBER = 15

Told = Callable[[Reason, bool], None]
"""Is told the outcome of a resend: what happened, and whether it is all that was asked."""


def asked_range(args: Mapping[str, str]) -> range | Reason:
    """Return the events that `from` and `to` mean, or what is wrong with these."""
    bounds = []
    for name in ("from", "to"):
        text = args.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
            return why("refused.bad-argument", argument=name, allowed="the number of an event")
        bounds.append(int(text))
    first, last = bounds
    if first < 1:
        return why("refused.bad-argument", argument="from", allowed="1 or more")
    if not first <= last < first + MOST:
        return why(
            "refused.bad-argument", argument="to", allowed=f"from, and {MOST} events at most"
        )
    return range(first, last + 1)


class _Job:
    """One range for one client."""

    def __init__(self, wanted: range, told: Told) -> None:
        self.wanted = wanted
        self.told = told
        self.next = wanted.start
        self.sent = 0
        self.begins_late = False
        self.is_read = False
        self.is_damaged = False
        self.waiting: deque[dict[str, Any]] = deque()
        self.under_way: set[int] = set()


class Resend:
    """Sends ranges of events again, one after the other, a few at a time between what is new."""

    def __init__(self, journal: Journal, topic: str) -> None:
        self._journal = journal
        self._topic = topic
        self._jobs: dict[str, _Job] = {}

    def begin(self, client: str, wanted: range, told: Told) -> None:
        """Send `wanted` again; for each client one range, then the next."""
        assert client not in self._jobs
        self._jobs[client] = _Job(wanted, told)

    def send(self, link: Link, sent_seq: int) -> bool:
        """Send what the link takes; True when there may be more at once.

        `sent_seq`: the last event that was sent as a new one. What comes after it waits for
        that: nothing is sent again before it was sent.
        """
        client, job = next(iter(self._jobs.items()), ("", None))
        if job is None:
            return False
        for _ in range(_SENT_AT_ONCE):
            if not link.room_for(qos=1, spare=_SPARE):
                return False
            if not job.waiting and self._is_early(job, sent_seq):
                return False
            if not job.waiting and not self._fetch(job, sent_seq):
                return self._ended(client, job)
            if not job.waiting:
                continue
            event = job.waiting.popleft()
            payload = encoded(JournalEvent(**event))
            job.under_way.add(link.publish(self._topic, payload, qos=1, retain=False))
            job.sent += 1
        return True

    def answered(self, messages: Iterable[int]) -> None:
        for job in self._jobs.values():
            job.under_way.difference_update(messages)

    def lost(self) -> None:
        """The connection is over: what was under way may not have arrived."""
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.told(why("resend.cut-off"), False)

    def _is_early(self, job: _Job, sent_seq: int) -> bool:
        """Whether the next event is there and not sent yet, and will be."""
        if job.is_read or job.next >= job.wanted.stop or self._journal.use_fault is not None:
            return False
        return sent_seq < job.next <= self._last_seq

    @property
    def _last_seq(self) -> int:
        return self._journal.recorded_seq + self._journal.offset

    def _fetch(self, job: _Job, sent_seq: int) -> bool:
        if job.is_read or job.next >= job.wanted.stop:
            return False
        first = job.next == job.wanted.start
        last = min(job.wanted.stop - 1, sent_seq)
        found = self._journal.find(job.next, last, _READ_AT_ONCE)
        page = found.events
        if first and page and page[0]["seq"] > job.next:
            # A mark stands for the events that were lost, and is the last of their numbers.
            mark = page[0]["cause"] == DROPPED and _marked_from(page[0]) <= job.next
            job.begins_late = not mark
        if found.last is None:
            job.is_read = True
            return False
        job.is_damaged = job.is_damaged or bool(found.unreadable)
        job.next = found.last + 1
        job.waiting.extend(page)
        return True

    def _ended(self, client: str, job: _Job) -> bool:
        """Tell the outcome once everything has arrived; True when another range may follow."""
        if job.under_way:
            return False
        del self._jobs[client]
        is_whole = not (job.begins_late or job.is_damaged) and job.next == job.wanted.stop
        if is_whole:
            job.told(why("resend.done", count=job.sent), True)
        elif job.is_damaged or self._journal.use_fault is not None:
            job.told(why("resend.unreadable", count=job.sent), False)
        else:
            job.told(self._missing(job), False)
        return True

    def _missing(self, job: _Job) -> Reason:
        """Name what is not there: let go at the beginning, or not there yet at the end."""
        first = self._journal.first_seq
        ended = job.is_read and job.sent
        last = job.next - 1 if ended else self._last_seq
        return why("resend.not-kept", first=first, last=last, count=job.sent)


def _marked_from(event: Mapping[str, Any]) -> float:
    first = event["data"].get("from")
    return first if isinstance(first, int) else inf
