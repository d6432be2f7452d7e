"""What becomes of a host's way down or up at a restart of the controller.

Nothing is replayed: the world is looked at again, and what is still to be done is decided anew.
"""

from __future__ import annotations

from controller.core.reason import why
from controller.core.rules.planstate import (
    HostSpec,
    HostState,
    Phase,
    replace,
)


def restored(spec: HostSpec, was: HostState, now_s: float, same_boot: bool) -> HostState:
    """What was under way is decided anew from what is seen; what was silent must be seen again.

    A stop is asked again, for asking twice does no harm, but only while something asks for it:
    else it is watched. A start by command is asked again, too; a start by an outlet is only waited
    for, for the outlet must not be taken from a host that boots. Whether an initialisation ran,
    nobody knows: it is not run again.
    """
    host = replace(was, silent_s={}, unknown_s={}, asked_s=None, signal=spec.signals, clear_s=None)
    if not same_boot:
        host = replace(
            host,
            since_s=now_s,
            told_s=None if host.told_s is None else now_s,
            first_s=None if host.first_s is None else now_s,
            cycle_s=None,
            # Whatever its outlet did meanwhile, the host may have had power.
            cutting=False,
            proved=False,
        )
        if was.cutting:
            return replace(host, phase=Phase.UNCONFIRMED, reason=why("plan.came-up"))
    if host.phase is Phase.STOPPING or (host.phase is Phase.QUEUED and not same_boot):
        # `first_s` tells that it may have been told already.
        first_s = host.first_s if host.first_s is not None else now_s
        return replace(host, phase=Phase.QUEUED, told_s=None, first_s=first_s)
    by_itself = host.reason == why("plan.found-up")
    if host.phase is Phase.STARTING and spec.starts != "outlet" and not by_itself:
        return replace(host, phase=Phase.WAITING, told_s=None, first_s=None)
    if host.phase is Phase.INITIALISING and (was.told_s is not None or was.asked_s is not None):
        return replace(host, phase=Phase.FAILED, reason=why("plan.initialise-unknown"))
    return host
