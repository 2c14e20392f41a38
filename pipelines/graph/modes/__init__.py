"""What differs between a bounded input, a stream, and a turn of a local live run."""

from pipelines.graph.modes.bounded import Bounded
from pipelines.graph.modes.mode import Mode
from pipelines.graph.modes.stream import Stream
from pipelines.graph.modes.turn import Turn

__all__ = ["Bounded", "Mode", "Stream", "Turn"]
