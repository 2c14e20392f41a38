"""The page in a real browser, driven over its debugging pipe."""

from __future__ import annotations

import base64
import fcntl
import json
import math
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dashboards.page import write_page
from pipelines.records import (
    HOUR,
    SECOND,
    Anomaly,
    DeadLetter,
    Forecast,
    ForecastAccuracy,
    HourlyToxicity,
    ScoredPost,
)
from pipelines.warehouse import open_warehouse

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

START = 1_451_865_600 * SECOND  # Monday 4 January 2016, 00:00 UTC
HOSTILE = (
    '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
    '<b>bold</b><br><a href="javascript:window.pwned=1">click</a> %{x} $x ${1} &lt;i&gt; \u2028'
)
TOXIC = "Everyone here is a pathetic liar " + HOSTILE
MILD = "What a lovely match 😍 " + HOSTILE
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--hide-scrollbars",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)


class Browser:
    """Chromium over the DevTools protocol: file descriptors 3 and 4, messages ended by NUL."""

    def __init__(self, program: str, profile: Path) -> None:
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        # Above 3 and 4, so that neither copy below overwrites the other's source.
        read_end, write_end = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_child, from_child))
        arguments = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        pipes = [(os.POSIX_SPAWN_DUP2, read_end, 3), (os.POSIX_SPAWN_DUP2, write_end, 4)]
        self._pid = os.posix_spawn(program, arguments, os.environ, file_actions=[*quiet, *pipes])
        for fd in (to_child, from_child, read_end, write_end):
            os.close(fd)
        self._buffer, self._calls = b"", 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 60
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            chunk = os.read(self._in, 1 << 20)
            assert chunk, "the browser has gone"
            self._buffer += chunk
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(raw)
        return message

    def js(self, expression: str) -> Any:
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, page: Path, width: int = 1280, dark: bool = False, address: str = "") -> None:
        """Load the page afresh and wait until it is drawn; forgets earlier events."""
        self.call("Page.navigate", url="about:blank")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri() + address)
        self.wait(
            "document.readyState == 'complete' && 'ready' in document.documentElement.dataset"
        )

    def wait(self, condition: str) -> None:
        deadline = time.monotonic() + 30
        while not self.js(condition):
            assert time.monotonic() < deadline, f"never true: {condition}"
            time.sleep(0.05)

    def press(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)

    def complaints(self) -> list[dict[str, Any]]:
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [event["params"] for event in self.events if event["method"] in kinds]

    def requests(self) -> set[str]:
        sent = (e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent")
        return {request["request"]["url"] for request in sent}

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        deadline = time.monotonic() + 10
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(0.05)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert CHROMIUM is not None
    profile = tmp_path_factory.mktemp("profile")
    running = Browser(CHROMIUM, profile)
    yield running
    running.close()
    shutil.rmtree(profile, ignore_errors=True)


def hour_row(topic: str, at: int, scored: bool = True) -> HourlyToxicity:
    wave = 1 + 0.4 * math.sin(2 * math.pi * at / 24)
    posts, mean = round(20 * wave), 0.08 * wave if scored else None

    def part(share: float) -> float | None:
        return None if mean is None else mean * share

    return HourlyToxicity(
        topic, START + at * HOUR, "default@0123456789ab", posts, 2 if scored else posts, posts - 3,
        mean, part(0.5), part(2.0), part(0.1), part(0.6), part(0.05), part(0.7), part(0.2), None,
        1, True, START + at * HOUR,
    )  # fmt: skip


def anomaly_rows(topic: str, at: int, hours: int) -> Iterator[Anomaly]:
    for i in range(hours):
        status = "resolved" if i == hours - 1 else "updated"
        yield Anomaly(
            topic, START + (at + i) * HOUR, "mean_toxicity", 0.3 + 0.01 * i, 0.08, 0.02, 0.15, 8.0,
            "critical", "up", "seasonal_1h", status, ("liar", HOSTILE),
            (f"x:{at}-toxic", f"x:{at}-mild"), 0.4, START,
        )  # fmt: skip


def post_rows(topic: str, at: int) -> Iterator[ScoredPost]:
    for kind, text, toxicity in (("toxic", TOXIC, 0.93), ("mild", MILD, 0.12)):
        created = START + at * HOUR
        yield ScoredPost(
            topic, f"x:{at}-{kind}", "x", "a" * 32, text, f"{at:032d}{kind:0>32}", "en", created,
            created, created, "default@0123456789ab", "0" * 64, toxicity, *[0.1] * 6,
        )  # fmt: skip


def forecast_rows(topic: str, start: int) -> Iterator[Forecast | ForecastAccuracy]:
    run_at = START + start * HOUR
    for metric, level in (("posts", 20.0), ("mean_toxicity", 0.08), ("toxic_share", 0.04)):
        for i in range(168):
            yield Forecast(
                topic, metric, run_at, run_at + i * HOUR, level, level * 0.8, level * 1.2,
                level * 0.6, level * 1.4, "prophet", 0.02,
            )  # fmt: skip
        for method, mase in (("prophet", 0.8), ("seasonal_naive", 1.0)):
            yield ForecastAccuracy(
                topic, metric, run_at, method, 168, mase, 0.2, 0.1, 0.8, 0.95, method == "prophet"
            )


def fill(path: Path, topics: dict[str, bool], hours: int, incidents: tuple[int, ...] = ()) -> Path:
    """A page over a warehouse of `topics` (scored or not), with anomalies at those hours."""
    with open_warehouse(str(path / "w.duckdb")) as warehouse:
        warehouse.create()
        for topic, scored in topics.items():
            warehouse.upsert(
                "hourly_toxicity", [hour_row(topic, at, scored) for at in range(hours)]
            )
            posts = [row for at in incidents for row in post_rows(topic, at)]
            anomalies = [row for at in incidents for row in anomaly_rows(topic, at, 4)]
            if posts and scored:
                warehouse.upsert("scored_posts", posts)
                warehouse.upsert("anomalies", anomalies)
                rows = list(forecast_rows(topic, hours))
                for table, kind in (
                    ("forecasts", Forecast),
                    ("forecast_accuracy", ForecastAccuracy),
                ):
                    warehouse.upsert(table, [row for row in rows if isinstance(row, kind)])
        if incidents:
            letter = DeadLetter("1", "parse", "missing_text", HOSTILE, HOSTILE, None, START)
            warehouse.upsert("dead_letters", [letter])
        return write_page(warehouse, path / "page.html", sample=True)


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
        ({"quiet": True}, 5, (), "None: every hour stayed in the range expected of it."),
        ({"quiet": True}, 30, (), "No forecast for this measure yet."),
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
