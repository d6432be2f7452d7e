"""Pollers: the only place where readings are made of what drivers give, on threads of their own.

Each part has a poller; a `Line` is the thread that asks those that share a wire. A host has two
threads, because what it is told may take a minute and it has to be watched meanwhile.
"""

from controller.pollers.base import Bring, Poller
from controller.pollers.contact import ContactPoller
from controller.pollers.host import HostPoller
from controller.pollers.line import Line
from controller.pollers.projector import ProjectorPoller
from controller.pollers.sensor import SensorPoller
from controller.pollers.ups import UpsPoller

__all__ = [
    "Bring",
    "ContactPoller",
    "HostPoller",
    "Line",
    "Poller",
    "ProjectorPoller",
    "SensorPoller",
    "UpsPoller",
]
