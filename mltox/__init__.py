"""mltox: how toxic the public conversation on a topic is.

The library behind the commands. It needs no Beam, no account and no network, and a name is loaded
when it is first used, so that `import mltox` costs nothing.

>>> from mltox import Scorer
>>> scores = Scorer(threads=1).score(["What a lovely day", "You are a worthless idiot"])
>>> [score.toxicity > 0.5 for score in scores]
[False, True]
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltox.base.errors import UserError
    from mltox.posts.authors import AuthorKeys
    from mltox.posts.envelope import Envelope, Reject
    from mltox.posts.reading.posts import read_posts
    from mltox.posts.records import Scores
    from mltox.posts.topics import Topic, TopicMatcher, load_topics
    from mltox.scoring import Scorer, load_bundle
    from mltox.scoring.scorer import Span
    from mltox.warehouse import open_warehouse, read_records

__all__ = [
    "AuthorKeys",
    "Envelope",
    "Reject",
    "Scorer",
    "Scores",
    "Span",
    "Topic",
    "TopicMatcher",
    "UserError",
    "__version__",
    "load_bundle",
    "load_topics",
    "open_warehouse",
    "read_posts",
    "read_records",
]

_ROOMS = {
    "AuthorKeys": "mltox.posts.authors",
    "Envelope": "mltox.posts.envelope",
    "Reject": "mltox.posts.envelope",
    "Scorer": "mltox.scoring",
    "Scores": "mltox.posts.records",
    "Span": "mltox.scoring.scorer",
    "Topic": "mltox.posts.topics",
    "TopicMatcher": "mltox.posts.topics",
    "UserError": "mltox.base.errors",
    "load_bundle": "mltox.scoring",
    "load_topics": "mltox.posts.topics",
    "open_warehouse": "mltox.warehouse",
    "read_posts": "mltox.posts.reading.posts",
    "read_records": "mltox.warehouse",
}

# ONNX Runtime's own builds report to their maker from 1.29 on: they look up his host and leave an
# id of the device in the home folder, unless this is set when the library is first loaded. Posts
# are other people's; who wants to report sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

try:
    __version__ = version("mltox")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "unknown"


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'mltox' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
