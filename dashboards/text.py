"""Text, numbers and small pictures as the page shows them. Escaping is the templates' part."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mltox.posts.records import SECOND, Micros

# What would hide, reorder or break text: controls but tab and newline, bidirectional
# overrides and isolates, lone surrogates (no UTF-8 file can hold one).
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

METRIC_NAMES = {
    "mean_toxicity": "Mean toxicity",
    "toxic_share": "Toxic share",
    "posts": "Posts",
}
LARGEST_MASE = 100.0
"""Above it the series hardly moved, and the quotient says nothing."""


def visible(text: str) -> str:
    """`text` with line feeds alone ending lines, and what hides or reorders text as U+FFFD."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def clipped(text: str, length: int) -> str:
    """At most `length` characters, the last an ellipsis where some were cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def utc(at: Micros, form: str = "%-d %b %Y, %H:%M") -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime(form)


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def score(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def count(value: int) -> str:
    return f"{value:,}"


def plural(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def measure(metric: str) -> str:
    return METRIC_NAMES.get(metric, metric)


def method(name: str) -> str:
    return name.replace("_", " ").capitalize()


def mase(value: float | None) -> str:
    """
    >>> mase(0.812), mase(4092677405.47)
    ('0.81', 'no measure')
    """
    return "no measure" if value is not None and value > LARGEST_MASE else score(value, 2)


FILTERS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each for each in (clipped, utc, share, score, count, measure, method, mase)
}
"""What templates call them by."""


class Sparkline(NamedTuple):
    """A path in a box of so many pixels."""

    path: str
    width: int
    height: int


def sparkline(
    values: Sequence[float | None], width: int = 96, height: int = 24
) -> Sparkline | None:
    """A small line of `values` from their least to their greatest; gaps stay gaps. None of fewer
    than two values."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return None
    low, span = min(known), (max(known) - min(known)) or 1.0
    step = (width - 4) / max(len(values) - 1, 1)
    path, pen = [], "M"
    for i, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = height - 3 - (value - low) / span * (height - 6)
        path.append(f"{pen}{2 + i * step:.1f} {y:.1f}")
        pen = "L"
    return Sparkline("".join(path), width, height)
