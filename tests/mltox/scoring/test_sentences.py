import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.sentences import LONGEST_SENTENCE, sentences


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dr. Low is here. Go away!  You", ["Dr. Low is here.", "Go away!", "You"]),
        ("Hi\n\n you.  \n", ["Hi", "you."]),
        ('U.S. troops, e.g. there... No? "Yes." ok',
         ["U.S. troops, e.g. there...", "No?", '"Yes."', "ok"]),
        ("One。二！three", ["One。", "二！", "three"]),
        ("version 2.5 is out", ["version 2.5 is out"]),
        ("see http://a.b/c.d?e now", ["see http://a.b/c.d?e now"]),
        (" \n ", []),
        ("", []),
    ],
)  # fmt: skip
def test_sentences(text: str, found: list[str]) -> None:
    assert [text[begin:end] for begin, end in sentences(text)] == found


def test_a_sentence_without_end_is_cut_between_words() -> None:
    text = "word " * 400
    parts = [text[begin:end] for begin, end in sentences(text)]
    assert max(map(len, parts)) <= LONGEST_SENTENCE
    assert " ".join(parts) == text.strip()


@given(st.text(st.sampled_from("ab .!?\n。"), max_size=900))
def test_nothing_but_space_lies_between(text: str) -> None:
    end = 0
    for begin, next_end in sentences(text):
        assert text[end:begin].strip() == ""
        assert begin < next_end <= begin + LONGEST_SENTENCE
        assert text[begin:next_end].strip() == text[begin:next_end]
        end = next_end
    assert text[end:].strip() == ""


def test_endless_signs_take_no_time() -> None:
    for text in ("." * 10_000 + "x", "?!" * 5_000 + "x", '."' * 5_000 + "x"):
        assert list(sentences(text))[-1][1] == len(text)
