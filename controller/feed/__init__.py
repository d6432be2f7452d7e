"""The feed: the room as the central system sees it, by MQTT (contract 3).

May import: core, config, texts, the rest of the controller; paho-mqtt, in `link.py` only.

Two kinds of news go two ways. What is so *now* (states and alarms) is compared with what was
last sent and sent at once, so that nothing queues and nothing is old. What *happened* (events)
comes from the journal, strictly by number, and is kept there until the broker has it; so a cut of
days costs no memory, and a restart loses nothing.

What clients ask comes the other way (`commands.py`), to the one gate and no further; nothing of it
waits on the scan's thread.
"""

from controller.feed.broker import Limits
from controller.feed.feed import Feed

__all__ = ["Feed", "Limits"]
