"""Text and data made safe to stand in the page. All that people wrote passes through here."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mltox.posts.records import SECOND, Micros

_JSON_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}

# What would hide, reorder or break text: controls but tab and newline, bidirectional
# overrides and isolates, lone surrogates (no UTF-8 file can hold one).
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """`text` with line feeds alone ending lines, and what hides or reorders text as U+FFFD."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def escaped(text: str) -> str:
    """`text` for an HTML text node or a quoted attribute."""
    return html.escape(visible(text), quote=True)


def clipped(text: str, length: int) -> str:
    """At most `length` characters, the last an ellipsis where some were cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def json_block(element_id: str, value: Any) -> str:
    """A data block that no content can end early: <, >, & and U+2028/9 are escaped.

    Raises ValueError on NaN and infinities, which JSON has no word for.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    safe = visible(text).translate(_JSON_ESCAPES)
    return f'<script type="application/json" id="{escaped(element_id)}">{safe}</script>'


def utc(at: Micros, form: str = "%-d %b %Y, %H:%M") -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime(form)


def time_tag(at: Micros, form: str = "%-d %b %Y, %H:%M") -> str:
    return f'<time datetime="{utc(at, "%Y-%m-%dT%H:%MZ")}">{utc(at, form)}</time>'


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def score(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
    css: str = "",
    attributes: Sequence[str] = (),
) -> str:
    """An HTML table in a box that scrolls by keyboard. The cells are markup already.

    The first cell of a row is its heading; each cell repeats its column's name for the stacked
    layout of small screens. `numeric` are the columns to align right, `attributes` markup for
    each row's tag.
    """

    def kind(i: int) -> str:
        return ' class="n"' if i in numeric else ""

    heads = "".join(f'<th scope="col"{kind(i)}>{name}</th>' for i, name in enumerate(head))
    body = "".join(
        f"<tr{more}>"
        + "".join(
            f'<th scope="row">{cell}</th>'
            if i == 0
            else f'<td data-label="{head[i]}"{kind(i)}><div>{cell}</div></td>'
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row, more in zip(rows, attributes or [""] * len(rows), strict=True)
    )
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">'
        f'<table class="{css}"><caption class="sr">{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def sparkline(values: Sequence[float | None], label: str, width: int = 96, height: int = 24) -> str:
    """A small line of `values` from their least to their greatest; gaps stay gaps."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return "–"
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
    return (
        f'<svg class="spark" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><path d="{"".join(path)}"/></svg>'
    )
