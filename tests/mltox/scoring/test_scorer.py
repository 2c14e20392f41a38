import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.posts.records import LABELS, UNSCORED, Scores
from mltox.scoring import DEFAULT_BUNDLE, Scorer, load_bundle

WORDS = (
    "you",
    "are",
    "a",
    "kind",
    "fool",
    "and",
    "the",
    "weather",
    "is",
    "bad",
    "shut",
    "up",
    "thanks",
)
CLEAR = [
    ("you are a stupid worthless idiot, shut up", True),
    ("I will find you and kill you", True),
    ("go to hell you disgusting pig", True),
    ("fuck you, you piece of shit", True),
    ("have a wonderful day, see you at the library", False),
    ("The committee published its annual report on water quality.", False),
    ("thank you so much for your help with the garden", False),
    ("I am a proud gay man", False),
]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(threads=1)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    draw = random.Random(5)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 120))) for _ in range(120)]


def uncached() -> Scorer:
    return Scorer(threads=1, cache_size=0)


@pytest.mark.parametrize(("text", "toxic"), CLEAR)
def test_clear_cases_fall_on_their_side(scorer: Scorer, text: str, toxic: bool) -> None:
    [scores] = scorer.score([text])
    assert scores.toxicity is not None
    assert (scores.toxicity >= scorer.threshold) == toxic


def test_scores_are_probabilities_of_the_labels_of_the_bundle(scorer: Scorer) -> None:
    [scores] = scorer.score(["hello you fool"])
    for label, value in zip(LABELS, scores, strict=True):
        if label in scorer.bundle.labels:
            assert value is not None
            assert 0 <= value <= 1
            assert value == round(value, 6)
        else:
            assert value is None


def test_a_text_scores_the_same_whatever_its_batch(texts: list[str]) -> None:
    scorer = uncached()
    together = dict(zip(texts, scorer.score(texts), strict=True))
    shuffled = random.Random(1).sample(texts, len(texts))
    assert dict(zip(shuffled, scorer.score(shuffled), strict=True)) == together
    by_length = sorted(texts, key=len, reverse=True)
    assert dict(zip(by_length, scorer.score(by_length), strict=True)) == together
    assert {text: scorer.score([text])[0] for text in texts} == together
    neighbours = [text for pair in zip(texts, ["x " * 200] * len(texts), strict=True)
                  for text in pair]  # fmt: skip
    assert dict(zip(neighbours, scorer.score(neighbours), strict=True)).items() >= together.items()


def test_threads_do_not_change_a_score(texts: list[str]) -> None:
    assert Scorer(threads=2, cache_size=0).score(texts) == uncached().score(texts)


def test_order_and_repetitions(scorer: Scorer) -> None:
    texts = ["you idiot", "good morning", "you idiot", "&lt;3", "<3", "good   morning"]
    scores = scorer.score(texts)
    assert scores[0] == scores[2]
    assert scores[1] == scores[5]
    assert scores[3] == scores[4]
    assert scores == [scorer.score([text])[0] for text in texts]


class Counting:
    """An ONNX session that counts the distinct texts of each batch."""

    def __init__(self, session: object) -> None:
        self.session = session
        self.texts = 0

    def run(self, names: list[str], feed: dict[str, list[list[int]]]) -> object:
        self.texts += len({tuple(row) for row in feed["input_ids"]})
        return self.session.run(names, feed)  # type: ignore[attr-defined]


def test_each_distinct_text_is_inferred_once_while_it_is_remembered() -> None:
    scorer = Scorer(threads=1, cache_size=2)
    scorer._session = counting = Counting(scorer._session)
    scorer.score(["a b", "a b", "c d"])
    assert counting.texts == 2
    scorer.score(["c d", "a b"])
    assert counting.texts == 2
    scorer.score(["e f"])
    scorer.score(["c d"])  # forgotten: "a b" was used after it
    assert counting.texts == 4


def test_languages(scorer: Scorer) -> None:
    german = "Ich gehe heute mit meinem Hund im Park spazieren"
    texts = ["you fool", german, german, "you fool"]
    scores = scorer.score(texts, [None, None, "en", "fr"])
    assert scores[0].toxicity is not None
    assert scores[1] == UNSCORED
    assert scores[2].toxicity is not None
    assert scores[3] == UNSCORED


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "\ud800", "a\udfffb", "\U0010ffff" * 9, "x" * 1_000_000, "@a http://b"],
)
def test_no_text_fails_or_spoils_its_batch(scorer: Scorer, text: str) -> None:
    alone, neighbour = scorer.score([text, "you fool"], ["en", "en"])
    assert alone.toxicity is not None
    assert neighbour == scorer.score(["you fool"])[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=40), max_size=6))
def test_as_many_scores_as_texts(texts: list[str]) -> None:
    scores = SHARED.score(texts)
    assert len(scores) == len(texts)
    assert all(isinstance(item, Scores) for item in scores)


SHARED = Scorer(threads=1)


def test_from_several_threads(scorer: Scorer, texts: list[str]) -> None:
    expected = uncached().score(texts)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scorer.score(texts), range(4)):
            assert found == expected


def test_texts_and_languages_must_match(scorer: Scorer) -> None:
    with pytest.raises(ValueError, match="zip"):
        scorer.score(["a", "b"], ["en"])


def test_the_model_is_named(scorer: Scorer) -> None:
    bundle = load_bundle(DEFAULT_BUNDLE)
    assert scorer.model == f"{bundle.name}@{bundle.sha256[:12]}"
    assert scorer.model_sha256 == bundle.sha256
    assert scorer.threshold == bundle.threshold


def test_the_runtime_loads_no_training_library_and_no_beam() -> None:
    code = (
        "import sys, mltox.scoring, commands.score\n"
        "mltox.scoring.Scorer().score(['hello there my good old friend'])\n"
        "heavy = {'torch', 'transformers', 'apache_beam', 'sklearn', 'onnx'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
