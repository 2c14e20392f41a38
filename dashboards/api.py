"""What a served page asks for beside itself: a topic's data, the posts of a span, a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dashboards.errors import DashboardError
from dashboards.opened import Json, found_json, opened_json
from dashboards.queries import PageWarehouse
from dashboards.view import Told, of_one_topic
from mltox.evidence.stored import open_span, search
from mltox.posts.records import Micros

LONGEST_WORDS = 200

Parameters = Mapping[str, str]
ApiCall = Callable[[PageWarehouse, Parameters, Told, Micros], Json]


class NotFound(DashboardError):
    """What was asked for is not there."""


class BadRequest(DashboardError):
    """What was asked for makes no sense."""


def topic_answer(warehouse: PageWarehouse, asked: Parameters, told: Told, now: Micros) -> Json:
    found = of_one_topic(warehouse, told, _text(asked, "name"), now)
    if found is None:
        raise NotFound("there is no such topic")
    return found


def span(warehouse: PageWarehouse, asked: Parameters, told: Told, now: Micros) -> Json:
    start, end = _moment(asked, "from"), _moment(asked, "to")
    if end <= start:
        raise BadRequest("the span ends before it begins")
    return opened_json(open_span(warehouse, _text(asked, "topic"), start, end, told.keywords))


def texts(warehouse: PageWarehouse, asked: Parameters, told: Told, now: Micros) -> Json:
    words = _text(asked, "q").strip()
    if not 0 < len(words) <= LONGEST_WORDS:
        raise BadRequest(f"give 1 to {LONGEST_WORDS} characters to search for")
    within = [_moment(asked, name) for name in ("from", "to") if name in asked]
    return found_json(search(warehouse, words, _text(asked, "topic"), *within))


ANSWERS: Mapping[str, ApiCall] = {"/topic": topic_answer, "/span": span, "/search": texts}
"""By path. Each raises DashboardError or WarehouseError."""


def _text(asked: Parameters, name: str) -> str:
    try:
        return asked[name]
    except KeyError:
        raise BadRequest(f"{name} is missing") from None


def _moment(asked: Parameters, name: str) -> Micros:
    """Milliseconds since 1970, as the page's script has them; at most the year 9999."""
    text = _text(asked, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadRequest(f"{name} is no time in milliseconds")
    return min(int(text), 253_402_300_799_000) * 1000
