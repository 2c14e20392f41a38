import random
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.normalise import normalise
from model_export.examples import LabelledText
from model_export.passes import examples_of_pass
from model_export.perturb import CHANGES, perturbed

TEXT = "you are a stupid person and nobody likes your silly face"


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_every_change_changes_a_text_and_is_seeded(name: str) -> None:
    change = CHANGES[name]
    assert change(TEXT, random.Random(1)) != TEXT
    assert change(TEXT, random.Random(1)) == change(TEXT, random.Random(1))


@given(st.text(), st.integers())
def test_any_text_can_be_respelled(text: str, seed: int) -> None:
    perturbed(text, random.Random(seed))


@pytest.mark.parametrize("name", ["spaced letters", "homoglyphs"])
def test_the_normaliser_undoes_what_it_can(name: str) -> None:
    assert normalise(CHANGES[name]("what a stupid idea", random.Random(2))) == "what a stupid idea"


def examples() -> list[LabelledText]:
    clean = [
        LabelledText(f"clean comment number {i} here", (0.0,) * 6, "jigsaw") for i in range(400)
    ]
    toxic = [
        LabelledText(f"toxic comment number {i} here", (1.0,) * 6, "jigsaw") for i in range(100)
    ]
    other = [
        LabelledText(f"clean tweet number {i} here", (0.0,) * 6, "davidson") for i in range(100)
    ]
    return clean + toxic + other


def test_a_pass_sees_every_toxic_text_and_about_half_of_the_clean_comments() -> None:
    chosen = examples_of_pass(examples(), 0, cases=50, seed=1)
    by_source = Counter(example.source for example in chosen if example.source != "jigsaw")
    toxic = sum(e.source == "jigsaw" and e.labels[0] == 1 for e in chosen)
    clean = sum(e.source == "jigsaw" and e.labels[0] == 0 for e in chosen)
    assert (by_source, toxic) == ({"davidson": 100, "contrast": 50}, 100)
    assert 150 < clean < 250


def test_respelling_tells_nothing_of_the_label() -> None:
    chosen = examples_of_pass(examples() * 5, 0, cases=0, seed=1)
    respelled: dict[float, list[bool]] = {0.0: [], 1.0: []}
    for example in chosen:
        kind = "toxic" if example.labels[0] else "clean"
        plain = re.search(rf"{kind} \w+ number \d+ here", example.text)
        respelled[example.labels[0]].append(plain is None)
    shares = [sum(found) / len(found) for found in respelled.values()]
    assert all(0.07 < share < 0.17 for share in shares)


def test_passes_differ_and_the_same_pass_does_not() -> None:
    first = examples_of_pass(examples(), 0, cases=50, seed=1)
    assert first == examples_of_pass(examples(), 0, cases=50, seed=1)
    assert first != examples_of_pass(examples(), 1, cases=50, seed=1)
