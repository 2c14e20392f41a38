"""What the page says, in a real browser: of a collection of an event that lasted 60 hours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.page import write_page
from mltox.posts.records import HOUR, SECOND, HourlyToxicity, JudgedSpan, Micros, ScoredPost
from mltox.warehouse import open_warehouse
from tests.integration.browser import CHROMIUM, Browser, chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

START: Micros = 1_451_865_600 * SECOND  # Monday 4 January 2016, 00:00 UTC
LOUD, QUIET, LAST = 30, 40, 59
"""Hours from the start: of 25 posts, of one post that is toxic, the last one."""


def counts(at: int) -> tuple[int, int]:
    """Posts and toxic ones."""
    return {LOUD: (25, 10), QUIET: (1, 1)}.get(at, (12, 1))


def post(at: int, number: int, toxic: bool) -> ScoredPost:
    stamp = START + at * HOUR + number * 60 * SECOND
    text = (
        f"the dam broke, {chr(97 + number)}{chr(97 + number)} ran" if at == LOUD else f"calm {at}"
    )
    return ScoredPost(
        "dam", f"x:{at * 100 + number}", "x", f"a{number}", text, f"{at:04x}{number:04x}", "en",
        stamp, stamp, stamp, "m@1", "f", 0.9 if toxic else 0.1, *[None] * 6,
    )  # fmt: skip


def filled(folder: Path, *, afterwards: bool) -> Path:
    with open_warehouse(str(folder / "w.duckdb")) as warehouse:
        warehouse.create()
        for at in range(LAST + 1):
            posts, toxic = counts(at)
            share, hour = toxic / posts, START + at * HOUR
            row = HourlyToxicity(
                "dam", hour, "m@1", posts, 0, posts, share, share, None, None, None, None, None,
                None, None, 1, True, hour,
            )  # fmt: skip
            warehouse.upsert("hourly_toxicity", [row])
            warehouse.upsert("scored_posts", [post(at, n, n < toxic) for n in range(posts)])
        if afterwards:
            span = JudgedSpan("dam", "retrospective", START, START + 60 * HOUR, 60, START)
            warehouse.upsert("judged_spans", [span])
        return write_page(warehouse, folder / "page.html", sample=False)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("page"), afterwards=False)


TEXT = "document.getElementById('{}').textContent"
SHAPES = "document.getElementById('score-chart').layout.shapes.map(s => s.name)"


def test_hours_that_nobody_judged_are_shaded_and_no_all_clear(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert "unjudged" in browser.js(SHAPES)
    assert browser.js(TEXT.format("judged")).startswith("54 of 60 hours were judged")
    note = browser.js(TEXT.format("anomalies-note"))
    assert note.startswith("None in the 54 hours that were judged; 6")
    assert "every hour stayed in the range" not in browser.js("document.body.innerText")


def test_hours_judged_afterwards_are_not_shaded(browser: Browser, tmp_path: Path) -> None:
    browser.open(filled(tmp_path, afterwards=True))
    assert "unjudged" not in browser.js(SHAPES)
    assert "6 from what came after them" in browser.js(TEXT.format("judged"))
    assert browser.js(TEXT.format("anomalies-note")).startswith("None: every hour stayed")


def test_no_forecast_stands_with_its_reason(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.js(TEXT.format("score-forecast")).startswith("No forecast yet: ")
    assert not browser.js("document.getElementById('forecast-box').checkVisibility()")


def test_a_share_of_one_post_is_grey_and_no_highest(browser: Browser, page: Path) -> None:
    browser.open(page, address="#topic=dam&measure=toxic_share&step=60")
    few = "document.getElementById('score-chart').data.find(t => t.name === 'Fewer than 10 posts')"
    assert browser.js(f"{few}.y.filter(v => v !== null)") == [1]
    assert browser.js("document.getElementById('score-chart').layout.yaxis.range[1]") < 0.6
    assert "40.0 % of 25 posts" in browser.js(TEXT.format("week-note"))
    assert browser.js("document.querySelectorAll('#week td.few').length") == 1


def test_any_hour_opens_with_its_people_terms_and_posts(browser: Browser, page: Path) -> None:
    address = "#topic=dam&hour=2016-01-05T06%3A00Z"
    browser.open(page, address=address)
    browser.wait("document.getElementById('opened').children.length > 0")
    said = browser.js("document.getElementById('explore').innerText")
    assert "25 posts. 40.0 % toxic (10 of 25 scored)" in said
    assert "25 authors, many voices" in said
    assert "dam broke" not in said.partition("Said more")[0]
    assert browser.js("document.querySelectorAll('#opened blockquote').length") >= 5
    links = browser.js("[...document.querySelectorAll('#opened a')].map(a => a.href)")
    assert links and all(link.startswith("https://x.com/i/status/") for link in links)
    assert browser.complaints() == []


def test_the_address_holds_what_is_in_sight(browser: Browser, page: Path) -> None:
    browser.open(page, address="#topic=dam&measure=toxic_share&zone=Asia%2FKolkata")
    assert "Times are Asia/Kolkata" in browser.js(TEXT.format("score-note"))
    assert "5 Jan 2016, 05:30" not in browser.js("document.querySelector('.meta').textContent")
    assert "4 Jan 2016, 05:30" in browser.js("document.querySelector('.meta').textContent")
    browser.js("document.querySelector('#range input[value=\"7\"]').click()")
    address = browser.js("location.hash")
    assert "measure=toxic_share" in address and "period=7" in address and "zone=Asia" in address
    browser.open(page, address=address)
    assert browser.js("document.getElementById('metric-select').value") == "toxic_share"
    assert browser.js("document.querySelector('#range input:checked').value") == "7"


def test_texts_are_searched_and_what_was_searched_is_said(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js(
        "(() => { document.getElementById('search-words').value = 'DAM broke';"
        " document.getElementById('search').requestSubmit(); })()"
    )
    browser.wait(f"{TEXT.format('opened-note')}.includes('Searched: ')")
    assert browser.js("document.querySelectorAll('#opened blockquote').length") > 0


def test_every_chart_and_table_can_be_taken_along(browser: Browser, page: Path) -> None:
    browser.open(page)
    charts = browser.js("document.querySelectorAll('.chart:not(.empty)').length")
    assert browser.js("document.querySelectorAll('.downloads').length") == charts > 0
    tables = browser.js("document.querySelectorAll('.scroll').length")
    assert browser.js("document.querySelectorAll('.table-csv').length") == tables > 0
