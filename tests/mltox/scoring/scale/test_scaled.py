"""Scores of the pipelines on Perspective's scale: those that the server answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mltox.posts.records import UNSCORED
from mltox.scoring.bundle import DEFAULT_BUNDLE, BundleError
from mltox.scoring.scale.beside import scale_beside
from mltox.scoring.scale.maps import FILE, ScoreMap, ScoreMaps
from mltox.scoring.scale.scaled import ScaledScorer, by_label, opened_on, threshold_on
from mltox.scoring.scorer import Scorer
from mltox.scoring.watched import BundleNews, WatchedScorer

TEXTS = ["You are an idiot.", "Thank you.", "Ceci est une phrase française.", ""]


def test_scores_are_mapped_and_the_threshold_with_them() -> None:
    plain, scaled = Scorer(threads=1), opened_on("perspective", str(DEFAULT_BUNDLE), threads=1)
    made = scale_beside(str(DEFAULT_BUNDLE), plain.model_sha256).maps["TOXICITY"]
    for one, other in zip(plain.score(TEXTS), scaled.score(TEXTS), strict=True):
        if one is UNSCORED:
            assert other is UNSCORED
        else:
            assert one.toxicity is not None
            assert other == one._replace(toxicity=made(one.toxicity))
    assert scaled.threshold == made(plain.threshold)
    assert scaled.model == f"{plain.model}-{made.version}"
    assert scaled.model_sha256 != plain.model_sha256, "their scores are kept apart"


def test_the_models_own_scale_is_the_scorer_as_it_was() -> None:
    own = opened_on("model", str(DEFAULT_BUNDLE), threads=1)
    assert isinstance(own, Scorer) and own.model_sha256 == own.bundle.sha256


def test_two_attributes_of_one_label_are_mapped_once() -> None:
    first = ScoreMap("PROFANITY", "obscene", ((0.0, 0.0), (1.0, 0.5)))
    scale = ScoreMaps(
        "a1", {"PROFANITY": first, "OBSCENE": first._replace(attribute="OBSCENE")}, {}
    )
    assert by_label(scale) == {"obscene": first}
    assert threshold_on(scale, 0.6) == 0.6, "no map of toxicity, no other threshold"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))


def test_without_a_map_there_is_no_such_scale(folder: Path) -> None:
    (folder / FILE).unlink()
    with pytest.raises(BundleError, match="score map"):
        opened_on("perspective", str(folder), threads=1)


def test_a_new_bundle_without_its_map_is_refused_while_a_run_goes_on(folder: Path) -> None:
    watched = WatchedScorer(str(folder), 1, 1e-9, "perspective")
    before = watched.at_work
    assert isinstance(before, ScaledScorer)
    document = json.loads((folder / "bundle.json").read_text())
    document["max_length"] -= 8  # another model, whose map this is not
    (folder / "bundle.json").write_text(json.dumps(document))
    assert watched.current() == (before, BundleNews.REFUSED)
    assert watched.current() == (before, BundleNews.NONE)
