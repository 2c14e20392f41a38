"""The served page in a real browser: it follows the warehouse and leaves the reader in place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.dashboard import opened_and_closed, stamp_of
from dashboards.serve import HERE, serving_page
from mltox.warehouse import open_warehouse
from tests.integration.browser import CHROMIUM, Browser, chromium
from tests.integration.planted_rows import HOSTILE, anomaly_rows, fill, hour_row, post_rows

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

POLITICS, FOOTBALL = f"politics {HOSTILE}", f"football {HOSTILE}"
HOURS = 12 * 24


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Twelve days of two topics, with an anomaly each."""
    fill(tmp_path, {POLITICS: True, FOOTBALL: True}, HOURS, incidents=(100,))
    return tmp_path / "w.duckdb"


@pytest.fixture
def where(file: Path) -> Iterator[str]:
    yield from served(file)


def served(path: Path) -> Iterator[str]:
    uri = str(path)
    with serving_page(
        lambda now: opened_and_closed(uri, now, sample=False), (HERE, 0), stamp_of(uri)
    ) as where:
        yield where


def write_more(path: Path) -> None:
    """Two days more of both topics, with a second anomaly."""
    with open_warehouse(str(path)) as warehouse:
        for topic in (POLITICS, FOOTBALL):
            hours = [hour_row(topic, at) for at in range(HOURS, HOURS + 48)]
            warehouse.upsert("hourly_toxicity", hours)
            warehouse.upsert("scored_posts", list(post_rows(topic, HOURS + 20)))
            warehouse.upsert("anomalies", list(anomaly_rows(topic, HOURS + 20, 4)))


CHOSEN = "document.getElementById('topic').textContent"
FOUND = "document.querySelectorAll('#episodes > li').length"
CHOOSE = """((i) => {
  const box = document.getElementById("topic-select");
  box.focus();
  box.value = String(i);
  box.dispatchEvent(new Event("change"));
})"""


def steady(browser: Browser, length: str) -> float:
    """A length once it stays as it is: what a click changes is laid out some frames later."""
    deadline = time.monotonic() + 30
    before, now = None, float(browser.js(length))
    while now != before:
        assert time.monotonic() < deadline, f"never at rest: {length}"
        time.sleep(0.3)
        before, now = now, float(browser.js(length))
    return now


def second_topic(browser: Browser) -> str:
    """Chooses the second topic of the list and returns its name."""
    browser.js(f"{CHOOSE}(1)")
    name: str = browser.js("document.getElementById('topic-select').selectedOptions[0].textContent")
    return name


def test_it_follows_the_warehouse_by_itself_and_the_reader_stays_in_place(
    browser: Browser, where: str, file: Path
) -> None:
    browser.open(where)
    name = second_topic(browser)
    browser.js("document.querySelector('#range input[value=\"7\"]').click()")
    browser.js("document.getElementById('show-toxic').click()")
    browser.js("document.querySelector('#episodes details').open = true")
    browser.js("document.getElementById('topic-select').focus()")
    browser.js("document.documentElement.style.scrollBehavior = 'auto'; window.untouched = 1")
    card = "document.getElementById('posts-chart').closest('.card')"
    browser.js(f"{card}.scrollIntoView()")
    top = steady(browser, f"{card}.getBoundingClientRect().top")
    posts = browser.js("document.querySelector('.tile dd').textContent")
    assert browser.js(FOUND) == 1

    write_more(file)
    browser.wait(f"{FOUND} === 2")

    assert browser.js("window.untouched") == 1  # not loaded anew
    assert browser.js(CHOSEN).startswith(f"Topic: {name[:20]}")
    assert browser.js("document.getElementById('topic-select').value") == "1"
    assert browser.js("document.querySelector('tr.selected').dataset.topic") == "1"
    assert browser.js("document.querySelector('#range input:checked').value") == "7"
    assert browser.js("document.getElementById('show-toxic').checked")
    assert browser.js("document.activeElement.id") == "topic-select"
    # The older anomaly is the second of the list now, and still open.
    assert browser.js(
        "document.querySelectorAll('#episodes > li')[1].querySelector('details').open"
    )
    # Captions are laid out some frames after their charts; then it is where it was.
    browser.wait(f"Math.abs({card}.getBoundingClientRect().top - {top}) < 2")
    assert browser.js("document.querySelector('.tile dd').textContent") != posts
    drawn = "document.getElementById('posts-chart').data.find(t => t.name === 'Posts').x.length"
    assert browser.js(drawn) == HOURS + 48
    assert browser.complaints() == []
    assert browser.requests() == {where, where + "status", where + "parts"}


@pytest.mark.parametrize("node", ["#episodes", "[data-part=accuracy]", "[data-part=letters]"])
def test_what_is_in_sight_stays_there_when_what_is_above_grows(
    browser: Browser, where: str, file: Path, node: str
) -> None:
    browser.open(where)
    browser.js("document.documentElement.style.scrollBehavior = 'auto'")
    box = f"document.querySelector('{node}').closest('.card, section')"
    browser.js(f"scrollTo(0, scrollY + {box}.getBoundingClientRect().top - 300)")
    top = browser.js(f"{box}.getBoundingClientRect().top")
    with open_warehouse(str(file)) as warehouse:
        warehouse.upsert(
            "hourly_toxicity", [hour_row(f"new {i}", at) for i in range(5) for at in range(30)]
        )
    write_more(file)
    browser.wait(f"{FOUND} === 2")
    assert browser.js("document.querySelectorAll('tr[data-topic]').length") == 7
    assert abs(browser.js(f"{box}.getBoundingClientRect().top") - top) < 2


def test_hostile_text_that_comes_later_stays_text(browser: Browser, where: str, file: Path) -> None:
    browser.open(where)
    write_more(file)
    browser.wait(f"{FOUND} === 2")
    browser.js("for (const box of document.querySelectorAll('details')) box.open = true")
    time.sleep(0.3)
    assert browser.js("typeof window.pwned") == "undefined"
    foreign = "document.querySelectorAll('main img, main iframe, main b, main i, [onerror]').length"
    assert browser.js(foreign) == 0
    assert browser.complaints() == []


def test_a_zoom_stays_while_hours_come(browser: Browser, where: str, file: Path) -> None:
    browser.open(where)
    start = browser.js(
        "document.getElementById('score-chart').data.find(t => t.name === 'Hour').x[0]"
    )
    zoomed = f"{{'xaxis.range[0]': {start}, 'xaxis.range[1]': {start + 86_400_000}}}"
    browser.js(f"Plotly.relayout('score-chart', {zoomed}).then(() => 1)")
    shown = """['score-chart', 'posts-chart'].map(id => document.getElementById(id)
      .layout.xaxis.range.map(at => typeof at === 'number' ? at : Date.parse(at + 'Z')))"""
    browser.wait(f"String({shown}[0]) === String({shown}[1])")
    write_more(file)
    browser.wait(f"{FOUND} === 2")
    assert browser.js(shown) == [[start, start + 86_400_000]] * 2


def test_without_a_zoom_new_hours_come_into_sight(browser: Browser, where: str, file: Path) -> None:
    browser.open(where)
    browser.js("document.querySelector('#range input[value=\"7\"]').click()")
    write_more(file)
    browser.wait(f"{FOUND} === 2")
    chart = "document.getElementById('score-chart')"
    end = browser.js(f"new Date({chart}.layout.xaxis.range[1]).getTime()")
    last = browser.js(f"{chart}.data.find(t => t.name === 'Hour').x.at(-1)")
    assert end >= last


def test_the_first_topic_brings_the_charts(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
    for where in served(path):
        browser.open(where)
        assert "No posts yet" in browser.js("document.body.innerText")
        with open_warehouse(str(path)) as warehouse:
            warehouse.upsert("hourly_toxicity", [hour_row("late", at) for at in range(48)])
        browser.wait("document.querySelectorAll('.chart .main-svg .trace').length > 0")
        assert browser.js(CHOSEN) == "Topic: late"


def test_the_line_says_when_it_was_updated_and_that_the_server_has_gone(
    browser: Browser, file: Path
) -> None:
    line = "document.getElementById('live').textContent.trim()"
    for where in served(file):
        browser.open(where)
        browser.wait("'looked' in document.documentElement.dataset")
        said = browser.js(line)
        assert said.startswith("Live, updated ") and said.endswith(" UTC")
    browser.wait(f"{line}.includes('the server does not answer')")
    assert browser.js(line).startswith("Not updated since ")
    assert browser.js("document.getElementById('live').classList.contains('stale')")


def test_a_missing_warehouse_shows_its_page_as_soon_as_there_is_one(
    browser: Browser, tmp_path: Path
) -> None:
    for where in served(tmp_path / "w.duckdb"):
        browser.call("Page.navigate", url=where)
        browser.wait("document.body?.innerText.includes('no run has made one yet')")
        fill(tmp_path, {"politics": True}, 48)
        browser.wait("document.body?.innerText.includes('Topic: politics')")
