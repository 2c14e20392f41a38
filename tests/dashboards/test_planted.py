import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboards.errors import DashboardError
from dashboards.incidents import incidents
from dashboards.planted import Planted, match, read_planted
from ingest.sources.sample.writing import write_sample
from mltox.posts.records import HOUR, SECOND, Anomaly

PLANTED = Planted("politics", 10 * HOUR, 13 * HOUR, "toxic_share", "up", "toxicity_surge", "")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"hour": 10 * HOUR}, True),
        ({"hour": 12 * HOUR}, True),
        ({"hour": 9 * HOUR}, False),
        ({"hour": 13 * HOUR}, False),
        ({"hour": 11 * HOUR, "metric": "mean_toxicity"}, False),
        ({"hour": 11 * HOUR, "direction": "down"}, False),
        ({"hour": 11 * HOUR, "topic": "football"}, False),
    ],
)
def test_an_incident_is_found_by_its_own_topic_metric_direction_and_time(
    anomaly: Callable[..., Anomaly], fields: dict[str, object], found: bool
) -> None:
    row = anomaly(**{"metric": "toxic_share", **fields})
    assert (match(PLANTED, incidents([row])) is not None) is found


def test_the_sample_names_its_incidents(tmp_path: Path) -> None:
    info = write_sample(tmp_path / "posts.jsonl", posts=300)
    planted = read_planted(info.incidents_path)
    assert len(planted) == len(info.incidents) > 2
    assert [p.start for p in planted] == sorted(p.start for p in planted)
    assert {p.topic for p in planted} == {i.topic for i in info.incidents}
    assert all(0 < p.end - p.start < 100 * HOUR and p.start % HOUR == 0 for p in planted)


def test_times_are_read_with_their_zone(tmp_path: Path) -> None:
    path = tmp_path / "incidents.json"
    row = {
        "topic": "t",
        "kind": "k",
        "metric": "posts",
        "direction": "up",
        "start": "2026-01-01T02:00:00+02:00",
        "end": "2026-01-01T01:00:00Z",
    }
    path.write_text(json.dumps([row]))
    start = 1_767_225_600 * SECOND  # date -u -d 2026-01-01 +%s
    assert read_planted(path) == [Planted("t", start, start + HOUR, "posts", "up", "k", "")]


@pytest.mark.parametrize("content", ["{", "{}x", "[1]", '[{"topic": "t"}]', "3", "[[]]"])
def test_another_file_is_one_clear_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "incidents.json"
    path.write_text(content)
    with pytest.raises(DashboardError, match="is not a list of planted incidents"):
        read_planted(path)
    with pytest.raises(DashboardError, match=r"cannot read .*No such file"):
        read_planted(tmp_path / "none.json")
