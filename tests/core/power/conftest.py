"""Rooms with a UPS, hosts and a plan."""

from __future__ import annotations

import pytest

from tests.core.power.judged import GUARDED, NO_CONTACT
from tests.core.power.outages import BY_TIME, WITH_OUTLETS
from tests.core.power.returns import TABLES, down
from tests.core.powerrooms import host, room, stage


@pytest.fixture
def timed(rigged):
    """Stage 1 after a minute, stage 2 after five."""
    return rigged(BY_TIME)


@pytest.fixture
def keeping(rigged):
    """An unconfirmed host keeps its outlet."""
    return rigged(
        room(
            *WITH_OUTLETS,
            host("standby", 1, outlet="standby-outlet"),
            host("office", 2, outlet="office-outlet"),
            stages=(stage(1, after="30s"), stage(2, after="2min")),
        )
    )


@pytest.fixture
def cutting(rigged):
    """The standby server's outlet is cut when nothing confirms in time that it is down."""
    return rigged(
        room(
            *WITH_OUTLETS,
            host("standby", 1, outlet="standby-outlet", unconfirmed="cut"),
            host("office", 2, outlet="office-outlet"),
            stages=(stage(1, after="30s"), stage(2, after="2min")),
        )
    )


@pytest.fixture
def fallen(rigged):
    """A room whose hosts were all stopped by an outage that goes on."""
    return lambda tables=TABLES, **keys: down(rigged(tables), **keys)


@pytest.fixture
def guarded(rigged):
    return rigged(GUARDED)


@pytest.fixture
def alone(rigged):
    """The same room without a mains contact."""
    return rigged(NO_CONTACT)
