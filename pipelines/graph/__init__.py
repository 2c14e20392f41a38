"""The graph from messages to the rows of the tables.

    messages ─ posts ─ scored ─ hours ─ verdicts
                 │        │       │        │
                 └────────┴─ rows ┴────────┘

One graph serves files, a stream and the small runs of a local live run; `modes` holds what differs.
"""

from pipelines.graph.build import build
from pipelines.graph.rows import Tables
from pipelines.graph.settings import Settings

__all__ = ["Settings", "Tables", "build"]
