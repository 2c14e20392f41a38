"""The parts of the page that need no script: header, tiles, tables, footer. Each works out its
figures and leaves their markup to its template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dashboards import past
from dashboards.clock import PageClock
from dashboards.incidents import IncidentRun
from dashboards.planted import Planted, match
from dashboards.queries import Day, Letters, ModelUse, TopicTotals
from dashboards.rendering import fill
from dashboards.summary import LEAST_DAY_POSTS, USUAL_DAYS, Now
from dashboards.text import clipped, plural, score, share, sparkline
from mltox.posts.records import HOUR, Micros

if TYPE_CHECKING:
    from dashboards.view import View

TREND_DAYS = 28
OVERVIEW_ROWS = 50
"""Of the overview, without a script; with one, a page of it."""
OPTIONS = 300


def title(totals: Sequence[TopicTotals]) -> str:
    names = [clipped(total.topic, 40) for total in totals]
    if not names:
        return "Toxicity of topics"
    if len(names) > 4:
        return f"Toxicity of {len(names)} topics"
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"Toxicity of {listed}"


def meta(totals: Sequence[TopicTotals], models: Sequence[ModelUse], clock: PageClock) -> str:
    return fill(
        "meta.html",
        first=min((total.first_hour for total in totals), default=None),
        end=max((total.last_hour for total in totals), default=0) + HOUR,
        clock=clock,
        models=models,
        written=max((use.updated_at for use in models), default=None),
    )


def live(at: Micros, version: str) -> str:
    """When a served page was made. The page's script keeps the line up to date."""
    return fill("live.html", at=at, version=version)


def banner() -> str:
    return fill("banner.html")


def tiles(view: View) -> str:
    totals, letters = view.totals, view.letters
    posts = sum(t.posts for t in totals)
    unscored = sum(t.posts_unscored for t in totals)
    scored = posts - unscored
    toxic = sum((t.toxic_share or 0.0) * (t.posts - t.posts_unscored) for t in totals)
    mean = sum((t.mean_toxicity or 0.0) * (t.posts - t.posts_unscored) for t in totals)
    lost = sum(row.letters for row in letters)
    shown = [
        (
            "Posts",
            f"{posts:,}",
            f"{unscored:,} in other languages" if unscored else "in all languages",
        ),
        (
            "Topics",
            f"{len(totals):,}",
            "a post may be in several" if len(totals) > 1 else "watched",
        ),
        (
            "Toxic share",
            share(toxic / scored if scored else None),
            f"{round(toxic):,} of {scored:,} scored posts",
        ),
        (
            "Mean toxicity",
            score(mean / scored if scored else None),
            f"from 0 to 1, over {scored:,} posts",
        ),
        ("Incidents", f"{sum(map(len, view.incidents.values())):,}", hours_judged(view)),
        (
            "Not usable",
            f"{lost:,}",
            plural(len(letters), "reason", "reasons") if letters else "posts or messages",
        ),
    ]
    fields = ("name", "value", "hint")
    return fill("tiles.html", tiles=[dict(zip(fields, tile, strict=True)) for tile in shown])


def hours_judged(view: View) -> str:
    """How many hours anybody looked at: without it a count of incidents is no all-clear."""
    found = [view.judged(view.totals[i].topic) for i in view.in_page]
    hours = sum(count for each in found for _, count in each.runs)
    known = sum(each.known for each in found)
    return f"in {known:,} of {hours:,} hours that could be judged" if hours else "no hours yet"


VERDICTS = {"above usual": ("up", "▲ "), "below usual": ("down", "▼ ")}


def _beside(now: Now) -> list[str]:
    """What a share never stands without: its posts, and what is usual where it is a figure."""
    if now.share is None:
        return []
    of = f"of {plural(now.scored, 'post', 'posts')}"
    if now.scored < LEAST_DAY_POSTS or now.usual is None:
        return [of]
    return [of, f"usual {share(now.usual)} ({share(now.low)} to {share(now.high)})"]


def first_rows(totals: Sequence[TopicTotals]) -> list[int]:
    """Places of the topics that stand on the first page: all by name, or the busiest of many."""
    places = list(range(len(totals)))
    if len(places) > OVERVIEW_ROWS:
        places.sort(key=lambda i: (-totals[i].posts, i))
    return places[:OVERVIEW_ROWS]


def overview(view: View) -> str:
    """A row a topic. `data-topic` is its place in the page's data."""
    places = first_rows(view.totals)
    rows = [_overview_row(view, i) for i in places]
    return fill("overview.html", rows=rows, rest=len(view.totals) - len(places))


def _overview_row(view: View, i: int) -> dict[str, Any]:
    total, now = view.totals[i], view.states[i]
    own = view.incidents.get(total.topic, ())
    trend = _trend(view.days.get(total.topic, ()), view.clock.now)
    css, arrow = VERDICTS.get(now.verdict, ("silent" if now.silent else "plain", ""))
    scored = total.posts - total.posts_unscored
    return {
        "place": i,
        "total": total,
        "now": now,
        "address": quote(total.topic, safe=""),
        "scored": scored,
        "few": scored < LEAST_DAY_POSTS,
        "few_now": now.share is not None and now.scored < LEAST_DAY_POSTS,
        "beside": _beside(now),
        "css": css,
        "arrow": arrow,
        "incidents": len(own),
        "ongoing": sum(incident.ongoing(view.clock.now) for incident in own),
        "trend": sparkline(trend),
        "trend_days": len(trend),
    }


def _trend(days: Sequence[Day], clock: Micros) -> list[float | None]:
    """Up to the page's now, so that a topic that has ended is seen to have."""
    if not days:
        return []
    last = (clock - 1) // (24 * HOUR)
    shares = {d.day: d.toxic_share for d in days}
    first = max(days[0].day, last - TREND_DAYS + 1)
    return [shares.get(day) for day in range(first, last + 1)]


def options(totals: Sequence[TopicTotals], in_page: Sequence[int]) -> str:
    """Those in the page where there are many; the overview leads to the others."""
    places = range(len(totals)) if len(totals) <= OPTIONS else in_page
    return fill("options.html", options=[(i, totals[i].topic) for i in places])


PLAIN_METHODS = ("flat_quantiles", "seasonal_naive")


def accuracy(view: View) -> str:
    """A row a topic and metric: the method chosen, its rivals. `data-of` is the topic's place."""
    place = {total.topic: i for i, total in enumerate(view.totals)}
    rows = []
    for (topic, _), group in groupby(view.accuracies, key=lambda row: (row.topic, row.metric)):
        ranked = list(group)
        best = next((row for row in ranked if row.chosen), ranked[0])
        others = [row for row in ranked if row is not best]
        named = [row for i, row in enumerate(others) if i == 0 or row.method in PLAIN_METHODS]
        rows.append({"place": place.get(topic, -1), "best": best, "rivals": named})
    horizon = max((row.horizon_hours for row in view.accuracies), default=0)
    return fill("accuracy.html", rows=rows, horizon=horizon)


def past_forecasts(view: View) -> str:
    """What was said beside what came, of the newest runs whose hours have come."""
    places = {total.topic: i for i, total in enumerate(view.totals)}
    return past.section(view.past_runs, view.past_hours, places)


def planted(incidents: Sequence[Planted], found: Mapping[str, Sequence[IncidentRun]]) -> str:
    rows = [(incident, match(incident, found.get(incident.topic, ()))) for incident in incidents]
    hits = sum(seen is not None for _, seen in rows)
    return fill("planted.html", rows=rows, hits=hits)


def letters(rows: Sequence[Letters]) -> str:
    return fill("letters.html", rows=rows)


def footer() -> str:
    return fill("footer.html", least_scored=LEAST_DAY_POSTS, usual_days=USUAL_DAYS)


def data(blocks: Iterable[tuple[str, Any]]) -> str:
    """Data blocks by their ids. Raises ValueError for what JSON has no word for."""
    return fill("data.html", blocks=blocks)
