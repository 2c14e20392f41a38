from hypothesis import given
from hypothesis import strategies as st

from serving.contract.offsets import utf16_length, utf16_spans
from serving.engine import MAX_SPANS, sentences


def test_spans_count_utf16_code_units() -> None:
    text = "a😀 b. 👨‍👩‍👧 é!"
    assert utf16_length("👨‍👩‍👧") == 8
    assert utf16_spans(text, [(0, 5), (6, 14)]) == [(0, 6), (7, 18)]


@given(st.text(alphabet="aé😀.! \n\ufffd", max_size=60))
def test_a_javascript_client_cuts_the_same_sentences(text: str) -> None:
    spans = sentences(text)
    units = text.encode("utf-16-le")
    cut = [
        units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in utf16_spans(text, spans)
    ]
    assert cut == [text[begin:end] for begin, end in spans]


@given(st.text(max_size=80))
def test_sentences_are_all_of_the_text_but_the_space_between(text: str) -> None:
    spans = sentences(text)
    assert all(begin < end for begin, end in spans)
    assert "".join("".join(text[begin:end].split()) for begin, end in spans) == "".join(
        text.split()
    )
    assert len(spans) <= MAX_SPANS


def test_a_text_of_thousands_of_sentences_is_scored_in_bounded_parts() -> None:
    spans = sentences("No. " * 5_000)
    assert len(spans) == MAX_SPANS
    assert spans[-1][1] == len("No. " * 5_000) - 1
