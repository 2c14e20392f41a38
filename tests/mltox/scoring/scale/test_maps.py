import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.bundle import DEFAULT_BUNDLE, load_bundle
from mltox.scoring.scale.maps import FILE, MAPS_FORMAT, ScaleError, ScoreMap, read_scale

BENT = ScoreMap("TOXICITY", "toxicity", ((0.0, 0.0), (0.1, 0.5), (1.0, 1.0)))


@pytest.mark.parametrize(
    ("probability", "score"),
    [(0.0, 0.0), (0.05, 0.25), (0.1, 0.5), (0.55, 0.75), (1.0, 1.0), (0.000001, 0.000005)],
)
def test_straight_lines_between_knots(probability: float, score: float) -> None:
    assert BENT(probability) == score


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_probability_has_no_lower_score(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= BENT(low) <= BENT(high) <= 1


def test_another_map_has_another_version() -> None:
    other = BENT._replace(knots=((0.0, 0.0), (0.1, 0.500001), (1.0, 1.0)))
    assert len(BENT.version) == 8 and BENT.version != other.version


def document(**changed: Any) -> dict[str, Any]:
    entry = {"label": "toxicity", "knots": [[0, 0], [0.1, 0.5], [1, 1]]}
    return {"format": MAPS_FORMAT, "model_sha256": "a1", "maps": {"TOXICITY": entry}} | changed


def written(tmp_path: Path, content: str) -> Path:
    file = tmp_path / FILE
    file.write_text(content)
    return file


def test_a_file_of_maps(tmp_path: Path) -> None:
    scale = read_scale(written(tmp_path, json.dumps(document())), "a1")
    assert scale.maps == {"TOXICITY": BENT}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "is not valid"),
        ("{}", "is not valid"),
        (json.dumps(document(format=2)), "has format 2"),
        (json.dumps(document(model_sha256="b2")), "was fitted for the bundle b2"),
        *(
            (json.dumps(document(maps={"TOXICITY": {"label": "toxicity", "knots": knots}})),
             "is not valid")
            for knots in ([], [[0, 0]], [[0, 0.5], [1, 0.4]], [[0, 0], [0, 1], [1, 1]],
                          [[0.1, 0], [1, 1]], [[0, 0], [1, 1.1]], [[0, "a"], [1, 1]], "ab")
        ),
    ],
)  # fmt: skip
def test_what_is_no_map_of_this_bundle(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ScaleError, match=words):
        read_scale(written(tmp_path, content), "a1")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScaleError, match="cannot read"):
        read_scale(tmp_path / FILE, "a1")


def test_the_map_that_ships_is_for_the_bundle_that_ships_and_met_its_bar() -> None:
    scale = read_scale(DEFAULT_BUNDLE / FILE, load_bundle(DEFAULT_BUNDLE).sha256)
    entry = scale.document["maps"]["TOXICITY"]
    assert entry["version"] == scale.maps["TOXICITY"].version
    assert entry["checked_on"]["mapped"]["mean_distance"] <= 0.06
    assert entry["checked_on"]["probability"]["mean_distance"] > 0.06
