import random
import subprocess
import sys
from collections.abc import Callable
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

    def __getattr__(self, name: str) -> object:
        return getattr(self.session, name)

    def run(self, names: list[str], feed: dict[str, list[list[int]]]) -> object:
        self.texts += len({tuple(row) for row in feed["input_ids"]})
        return self.session.run(names, feed)  # type: ignore[attr-defined]


def test_each_distinct_text_is_inferred_once_while_it_is_remembered() -> None:
    scorer = Scorer(threads=1, cache_size=2)
    scorer._session._stages[0] = counting = Counting(scorer._session._stages[0])
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
    ["a\udfffb", "\U0010ffff" * 9, "x" * 1_000_000, "@a http://b", "wtf", "?!", "a. " * 9_000],
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
    with pytest.raises(ValueError, match="2 texts and 1 languages"):
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


class NAType:
    """As pandas names its missing value."""


@pytest.mark.parametrize(
    "nothing",
    [None, float("nan"), NAType(), "", " ", "\n\t", "\u3000", "\x00", "\ud800", "\u200b\ufeff"],
)
def test_nothing_is_unscored_and_spoils_no_neighbour(scorer: Scorer, nothing: str) -> None:
    found, neighbour = scorer.score([nothing, "you fool"], ["en", "en"])
    assert found == UNSCORED
    assert neighbour == scorer.score(["you fool"])[0]
    assert scorer.spans([nothing, "you fool"])[0] == []


@pytest.mark.parametrize("call", [Scorer.score, Scorer.spans])
@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("you fool", "a list of texts"),
        (b"you fool", "a list of texts"),
        (["a", 7], "not int"),
        (["a", b"b"], "not bytes"),
        (["a", ["b"]], "not list"),
        (["a", 1.5], "not float"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(
    scorer: Scorer, call: Callable[..., object], texts: object, said: str
) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        call(scorer, texts)
    assert "\n" not in str(caught.value)


def test_a_lone_language_is_refused(scorer: Scorer) -> None:
    with pytest.raises(TypeError, match="a list of languages"):
        scorer.score(["you fool", "hello"], "en")


CLEAN = "The committee met on Monday and talked about the water of the lake. "
INSULT = "You are a worthless piece of shit."


@pytest.mark.parametrize("place", [0, 1, 5, 20, 60])
def test_an_insult_is_found_wherever_it_stands(scorer: Scorer, place: int) -> None:
    text = CLEAN * place + INSULT + " " + CLEAN * (60 - place)
    [found, clean] = scorer.score([text, CLEAN * 60])
    assert found.toxicity is not None and clean.toxicity is not None
    assert found.toxicity > 0.25 > 10 * clean.toxicity
    [spans] = scorer.spans([text])
    worst = max(spans, key=lambda span: span.scores["toxicity"])
    assert text[worst.begin : worst.end] == INSULT
    assert scorer.score([text] * 3 + ["hello"])[0] == uncached().score([text])[0]


def test_spans_are_the_sentences_of_the_text_as_given(scorer: Scorer) -> None:
    text = "  \U0001f600 The lake is calm &amp; clean.\n\nYou are a worthless\u200b idiot!  Bye"
    spans = scorer.spans([text, "You idiot"])
    assert [text[span.begin : span.end] for span in spans[0]] == [
        "\U0001f600 The lake is calm &amp; clean.",
        "You are a worthless\u200b idiot!",
        "Bye",
    ]
    by_sentence = scorer.score([text[span.begin : span.end] for span in spans[0]])
    assert [span.scores["toxicity"] for span in spans[0]] == [s.toxicity for s in by_sentence]
    assert max(spans[0], key=lambda span: span.scores["toxicity"]).begin == text.index("You")
    assert tuple(spans[0][0].scores) == scorer.bundle.labels
    assert spans[1] == [(0, 9, spans[1][0].scores)]
    assert spans[1][0].scores["toxicity"] == scorer.score(["You idiot"])[0].toxicity


def test_no_spans_for_a_foreign_text(scorer: Scorer) -> None:
    german = "Ich gehe heute mit meinem Hund im Park spazieren. Es regnet."
    assert scorer.spans([german, "Hello. You fool."], ["de", None])[0] == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=90), max_size=4))
def test_spans_lie_in_their_text_and_in_order(texts: list[str]) -> None:
    for text, spans in zip(texts, SHARED.spans(texts), strict=True):
        ends = [0, *(place for span in spans for place in span[:2]), len(text)]
        assert ends == sorted(ends)
        assert all(span.begin < span.end for span in spans)
