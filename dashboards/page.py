"""The self-contained HTML page over the warehouse's views.

Script blocks are allowed by their hash and everything from a network is forbidden by the page's
Content-Security-Policy, so that a post could neither run a script nor call home even if it got
past the escaping. plotly.js comes from the plotly package when the page is written.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dashboards import sections
from dashboards.errors import DashboardError
from dashboards.queries import PageWarehouse
from dashboards.rendering import fill, markup
from dashboards.view import Told, View, gather
from mltox.posts.records import Micros

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "base", "zone", "charts", "download", "steps", "hourly", "daily", "week", "posts", "incidents",
    "explore", "topics", "address", "main",
)  # fmt: skip
LIVE_SCRIPTS = (*SCRIPTS, "live")


class LivePage(NamedTuple):
    """A page that asks its server for newer ones.

    `html` is the whole of it, `parts` the same without scripts, for a page that is open already.
    `policy` is its Content-Security-Policy. `version` is another when anything but the time of
    making differs.
    """

    html: str
    parts: str
    policy: str
    version: str


def write_page(
    warehouse: PageWarehouse, out: Path, *, sample: bool, incidents: Path | None = None, **more: Any
) -> Path:
    """Write the page and return its path. The same warehouse gives the same bytes.

    `more` are further fields of `Told`. Raises DashboardError where plotly is missing, `out` cannot
    be written, or a side file is not one.
    """
    html = render(warehouse, sample=sample, incidents=incidents, **more)
    partial = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(html, encoding="utf-8", newline="\n")
        partial.replace(out)
    except OSError as error:
        raise DashboardError(f"cannot write {out}: {error.strerror}") from error
    return out


def render(
    warehouse: PageWarehouse, *, sample: bool, incidents: Path | None = None, **more: Any
) -> str:
    """The page as it is written to a file: it asks for nothing."""
    told = Told(sample=sample, incidents=incidents, **more)
    content = contents(warehouse, told)
    scripts = [_plotly(), _own_script(SCRIPTS)]
    return _whole(content, live="", policy=_policy(scripts), scripts=scripts)


def render_live(warehouse: PageWarehouse, at: Micros, *, sample: bool, **more: Any) -> LivePage:
    """The page as it is served, made at `at`. Raises DashboardError, WarehouseError."""
    content = contents(warehouse, Told(sample=sample, **more), at)
    scripts = [_plotly(), _own_script(LIVE_SCRIPTS)]
    policy = f"{_policy(scripts)}; connect-src 'self'"
    joined = "\0".join([policy, *content.values()])
    version = hashlib.sha256(joined.encode()).hexdigest()[:16]
    live = sections.live(at, version)
    return LivePage(
        html=_whole(content, live=live, policy=policy, scripts=scripts),
        parts=_whole(content, live=live, policy=policy, scripts=[]),
        policy=policy,
        version=version,
    )


def _whole(content: dict[str, str], *, live: str, policy: str, scripts: Iterable[str]) -> str:
    tags = markup("\n".join(f"<script>{script}</script>" for script in scripts))
    return fill("page.html", **content, live=live, policy=markup(policy), scripts=tags)


def contents(warehouse: PageWarehouse, told: Told, live_at: Micros | None = None) -> dict[str, str]:
    """What the page says, by the name of its place in page.html."""
    view = gather(warehouse, told, live_at)
    return {
        "title": sections.title(view.totals),
        "style": markup(_asset("style.css")),
        "meta": sections.meta(view.totals, view.models, view.clock),
        "banner": sections.banner() if told.sample else "",
        "tiles": sections.tiles(view),
        "overview": sections.overview(view),
        "detail": fill(
            "detail.html",
            options=sections.options(view.totals, view.in_page),
            accuracy=sections.accuracy(view) + sections.past_forecasts(view),
        )
        if view.totals
        else "",
        "planted": sections.planted(view.planted, view.incidents) if view.planted else "",
        "letters": sections.letters(view.letters),
        "footer": sections.footer(),
        "data": sections.data(_data(view, live=live_at is not None)),
    }


def _data(view: View, *, live: bool) -> Iterator[tuple[str, Any]]:
    yield "page-data", view.page_json(live=live)
    for i, block in view.blocks():
        yield f"topic-{i}", block
    if not live:
        for i, opened in view.opened():
            yield f"opened-{i}", opened


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise DashboardError("the page needs plotly: pip install 'mltox[dashboard]'") from error
    script: str = get_plotlyjs()
    return script


@cache
def _own_script(names: tuple[str, ...]) -> str:
    parts = "".join(_asset(f"{name}.js") for name in names)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _policy(scripts: Iterable[str]) -> str:
    """A Content-Security-Policy: these scripts and no other, and nothing from a network."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
