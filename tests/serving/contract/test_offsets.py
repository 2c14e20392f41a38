from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.sentences import sentences
from serving.contract.offsets import utf16_length, utf16_spans


def test_spans_count_utf16_code_units() -> None:
    text = "a😀 b. 👨‍👩‍👧 é!"
    assert utf16_length("👨‍👩‍👧") == 8
    assert utf16_spans(text, [(0, 5), (6, 14)]) == [(0, 6), (7, 18)]


@given(st.text(alphabet="aé😀.! \n\ufffd", max_size=60))
def test_a_javascript_client_cuts_the_same_sentences(text: str) -> None:
    spans = list(sentences(text))
    units = text.encode("utf-16-le")
    cut = [
        units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in utf16_spans(text, spans)
    ]
    assert cut == [text[begin:end] for begin, end in spans]
