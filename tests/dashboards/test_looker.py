"""The links to Looker Studio: every parameter where the Linking API looks for it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from commands.dashboard import main
from dashboards.looker import DATA_SOURCES, REPORT, report_link
from mltox.warehouse.location import BigQueryDataset
from mltox.warehouse.views import VIEWS

DATASET = BigQueryDataset("some-project", "mltox")


def parameters(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("https", "lookerstudio.google.com")
    assert parts.path == "/reporting/create"
    return {name: value for name, [value] in parse_qs(parts.query, strict_parsing=True).items()}


def test_every_source_is_a_view_with_its_own_alias() -> None:
    assert set(DATA_SOURCES) <= set(VIEWS)
    found = parameters(report_link(DATASET, DATA_SOURCES))
    for view, name in DATA_SOURCES.items():
        source = {key: found.pop(f"ds.{view}.{key}") for key in list_of(found, view)}
        assert source == {
            "connector": "bigQuery",
            "type": "TABLE",
            "projectId": "some-project",
            "datasetId": "mltox",
            "tableId": view,
            "datasourceName": name,
        }
    assert found == {"c.mode": "edit", "r.reportName": REPORT}


def list_of(found: dict[str, str], view: str) -> list[str]:
    prefix = f"ds.{view}."
    return [name.removeprefix(prefix) for name in found if name.startswith(prefix)]


def test_a_template_is_copied() -> None:
    found = parameters(report_link(DATASET, ["topic_daily"], template="0a1b-2c"))
    assert found["c.reportId"] == "0a1b-2c" and "c.mode" not in found


def test_the_command_prints_links_without_asking_anybody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("commands.dashboard.open_warehouse", None)
    assert main(["--warehouse", "bq://some-project.mltox", "--looker"]) == 0
    urls = [word for word in capsys.readouterr().out.split() if word.startswith("https:")]
    assert urls[0] == report_link(DATASET, DATA_SOURCES)
    assert urls[1:] == [report_link(DATASET, [view]) for view in DATA_SOURCES]
    arguments = ["--warehouse", "bq://some-project.mltox", "--looker", "--looker-template", "0a1b"]
    assert main(arguments) == 0
    (url,) = (word for word in capsys.readouterr().out.split() if word.startswith("https:"))
    assert parameters(url)["c.reportId"] == "0a1b"


def test_a_file_is_no_source_of_looker(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--warehouse", "posts.duckdb", "--looker"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "bq://project.dataset" in line
