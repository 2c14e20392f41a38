"""The live page over real HTTP: while a warehouse changes, is busy, or is missing."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from commands.dashboard import opened_and_closed, stamp_of
from commands.stream import serve_page
from dashboards.errors import DashboardError
from dashboards.live import LastPage, NewestPage, file_stamp
from dashboards.page import LivePage, render_live
from dashboards.serve import HERE, serving_page
from mltox.base.errors import UsageError
from mltox.posts.records import SECOND, HourlyToxicity
from mltox.warehouse import WarehouseBusy, open_warehouse
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse

START = 1_451_952_000 * SECOND
BAD = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
PAGE = LivePage("<p>whole</p>", "<p>parts</p>", "default-src 'none'", "v1")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def ask(where: str, path: str = "/", method: str = "GET", host: str | None = None) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(where).netloc, timeout=20)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    got = Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    connection.close()
    return got


def hour(topic: str, posts: int = 9) -> HourlyToxicity:
    scores = (0.25, 0.25, 0.25, 0.1, 0.1, 0.1, 0.1, 0.1)
    return HourlyToxicity(topic, START, "m@1", posts, 0, 5, *scores, None, 1, True, START)


def fill(path: Path, *rows: HourlyToxicity) -> None:
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
        warehouse.upsert("hourly_toxicity", rows)


def served(path: Path) -> Iterator[str]:
    """As `mltox dashboard --serve` serves it."""
    uri = str(path)
    with serving_page(
        lambda now: opened_and_closed(uri, now, sample=False), (HERE, 0), stamp_of(uri)
    ) as where:
        yield where


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.live.LOOK_PAUSE", 0.0)
    monkeypatch.setattr("dashboards.live.REST", 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "w.duckdb"
    fill(path, hour(BAD))
    return path


@pytest.fixture
def where(file: Path) -> Iterator[str]:
    yield from served(file)


def version(where: str) -> str:
    found: str = json.loads(ask(where, "/status").body)["version"]
    return found


def test_what_another_run_writes_is_on_the_next_page(where: str, file: Path) -> None:
    first = ask(where).body
    before = version(where)
    assert version(where) == before
    fill(file, hour("a new topic"))
    assert "a new topic" not in first
    assert version(where) != before
    assert f'data-version="{version(where)}"' in ask(where).body
    assert "a new topic" in ask(where, "/parts").body


def test_hostile_text_stays_text(where: str) -> None:
    for path in ("/", "/parts"):
        body = ask(where, path).body
        assert BAD not in body
        assert "alert(1)&lt;/script&gt;" in body


def test_the_policy_allows_the_own_scripts_and_the_own_server_alone(where: str) -> None:
    answer = ask(where)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "script-src 'unsafe" not in policy and "https:" not in policy
    assert "connect-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert policy.removesuffix("; frame-ancestors 'none'") in answer.body
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_parts_are_the_page_without_scripts(where: str) -> None:
    parts = ask(where, "/parts").body
    assert set(re.findall(r"<script\b[^>]*>", parts)) == {
        '<script type="application/json" id="page-data">',
        '<script type="application/json" id="topic-0">',
    }
    assert len(parts) < 50_000


def test_head_is_get_without_a_body(where: str) -> None:
    head, get = ask(where, method="HEAD"), ask(where)
    assert (head.status, head.body) == (200, "")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert int(get.headers["Content-Length"]) == len(get.body.encode())


@pytest.mark.parametrize("path", ["/nowhere", "/../../etc/passwd", "/status/", "/%3Cb%3E<b>"])
def test_another_path_is_not_found_and_not_repeated(where: str, path: str) -> None:
    answer = ask(where, path)
    assert answer.status == 404
    assert path not in answer.body
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_no_other_method_is_known(where: str) -> None:
    assert ask(where, method="POST").status == 501


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "[::1].evil", "[::2]:1", "["],
)
def test_a_foreign_name_for_this_machine_is_refused(where: str, host: str) -> None:
    answer = ask(where, "/status", host=host)
    assert answer.status == 421 and "version" not in answer.body


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8050", "[::1]:8050", "[::1]", "LOCALHOST:1"]
)
def test_the_own_names_are_answered(where: str, host: str) -> None:
    assert ask(where, "/status", host=host).status == 200


def test_a_missing_warehouse_is_a_page_that_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "<b>.duckdb"
    for where in served(path):
        answer = ask(where)
        assert answer.status == 503
        assert "no run has made one yet" in answer.body and "&lt;b&gt;" in answer.body
        assert "<b>" not in answer.body and "Traceback" not in answer.body
        assert '<meta http-equiv="refresh"' in answer.body
        assert json.loads(ask(where, "/status").body)["version"] is None
        assert not path.exists()
        fill(path, hour("politics"))
        assert "politics" in ask(where).body


HOLD = """
import sys
from mltox.warehouse import open_warehouse
with open_warehouse(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_busy_warehouse_keeps_the_last_page_and_says_why(where: str, file: Path) -> None:
    assert ask(where).status == 200
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        file.touch()
        status = json.loads(ask(where, "/status").body)
        assert "in use by another mltox run" in status["problem"]
        assert ask(where).status == 200
        for fresh in served(file):
            answer = ask(fresh)
            assert answer.status == 503 and "in use by another mltox run" in answer.body
        holder.communicate("")
    assert json.loads(ask(where, "/status").body)["problem"] is None


def test_between_two_pages_the_file_is_free(where: str, file: Path) -> None:
    assert ask(where).status == 200
    code = "import sys; from mltox.warehouse import open_warehouse; open_warehouse(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)


def test_a_live_run_serves_what_it_has_committed_and_nothing_else(file: Path) -> None:
    with DuckDBWarehouse(file) as warehouse, serve_page(warehouse, 0) as where:
        before = version(where)
        with warehouse.transaction():
            warehouse.upsert("hourly_toxicity", [hour("half a turn")])
            assert "half a turn" not in ask(where).body
            assert version(where) == before
        assert "half a turn" in ask(where).body
        assert version(where) != before


def test_a_port_in_use_is_one_line(file: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DashboardError, match=f"{HERE}:{port}: address already in use"):
            serving_page(lambda now: PAGE, (HERE, port), lambda: 1).__enter__()
        with DuckDBWarehouse(file) as warehouse, pytest.raises(UsageError, match="--port"):
            serve_page(warehouse, port).__enter__()


def test_an_unforeseen_error_is_a_page_and_the_next_try_can_work() -> None:
    outcomes: Iterator[Callable[[], LivePage]] = iter(
        [lambda: PAGE._replace(version=str(1 // 0)), lambda: PAGE]
    )
    with serving_page(lambda now: next(outcomes)(), (HERE, 0), lambda: 1) as where:
        answer = ask(where)
        assert answer.status == 503 and "ZeroDivision" not in answer.body
        assert ask(where).body == PAGE.html


def test_nothing_is_made_while_nothing_changes() -> None:
    stamps: list[Hashable] = [1]
    made: list[int] = []

    def render(now: int) -> LivePage:
        made.append(now)
        return PAGE._replace(version=f"v{len(made)}")

    newest = NewestPage(render, lambda: stamps[-1])
    assert newest.look().page == newest.look().page
    assert len(made) == 1
    stamps.append(2)
    shown = newest.look()
    assert shown.page is not None and shown.page.version == "v2" and shown.updated == made[-1]


def test_the_warehouse_is_not_looked_at_more_often_than_the_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboards.live.LOOK_PAUSE", 3600.0)
    made: list[int] = []

    def render(now: int) -> LivePage:
        made.append(now)
        return PAGE

    newest = NewestPage(render, lambda: object())
    for _ in range(5):
        newest.look()
    assert len(made) == 1


def test_who_asks_while_a_page_is_made_gets_the_last_one() -> None:
    begun, finish = threading.Event(), threading.Event()
    stamps = [1]

    def render(now: int) -> LivePage:
        if len(stamps) > 1:
            begun.set()
            finish.wait(20)
        return PAGE._replace(version=f"v{len(stamps)}")

    newest = NewestPage(render, lambda: stamps[-1])
    newest.look()
    stamps.append(2)
    slow = threading.Thread(target=newest.look)
    slow.start()
    assert begun.wait(20)
    page = newest.look().page
    finish.set()
    slow.join(20)
    assert page is not None and page.version == "v1"
    assert newest.look().page != page


def test_a_problem_leaves_the_page_and_goes_away() -> None:
    outcomes: Iterator[LivePage | Exception] = iter([PAGE, WarehouseBusy("busy"), PAGE])

    def render(now: int) -> LivePage:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    newest = NewestPage(render, lambda: object())
    first = newest.look()
    assert newest.look() == LastPage(PAGE, first.updated, "busy")
    assert newest.look().problem is None


def test_a_commit_changes_the_stamp_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    assert file_stamp(path) == file_stamp(path)
    missing = file_stamp(path)
    with DuckDBWarehouse(path) as warehouse:
        warehouse.create()
        made = file_stamp(path)
        warehouse.upsert("hourly_toxicity", [hour("politics")])
        assert len({missing, made, file_stamp(path)}) == 3


def test_the_time_of_making_alone_is_no_other_version(file: Path) -> None:
    with open_warehouse(str(file)) as warehouse:
        first, second = (render_live(warehouse, at, sample=True) for at in (START, START + SECOND))
        plain = render_live(warehouse, START, sample=False)
    assert first.version == second.version != plain.version
    assert "updated <time" in first.html and first.html != second.html
    assert "Sample data" in first.html and "Sample data" not in plain.html


def test_serve_says_where_the_page_is_and_ends_well_on_ctrl_c(file: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mltox", "dashboard", "--serve", "--port", "0", "--warehouse", file],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
    assert found and ask(found[0]).status == 200
    process.send_signal(2)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_an_address_of_ipv6_is_served_and_written_in_brackets(file: Path) -> None:
    uri = str(file)
    with serving_page(
        lambda now: opened_and_closed(uri, now, sample=False), ("::1", 0), stamp_of(uri)
    ) as where:
        assert re.fullmatch(r"http://\[::1\]:[0-9]+/", where)
        assert ask(where).status == 200
    with (
        pytest.raises(DashboardError, match=r"cannot serve at \[::2\]:0"),
        serving_page(
            lambda now: opened_and_closed(uri, now, sample=False), ("::2", 0), stamp_of(uri)
        ),
    ):
        pass
