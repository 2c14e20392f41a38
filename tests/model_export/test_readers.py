"""What each set says of a text, by hand."""

import pytest

from model_export.examples import TRAINED_LABELS, UNKNOWN
from model_export.readers import SETS, asks_for_toxicity, read_set, trust


def labels(source: str, row: dict[str, str]) -> dict[str, float]:
    [example] = read_set(source, iter([row]))
    assert example.source == source
    named = dict(zip(TRAINED_LABELS, example.labels, strict=True))
    return {label: value for label, value in named.items() if value != UNKNOWN}


def test_votes_are_soft_labels() -> None:
    row = {"text": "x", "annotators": "3", "say_not_toxic": "1", "votes_insult": "2"}
    row |= {"votes_profane_obscene": "0", "votes_threat": "0", "votes_identity_based_attack": "1"}
    assert labels("civil", row) == pytest.approx(
        {"toxicity": 0.2 + 0.8 * 2 / 3, "insult": 2 / 3, "obscene": 0.0, "threat": 0.0,
         "identity_attack": 1 / 3}
    )  # fmt: skip
    tweet = {
        "tweet": "y",
        "class": "2",
        "hate_speech": "1",
        "offensive_language": "1",
        "count": "4",
    }
    assert labels("davidson", tweet) == {"toxicity": 0.5}


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("edos", {"text": "x", "label_sexist": "not sexist", "label_category": "none"}),
        ("reddit_misogyny", {"text": "x", "level_1": "Nonmisogynistic"}),
    ],
)
def test_what_a_set_does_not_say_is_unknown(source: str, row: dict[str, str]) -> None:
    assert labels(source, row) == {}


@pytest.mark.parametrize(
    ("source", "row", "expected"),
    [
        ("edos", {"text": "x", "label_sexist": "sexist", "label_category": "3. animosity"},
         {"toxicity": 0.75, "identity_attack": 0.8}),
        ("hatemoji", {"text": "x", "label_gold": "1"}, {"toxicity": 0.95, "identity_attack": 1.0}),
        ("hatemoji", {"text": "x", "label_gold": "0"}, {"toxicity": 0.1, "identity_attack": 0.0}),
        ("implicit_hate", {"text": "x", "class": "implicit_hate"},
         {"toxicity": 0.8, "identity_attack": 0.8}),
        ("stormfront", {"text": "x", "label": "hate"},
         {"toxicity": 1.0, "identity_attack": 1.0}),
        ("fox_news", {"text": "x", "label": "0"}, {"toxicity": 0.2, "identity_attack": 0.0}),
    ],
)  # fmt: skip
def test_other_sets(source: str, row: dict[str, str], expected: dict[str, float]) -> None:
    assert labels(source, row) == expected


def test_deleted_comments_are_left_out() -> None:
    assert (
        read_set("ruddit", iter([{"comment_body": "[deleted]", "offensiveness_score": "1"}])) == []
    )


def test_sets_that_asked_for_hate_count_less() -> None:
    assert trust("civil") == trust("jigsaw") == trust("anything.csv") == 0.5
    assert trust("implicit_hate") < trust("edos") < 0.5
    assert {name for name in SETS if not asks_for_toxicity(name)} == {
        "edos", "hatemoji", "implicit_hate", "reddit_misogyny"
    }  # fmt: skip
