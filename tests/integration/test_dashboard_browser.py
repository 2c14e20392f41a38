"""The page in a real browser, driven over its debugging pipe."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.browser import CHROMIUM, Browser, chromium
from tests.integration.planted_rows import HOSTILE, TOXIC, fill

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks of two topics, all their text hostile."""
    # plotly reads these tags and entities itself, and a legend has room for few characters
    hostile = f"<b>b</b>&amp;<br>{HOSTILE}"
    topics = {f"politics {hostile}": True, f"football {hostile}": True}
    return fill(tmp_path_factory.mktemp("page"), topics, 21 * 24, incidents=(100, 300))


OPEN_ALL = """
  for (const id of ["all-topics", "show-toxic"]) document.getElementById(id).click();
  for (const box of document.querySelectorAll("details")) box.open = true;
"""


@pytest.mark.parametrize("dark", [False, True])
def test_it_opens_from_disk_without_any_request_or_complaint(
    browser: Browser, page: Path, dark: bool
) -> None:
    browser.open(page, dark=dark)
    assert browser.requests() == {page.as_uri()}
    assert browser.complaints() == []
    drawn = browser.js("document.querySelectorAll('.chart .main-svg .trace').length")
    assert drawn >= 4
    assert browser.js(
        "[...document.querySelectorAll('.chart')].every(c => c.ariaLabel.length > 20)"
    )


def test_hostile_text_stays_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js(OPEN_ALL)
    hover = """(() => { for (const id of ["score-chart", "compare-chart", "labels-chart"]) {
      Plotly.Fx.hover(id, [{curveNumber: 0, pointNumber: 3}, {curveNumber: 1, pointNumber: 3}]);
    } })()"""
    browser.js(hover)
    browser.wait("document.querySelectorAll('.hoverlayer text').length > 0")
    for i in (1, 0):
        browser.js(
            f"document.getElementById('topic-select').value = '{i}';"
            "document.getElementById('topic-select').dispatchEvent(new Event('change'));"
        )
    time.sleep(0.3)
    assert browser.js("typeof window.pwned") == "undefined"
    foreign = (
        "document.querySelectorAll('main img, main iframe, main b, main i, [onerror], svg a,"
        " a[href^=java], .chart tspan[style*=bold]').length"
    )
    assert browser.js(foreign) == 0
    shown = browser.js("document.body.innerText")
    assert (
        shown.count(TOXIC.replace("\u2028", "").split("%{x}")[0]) == 4
    )  # two topics, two anomalies
    legend = browser.js("document.querySelector('#compare-chart .legend').textContent")
    assert "politics <b>b</b>&amp;<br><…" in legend
    assert browser.requests() == {page.as_uri()}


def test_the_policy_stops_what_escaping_would_have_missed(browser: Browser, page: Path) -> None:
    browser.open(page)
    blocked = browser.js("""new Promise((done) => {
      const blocked = [];
      addEventListener("securitypolicyviolation", (e) => blocked.push(e.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      const box = document.createElement("div");
      document.body.append(script, box);
      box.innerHTML = '<img src="https://example.invalid/x.png" onerror="window.pwned = 1">';
      fetch("https://example.invalid/").catch(() => {});
      setTimeout(() => done(blocked.sort()), 500);
    })""")
    assert browser.js("typeof window.pwned") == "undefined"
    assert set(blocked) == {"connect-src", "img-src", "script-src-attr", "script-src-elem"}


def test_topics_are_chosen_by_keyboard_and_focus_stays(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("document.getElementById('topic-select').focus()")
    browser.press("ArrowDown", 40)
    browser.wait("document.getElementById('topic').textContent.startsWith('Topic: politics')")
    assert browser.js("document.activeElement.id") == "topic-select"
    assert browser.js("document.getElementById('announce').textContent").startswith("Showing poli")
    assert browser.js("document.querySelector('tr.selected a').textContent").startswith("politics")
    address = browser.js("location.hash")
    browser.open(page, address=address)
    assert browser.js("document.getElementById('topic').textContent").startswith("Topic: politics")


@pytest.mark.parametrize("width", [360, 1280])
def test_forecast_accuracy_is_of_the_topic_shown(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    shown = "[...document.querySelectorAll('tr[data-of]')].filter(r => r.checkVisibility())"
    assert browser.js(f"{shown}.map(r => r.dataset.of)") == ["0", "0", "0"]
    assert "Prophet" in browser.js(f"{shown}[0].innerText")


def test_a_marker_tells_on_hover_what_was_expected_and_leads_to_the_list_on_click(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    browser.js("document.documentElement.style.scrollBehavior = 'auto'")
    x, y = browser.js("""(() => {
      document.getElementById("score-chart").scrollIntoView({ block: "center" });
      const box = document.querySelectorAll("#score-chart .points path.point")[2]
        .getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()""")
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        if kind == "mouseMoved":
            told = "document.querySelector('.hoverlayer').textContent"
            browser.wait(f"{told}.includes('no. 1, critical')")
            assert "0.320, expected 0.080 (0.020–0.150)" in browser.js(told)
    browser.wait("document.activeElement.tagName == 'LI'")
    assert "no. 1:" in browser.js("document.activeElement.textContent")


def test_anomalies_have_a_shape_and_a_number_and_lead_to_the_list(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    numbers = browser.js(
        "[...document.querySelectorAll('#score-chart .textpoint text')].map(t => t.textContent)"
    )
    assert [n for n in numbers if n] == ["1", "2"]
    assert browser.js("document.querySelectorAll('#score-chart .points path.point').length") == 8
    titles = browser.js("[...document.querySelectorAll('#episodes h4')].map(h => h.textContent)")
    assert "no. 2: Sat 16 Jan 2016, 12:00–16:00 4 hours" in titles[0]
    assert "no. 1: Fri 8 Jan 2016, 04:00–08:00 4 hours" in titles[1]


def test_toxic_texts_are_masked_until_asked_for(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("for (const box of document.querySelectorAll('details')) box.open = true")
    quotes = browser.js("[...document.querySelectorAll('blockquote p')].map(p => p.textContent)")
    assert any(q.startswith("E∗∗∗∗∗∗∗ h∗∗∗ i∗ a p∗∗∗∗∗∗∗ l∗∗∗") for q in quotes)
    assert any(q.startswith("What a lovely match") for q in quotes)
    assert not any("pathetic" in q for q in quotes)
    browser.js("document.getElementById('show-toxic').click()")
    assert "pathetic" in browser.js("document.getElementById('episodes').textContent")
    assert browser.js("document.querySelectorAll('#episodes details[open]').length") > 0


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    browser.js(OPEN_ALL)
    assert browser.js("document.documentElement.scrollWidth") == width
    assert (
        browser.js("Math.max(...[...document.querySelectorAll('.chart')].map(c => c.scrollWidth))")
        <= width
    )


# WCAG 2.2, success criterion 1.4.3: relative luminance of text against what lies behind it.
CONTRAST = """(() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const over = ([r, g, b, a], under) =>
    [r, g, b].map((v, i) => v * a / 255 + under[i] * (1 - a / 255));
  const linear = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (node) => node
    ? over(rgba(getComputedStyle(node).backgroundColor), behind(node.parentElement))
    : [255, 255, 255];
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode, node = text.parentElement;
    if (!text.data.trim() || node.closest("script, noscript, .skip")) continue;
    if (!node.checkVisibility()) continue;
    const style = getComputedStyle(node), svg = node instanceof SVGElement;
    const under = behind(svg ? node.closest(".chart") : node);
    const a = light(over(rgba(svg ? style.fill : style.color), under)), b = light(under);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([text.data.trim().slice(0, 30), node.nodeName, ratio.toFixed(2)]);
  }
  return poor;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_enough_contrast(browser: Browser, page: Path, dark: bool) -> None:
    browser.open(page, dark=dark)
    browser.js(OPEN_ALL)
    assert browser.js(CONTRAST) == []
    background = browser.js("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(15, 20, 26)" if dark else "rgb(244, 245, 247)")


def test_everything_that_can_be_used_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = {
        "button",
        "checkbox",
        "combobox",
        "link",
        "radio",
        "region",
        "image",
        "table",
        "heading",
    }
    seen = [n for n in nodes if not n.get("ignored") and n["role"]["value"] in roles]
    assert {"combobox", "checkbox", "radio", "heading"} <= {n["role"]["value"] for n in seen}
    assert [n["role"]["value"] for n in seen if not n.get("name", {}).get("value")] == []
    levels = browser.js("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_print_is_dark_on_light_even_in_dark_mode(browser: Browser, page: Path) -> None:
    browser.open(page, dark=True)
    ink = "getComputedStyle(document.querySelector('#score-chart .xtick text')).fill"
    before = browser.js(ink)
    browser.js("dispatchEvent(new Event('beforeprint'))")
    assert browser.js(ink) == "rgb(81, 96, 111)" != before
    browser.js("dispatchEvent(new Event('afterprint'))")
    assert browser.js(ink) == before
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
    assert pdf.startswith(b"%PDF")


def test_a_year_of_hours_stays_quick(browser: Browser, tmp_path: Path) -> None:
    page = fill(tmp_path, {"a": True, "b": True}, 8760, incidents=(100, 4000, 8700))
    assert page.stat().st_size < 7_000_000
    browser.open(page)
    spent = browser.js("""(() => {
      const began = performance.now();
      document.querySelector("#range input[value='0']").click();
      document.getElementById("topic-select").value = "1";
      document.getElementById("topic-select").dispatchEvent(new Event("change"));
      return performance.now() - began;
    })()""")
    assert spent < 3000  # milliseconds; 250 on an idle machine
    assert browser.complaints() == []


@pytest.mark.parametrize(
    ("topics", "hours", "incidents", "says"),
    [
        ({}, 0, (), "No posts yet"),
        ({"quiet": True}, 5, (), "None can be told: none of the 5 hours could be judged"),
        ({"quiet": True}, 30, (), "No forecast yet: "),
        ({"日本語": False}, 200, (), "No scored posts of this topic"),
        ({"日本語": False, "both": True}, 200, (50,), "No label scores for this topic."),
        ({f"topic {i}": True for i in range(30)}, 48, (), "24 more topics are grey lines."),
    ],
)
def test_what_is_missing_is_said(
    browser: Browser,
    tmp_path: Path,
    topics: dict[str, bool],
    hours: int,
    incidents: tuple[int, ...],
    says: str,
) -> None:
    page = fill(tmp_path, topics, hours, incidents)
    address = "#topic=" + "%E6%97%A5%E6%9C%AC%E8%AA%9E" if "日本語" in topics else ""
    for width in (360, 1280):
        browser.open(page, width=width, address=address)
        assert says in browser.js("document.body.innerText")
        assert browser.complaints() == []
        assert browser.js("document.documentElement.scrollWidth") == width
