import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.text import clipped, plural, score, share, sparkline, utc, visible

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)


def test_what_hides_or_reorders_text_is_replaced() -> None:
    assert visible("a\x00b\u202ec\ud800d\x1b[31m") == "a\ufffdb\ufffdc\ufffdd\ufffd[31m"
    assert visible("one\r\ntwo\rthree") == "one\ntwo\nthree"
    assert visible("line\n\ttab 😀 ‍é") == "line\n\ttab 😀 ‍é"


@given(ANY_TEXT, st.integers(1, 50))
def test_clipped_text_is_never_longer(text: str, length: int) -> None:
    cut = clipped(text, length)
    assert len(cut) <= length
    assert cut == text or cut.endswith("…")


def test_times_are_utc() -> None:
    at = 1_456_789_000_000_000  # date -u -d @1456789000
    assert utc(at) == "29 Feb 2016, 23:36"


@pytest.mark.parametrize(
    ("value", "as_share", "as_score"),
    [
        (None, "–", "–"),
        (0.0, "0.0 %", "0.000"),
        (0.12345, "12.3 %", "0.123"),
        (1, "100.0 %", "1.000"),
    ],
)
def test_numbers(value: float | None, as_share: str, as_score: str) -> None:
    assert share(value) == as_share
    assert score(value) == as_score


def test_plural() -> None:
    assert [plural(n, "hour", "hours") for n in (0, 1, 1200)] == [
        "0 hours",
        "1 hour",
        "1,200 hours",
    ]


def test_a_sparkline_spans_its_box_and_leaves_gaps() -> None:
    line = sparkline([1.0, None, 3.0, 2.0], width=64, height=26)
    assert line is not None
    assert line.path == "M2.0 23.0M42.0 3.0L62.0 13.0"
    assert (line.width, line.height) == (64, 26)
    assert sparkline([None, 1.0]) is None
    flat = sparkline([5.0, 5.0])
    assert flat is not None and "nan" not in flat.path.lower()
