import re

import numpy as np

from mltox.scoring.pictures import with_names
from model_export import contrast, functional
from model_export.contrast.compose import read_fillers
from model_export.examples import TRAINED_LABELS


def words(text: str) -> str:
    return re.sub(r"\W+", " ", with_names(text)).strip().casefold()


def test_every_template_can_be_composed() -> None:
    slots = {
        slot
        for kind in contrast.read_kinds()
        for template in kind.templates
        for slot in re.findall(r"\{(\w*)\}", template)
    }
    assert slots <= set(read_fillers())
    assert not any("{" in case.text for _, case in contrast.compose(6_000, seed=3))


def test_every_kind_is_labelled_with_probabilities_of_known_labels() -> None:
    for kind in contrast.read_kinds():
        assert "toxicity" in kind.labels, kind.name
        assert set(kind.labels) <= set(TRAINED_LABELS), kind.name
        assert all(0 <= value <= 1 for value in kind.labels.values()), kind.name


def test_no_template_stands_twice() -> None:
    templates = [words(t) for kind in contrast.read_kinds() for t in kind.templates]
    assert len(templates) == len(set(templates))


def test_held_out_templates_are_not_composed_for_training() -> None:
    training = {example.text for _, example in contrast.compose(6_000, seed=1)}
    held_out = {example.text for _, example in contrast.compose(3_000, seed=1, held_out=True)}
    assert held_out and not training & held_out


def test_the_same_seed_composes_the_same_cases() -> None:
    assert contrast.compose(500, seed=4) == contrast.compose(500, seed=4)
    assert contrast.compose(500, seed=4) != contrast.compose(500, seed=5)


def test_no_functional_case_is_a_training_template() -> None:
    templates = {words(t) for kind in contrast.read_kinds() for t in kind.templates}
    cases = [words(case) for kind in functional.read_cases() for case in kind.cases]
    assert len(cases) == len(set(cases))
    assert not templates & set(cases)


def test_accuracy_of_a_known_judge() -> None:
    """A judge that calls everything toxic is right on all toxic cases and on no other."""
    rows = functional.functional(lambda texts: np.ones(len(texts)), 0.5)
    toxic = sum(row.cases for row in rows if row.toxic)
    assert functional.overall(rows) == toxic / sum(row.cases for row in rows)
    assert functional.balanced(rows) == 0.5
