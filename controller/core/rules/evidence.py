"""Evidence that a host is down: kinds, not probes, and silence only as long as it must last."""

from __future__ import annotations

from controller.core.reading import Quality, Reading
from controller.core.rules.base import Seen
from controller.core.rules.planstate import HostSpec, HostState, replace

SILENT_S = {"network": 30.0, "client": 10.0, "management": 0.0, "outlet": 0.0}
"""How long each kind must say no. A network is silent for 30 s while a switch restarts (facts
6.3); a management controller that says off is believed at once."""

OLD_S = 60.0
"""A look older than this tells nothing: the looks come every five seconds."""

GAP_S = 10.0
"""So long a look may not be able to tell (a neighbour that misses a ping) without the silence
beginning anew; that time is not counted (guess: two looks)."""


def answers(spec: HostSpec, kind: str, seen: Seen) -> bool | None:
    """Whether this kind of evidence says up (True) or down (False); None when it cannot tell."""
    if kind == "outlet":
        return _outlet(spec, seen)
    reading: Reading = seen[f"{spec.id}.{kind}"]
    if not reading.is_good or seen.now_s > reading.at_s + OLD_S:
        return None
    return bool(reading.value)


def _outlet(spec: HostSpec, seen: Seen) -> bool | None:
    """An outlet that is seen without power proves that what hangs on it is down; one with
    power proves nothing, and what was commanded is no proof at all."""
    return False if spec.proof is not None and seen[spec.proof].is_false else None


def can_tell(spec: HostSpec, kind: str, seen: Seen) -> bool:
    """Whether this kind of evidence would show that the host is down."""
    if kind == "outlet":
        return spec.proof is not None and seen[spec.proof].is_good
    return answers(spec, kind, seen) is not None


def listened(spec: HostSpec, was: HostState, seen: Seen) -> HostState:
    """Follow since when each kind is silent."""
    silent_s: dict[str, float] = {}
    unknown_s: dict[str, float] = {}
    for kind in spec.kinds:
        told = answers(spec, kind, seen)
        if told is False:
            gap_s = seen.now_s - was.unknown_s.get(kind, seen.now_s)
            since_s = was.silent_s.get(kind, seen.now_s) + gap_s
            silent_s[kind] = since_s if gap_s <= GAP_S else seen.now_s
        elif told is None and kind in was.silent_s:
            silent_s[kind] = was.silent_s[kind]
            unknown_s[kind] = was.unknown_s.get(kind, seen.now_s)
    if (silent_s, unknown_s) == (was.silent_s, was.unknown_s):
        return was
    return replace(was, silent_s=silent_s, unknown_s=unknown_s)


def confirmed(spec: HostSpec, state: HostState, now_s: float) -> int:
    """Return how many kinds say that it is down; one that cannot tell now says nothing."""
    return sum(
        kind not in state.unknown_s and now_s >= since_s + SILENT_S[kind]
        for kind, since_s in state.silent_s.items()
    )


def is_down(spec: HostSpec, state: HostState, seen: Seen) -> bool:
    """Enough kinds say down, and none says up; or a person does."""
    if is_up(spec, seen):
        return False
    return state.by_hand or confirmed(spec, state, seen.now_s) >= spec.needs


def is_up(spec: HostSpec, seen: Seen) -> bool:
    return any(answers(spec, kind, seen) for kind in spec.kinds)


def reply(host: str, serial: int, seen: Seen) -> str | None:
    """What became of the command of this number: "ok", "failed: .." or None while it is under
    way."""
    told = seen[f"{host}.reply"].value
    number, _, rest = told.partition(" ") if isinstance(told, str) else ("", "", "")
    return rest if number == str(serial) else None


def fault(reply: str | None) -> str:
    """What a reply that failed says of why; "" for any other."""
    return "" if reply is None else reply.partition(": ")[2]


def settles_s(state: HostState, now_s: float) -> float:
    """When a silence now running will have lasted long enough."""
    due = [since_s + SILENT_S[kind] for kind, since_s in state.silent_s.items()]
    return min((at_s for at_s in due if at_s > now_s), default=float("inf"))


def ready_s(spec: HostSpec, seen: Seen) -> float | None:
    """When the last look found it ready; None where that look did not.

    Where nothing is listed that makes it ready, what tells that it is up must do: it would
    otherwise never count as started.
    """
    look = seen[f"{spec.id}.ready"]
    never = look.quality is Quality.MISSING
    looks = [seen[f"{spec.id}.{kind}"] for kind in spec.kinds] if never else [look]
    fresh = (one.at_s for one in looks if one.is_true and seen.now_s <= one.at_s + OLD_S)
    return max(fresh, default=None)
