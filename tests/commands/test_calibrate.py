"""`mltox calibrate`: pairs to a map, and the collector against a server of our own."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.calibrate import main
from mltox.scoring.bundle import DEFAULT_BUNDLE
from mltox.scoring.scale.maps import read_scale
from mltox.scoring.scorer import Scorer
from serving.collector import CollectorError, collect, perspective
from serving.engine import Engine
from tests.serving.conftest import ANALYZE, Process, ask, serving, start

__all__ = ["start"]
WORDS = ["you", "are", "an", "idiot", "thank", "nice", "hate", "day", "stupid", "friend"]
TEXTS = [f"{a} {b} {c}" for a in WORDS for b in WORDS for c in ("today", "fool")]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Pairs of another service that calls everything more toxic, with two rows of no use."""
    file = tmp_path / "pairs.csv"
    scores = Scorer(threads=1).score(TEXTS, ["en"] * len(TEXTS))
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text", "TOXICITY", "other"])
        for text, found in zip(TEXTS, scores, strict=True):
            assert found.toxicity is not None
            rows.writerow([text, math.sqrt(found.toxicity), 0.5])
        rows.writerow(["no score", "", 0.5])
        rows.writerow(["", "0.5", 0.5])
    return file


def test_a_map_from_pairs(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "map.json"
    assert main(["--against", str(pairs), "--check", str(pairs), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "from 200 pairs of pairs.csv" in shown and "2 rows without" in shown
    engine = Engine(str(DEFAULT_BUNDLE), threads=1)
    scale = read_scale(out, engine.sha256)
    made = scale.maps["TOXICITY"]
    assert made(0.25) == pytest.approx(0.5, abs=0.1)
    entry = scale.document["maps"]["TOXICITY"]
    assert entry["fitted_on"] == {"source": "pairs.csv", "pairs": 200, "unscored": 0}
    before, after = entry["checked_on"]["probability"], entry["checked_on"]["mapped"]
    assert after["mean_distance"] < before["mean_distance"] / 3


def test_maps_of_other_attributes_stay(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.json"
    assert main(["--against", str(pairs), "--out", str(out)]) == 0
    command = ["--against", str(pairs), "--out", str(out), "--attribute", "INSULT"]
    assert main([*command, "--score-column", "other"]) == 0
    assert list(json.loads(out.read_text())["maps"]) == ["TOXICITY", "INSULT"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--against", "nowhere.csv"], "nowhere.csv"),
        (["--against", "pairs.doc"], "pairs.doc"),
        (["--against", "PAIRS", "--score-column", "score"], "no column score"),
        (["--against", "PAIRS", "--text-column", "body"], "no column"),
        (["--against", "PAIRS", "--attribute", "SEXUALLY_EXPLICIT"], "has no sexual_explicit"),
        (["--against", "FEW"], "at least 20 are needed"),
        (["--collect", "PAIRS"], "--out"),
        (["--collect", "PAIRS", "--out", "o.csv"], "PERSPECTIVE_API_KEY"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    pairs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.delenv("PERSPECTIVE_API_KEY", raising=False)
    few = tmp_path / "few.csv"
    few.write_text("text,TOXICITY\nhello there,0.5\n")
    places = {"PAIRS": str(pairs), "FEW": str(few)}
    assert main([places.get(each, each) for each in arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert words in line


def test_collecting_from_a_service(
    start: Callable[..., Process],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ours stands in for Perspective: the same contract. A text in French is refused by both."""
    (tmp_path / "keys").write_text("k\n")
    server = start("--threads", "1", "--keys", str(tmp_path / "keys"))
    out = tmp_path / "pairs.csv"
    texts = ["You are an idiot.", "Ceci est une phrase française tout à fait ordinaire.",
             "Line\nbreak, \"quotes\"", "You are an idiot.", " "]  # fmt: skip
    monkeypatch.setenv("PERSPECTIVE_API_KEY", "k")
    ask_server = perspective(server.url, ["TOXICITY", "INSULT"])
    pauses: list[float] = []
    assert collect(texts[:2], out, ["TOXICITY", "INSULT"], ask_server, sleep=pauses.append) == (
        2,
        1,
    )
    with out.open("a") as stream:
        stream.write('"a run that was kil')
    assert collect(texts, out, ["TOXICITY", "INSULT"], ask_server, sleep=pauses.append) == (1, 0)
    assert pauses == [1.0], "one a second, and nothing asked twice"
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["text"] for row in rows] == texts[:3]
    assert float(rows[0]["TOXICITY"]) > 0.8 and rows[1]["TOXICITY"] == ""
    with pytest.raises(CollectorError, match="other columns"):
        collect(texts, out, ["THREAT"], ask_server)
    monkeypatch.setenv("PERSPECTIVE_API_KEY", "wrong")
    with pytest.raises(CollectorError, match="API key not valid"):
        perspective(server.url, ["TOXICITY"])("a comment")


def test_the_server_takes_the_map(pairs: Path, tmp_path: Path, start: Any) -> None:
    out = tmp_path / "map.json"
    assert main(["--against", str(pairs), "--out", str(out)]) == 0
    server = start("--threads", "1", "--map", str(out), "--scale", "perspective")
    ask_server = perspective_without_key(server)
    [plain] = Scorer(threads=1).score(["you are stupid"])
    engine = Engine(str(DEFAULT_BUNDLE), threads=1)
    made = read_scale(out, engine.sha256).maps["TOXICITY"]
    assert plain.toxicity is not None
    assert ask_server("you are stupid") == made(plain.toxicity)
    with serving(engine) as client:
        answer = client.post(ANALYZE, json=ask("you are stupid")).json()
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] == plain.toxicity


def perspective_without_key(server: Process) -> Callable[[str], float]:
    import urllib.request

    def asked(text: str) -> float:
        request = urllib.request.Request(server.url + ANALYZE, json.dumps(ask(text)).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            scores = json.load(answer)["attributeScores"]
        value: float = scores["TOXICITY"]["summaryScore"]["value"]
        return value

    return asked
