"""What tells whether a host is up, and whether it is ready: many probes, a few facts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from controller.core.partconfig import EVIDENCE_KINDS
from controller.core.parts import DeviceError
from drivers.hosts.address import scheme_of
from drivers.hosts.probes import Answer, Probe

log = logging.getLogger(__name__)

_AT_ONCE = 8


class Evidence:
    """The probes of one host, by their URLs. `look` is for one thread.

    `evidence` and `ready` name the probes that tell of either; `path` is the probe of a
    neighbour on the same way.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        evidence: Iterable[str],
        ready: Iterable[str],
        path: Probe | None,
    ) -> None:
        """Raises: ValueError, naming what is no evidence."""
        self._probes = probes
        self._kinds: dict[str, list[str]] = {}
        for url in evidence:
            if scheme_of(url) not in EVIDENCE_KINDS:
                raise ValueError(f"{url}: no evidence of a host's being up")
            self._kinds.setdefault(EVIDENCE_KINDS[scheme_of(url)], []).append(url)
        self._ready = list(ready)
        self._path = path
        self._faults: dict[str, str] = {}

    def look(self) -> dict[str, bool | None]:
        """Return what `controller.core.parts.Host.look` promises."""
        answers = self._ask_all()
        found = {
            kind: _any([_is_up(kind, answers[url]) for url in urls])
            for kind, urls in self._kinds.items()
        }
        if self._ready:
            found["ready"] = _all([_is_ready(answers[url]) for url in self._ready])
        if False in found.values() and not self._path_is_alive():
            # On a dead way silence proves nothing; what answered has answered all the same.
            return {fact: answer or None for fact, answer in found.items()}
        return found

    def _ask_all(self) -> dict[str, Answer | None]:
        """Ask every probe, side by side: the slowest must not add to the others' times."""
        if not self._probes:
            return {}
        with ThreadPoolExecutor(min(len(self._probes), _AT_ONCE)) as pool:
            return dict(zip(self._probes, pool.map(self._ask, self._probes), strict=True))

    def _ask(self, url: str) -> Answer | None:
        """Ask one probe; None when it could not be asked, which is logged once."""
        try:
            answer = self._probes[url]()
        except DeviceError as error:
            if self._faults.get(url) != str(error):
                log.warning("cannot tell: %s", error)
            self._faults[url] = str(error)
            return None
        if self._faults.pop(url, None) is not None:
            log.info("can tell again: %s", url)
        return answer

    def _path_is_alive(self) -> bool:
        if self._path is None:
            return True
        try:
            return self._path() is not Answer.SILENT
        except DeviceError:
            return False


def _is_up(kind: str, answer: Answer | None) -> bool | None:
    match answer:
        case Answer.ANSWERS:
            return True
        case Answer.REFUSES:
            return kind == "network"
        case Answer.SILENT:
            return False
    return None  # not asked, or our own kernel spoke, which is up whatever the host is


def _is_ready(answer: Answer | None) -> bool | None:
    return None if answer is None else answer in (Answer.ANSWERS, Answer.OURSELVES)


def _any(facts: Sequence[bool | None]) -> bool | None:
    """Whether one is so; those that are not known have no voice."""
    if True in facts:
        return True
    return False if False in facts else None


def _all(facts: Sequence[bool | None]) -> bool | None:
    """Whether all are so; unknown while it hangs on one that is not known."""
    if False in facts:
        return False
    return None if None in facts else True
