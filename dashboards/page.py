"""The self-contained HTML page over the warehouse's views.

Script blocks are allowed by their hash and everything from a network is forbidden by the page's
Content-Security-Policy, so that a post could neither run a script nor call home even if it got
past the escaping. plotly.js comes from the plotly package when the page is written.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, NamedTuple, TypeVar

from dashboards import payload, queries, sections
from dashboards.episodes import Episode, episodes
from dashboards.errors import DashboardError
from dashboards.markup import escaped, json_block
from dashboards.planted import read_planted
from dashboards.queries import Warehouse
from dashboards.summary import now
from mltox.posts.records import Micros

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("base", "charts", "hourly", "daily", "week", "episodes", "main")
LIVE_SCRIPTS = (*SCRIPTS, "live")

T = TypeVar("T")


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
    warehouse: Warehouse, out: Path, *, sample: bool, incidents: Path | None = None
) -> Path:
    """Write the page and return its path. The same warehouse gives the same bytes.

    `sample` puts the 'sample data' banner on it; `incidents` is the side file of the sample, and
    adds which of the planted incidents were found. Raises DashboardError where plotly is missing,
    `out` cannot be written, or `incidents` is not such a file.
    """
    html = render(warehouse, sample=sample, incidents=incidents)
    partial = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(html, encoding="utf-8", newline="\n")
        partial.replace(out)
    except OSError as error:
        raise DashboardError(f"cannot write {out}: {error.strerror}") from error
    return out


def render(warehouse: Warehouse, *, sample: bool, incidents: Path | None = None) -> str:
    """The page as it is written to a file: it asks for nothing."""
    content = _content(warehouse, sample=sample, incidents=incidents)
    scripts = [_plotly(), _own_script(SCRIPTS)]
    return _whole(content, live="", policy=_policy(scripts), scripts=scripts)


def render_live(warehouse: Warehouse, at: Micros, *, sample: bool) -> LivePage:
    """The page as it is served, made at `at`. Raises DashboardError, WarehouseError."""
    content = _content(warehouse, sample=sample)
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
    tags = "\n".join(f"<script>{script}</script>" for script in scripts)
    return _fill("page.html", **content, live=live, policy=policy, scripts=tags)


def _content(
    warehouse: Warehouse, *, sample: bool, incidents: Path | None = None
) -> dict[str, str]:
    """What the page says, by the name of its place in page.html."""
    totals = queries.topic_totals(warehouse)
    models = queries.models(warehouse)
    letters = queries.dead_letters(warehouse)
    hours = _by_topic(queries.hours(warehouse))
    days = _by_topic(queries.days(warehouse))
    found = _by_topic(episodes(queries.anomalies(warehouse)))
    planted = read_planted(incidents) if incidents else []
    states = [now(hours[total.topic], total.last_hour) for total in totals]

    return {
        "title": escaped(sections.title(totals)),
        "style": _asset("style.css"),
        "meta": sections.meta(totals, models),
        "banner": sections.banner() if sample else "",
        "tiles": sections.tiles(totals, sum(map(len, found.values())), letters),
        "overview": sections.overview(totals, states, days, found),
        "detail": _fill(
            "detail.html",
            options=sections.options(totals),
            accuracy=sections.accuracy(totals, queries.accuracies(warehouse)),
        )
        if totals
        else "",
        "planted": sections.planted(planted, found) if planted else "",
        "letters": sections.letters(letters),
        "footer": sections.footer(),
        "data": "\n".join(_data(warehouse, totals, hours, days, found)),
    }


def _data(
    warehouse: Warehouse,
    totals: list[queries.TopicTotals],
    hours: dict[str, list[queries.Hour]],
    days: dict[str, list[queries.Day]],
    found: dict[str, list[Episode]],
) -> Iterable[str]:
    labels = _by_topic(queries.label_days(warehouse))
    week = _by_topic(queries.hours_of_week(warehouse))
    forecasts = _by_topic(queries.forecasts(warehouse))
    examples = _by_topic(queries.examples(warehouse))
    yield json_block("page-data", payload.page([t.topic for t in totals], days))
    for i, total in enumerate(totals):
        of = total.topic
        data = payload.TopicData(
            of, hours[of], days[of], labels[of], week[of], forecasts[of], found[of], examples[of]
        )
        yield json_block(f"topic-{i}", payload.topic(data))


def _by_topic(rows: Iterable[T]) -> defaultdict[str, list[T]]:
    out: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        out[row.topic].append(row)  # type: ignore[attr-defined]
    return out


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _fill(name: str, **parts: Any) -> str:
    return Template(_asset(name)).substitute(parts)


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
