"""The feed: the room as the central system sees it, by MQTT (contract 3).

May import: core, config, texts, the rest of the controller; paho-mqtt, in `link.py` only.

Two kinds of news go two ways. What is so *now* (states and alarms) is compared with what was
last sent and sent at once, so that nothing queues and nothing is old. What *happened* (events)
comes from the journal, strictly by number, and is kept there until the broker has it; so a cut of
days costs no memory, and a restart loses nothing.
"""

from controller.feed.feed import Feed
from controller.feed.link import Limits

__all__ = ["Feed", "Limits"]
