"""Live streams, from the change that a service tells to the last message that a client reads.

A service has one :class:`Hub` for each kind of stream; the edge runs every stream under its :class:`Guard`.
"""

from mesh.live.guard import RECHECK_S, Guard, View
from mesh.live.hub import End, Hub, Stream, Told

__all__ = ["RECHECK_S", "End", "Guard", "Hub", "Stream", "Told", "View"]
