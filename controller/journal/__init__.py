"""The journal: one SQLite file that keeps events (hash-chained), memory and readings.

One event goes this way: `Journal.record` puts it on a queue (journal.py), the writer thread
takes it (writer.py) into the backlog (backlog.py), which chains it (chain.py), and the store
(store.py) commits it. Readings are thinned and rolled up on the same thread (thinning.py).
What others read goes through a connection that cannot write (readonly.py); verify.py and
capture.py check what was kept here and what arrived elsewhere.
It may import the core, the shell's clock and sqlite-utils.
"""

from controller.journal.codec import PointStore, Stored
from controller.journal.journal import Journal
from controller.journal.store import Kept, KeptMemory
from controller.journal.verify import verify_chain
from controller.journal.writer import Unsent

__all__ = ["Journal", "Kept", "KeptMemory", "PointStore", "Stored", "Unsent", "verify_chain"]
