"""What happens, as it happens, for those who listen: the ledger as outbox, read once a process."""

from states.live.cursor import Cursor
from states.live.hub import Counting, End, Hub, Listener
from states.live.loops import following
from states.live.told import Kind, Told

__all__ = ["Counting", "Cursor", "End", "Hub", "Kind", "Listener", "Told", "following"]
