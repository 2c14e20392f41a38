import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.markup import (
    clipped,
    escaped,
    json_block,
    plural,
    score,
    share,
    sparkline,
    table,
    time_tag,
    utc,
    visible,
)

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)


class Reader(HTMLParser):
    """Collects the tags and the text that a parser sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(ANY_TEXT)
def test_escaped_text_makes_no_tag_and_reads_as_written(text: str) -> None:
    reader = parse(f"<p>{escaped(text)}</p>")
    assert reader.tags == ["p"]
    assert reader.text == visible(text)


@given(ANY_TEXT)
def test_a_data_block_is_one_element_and_reads_back(text: str) -> None:
    block = json_block("x", {"text": visible(text)})
    inner = block.removeprefix('<script type="application/json" id="x">').removesuffix("</script>")
    assert not set(inner) & set("<>&\u2028\u2029")
    assert json.loads(inner) == {"text": visible(text)}
    block.encode("utf-8")


def test_a_data_block_cannot_be_closed_by_its_content() -> None:
    block = json_block("x", ["</script><script>alert(1)</script>", "<!--", "\ud800"])
    assert block.count("</script>") == 1
    assert "<!--" not in block
    block.encode("utf-8")


def test_a_data_block_refuses_what_json_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_block("x", float("nan"))


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
    assert time_tag(at) == '<time datetime="2016-02-29T23:36Z">29 Feb 2016, 23:36</time>'


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


def test_a_table_has_a_caption_row_headings_and_column_names_for_small_screens() -> None:
    markup = table("Totals", ["Topic", "Posts"], [["a", "1"]], numeric=(1,))
    reader = parse(markup)
    assert reader.tags == [
        "div",
        "table",
        "caption",
        "thead",
        "tr",
        "th",
        "th",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
    ]
    assert '<th scope="row">a</th>' in markup
    assert '<td data-label="Posts" class="n"><div>1</div></td>' in markup
    assert 'tabindex="0"' in markup


def test_a_sparkline_spans_its_box_and_leaves_gaps() -> None:
    markup = sparkline([1.0, None, 3.0, 2.0], "Trend", width=64, height=26)
    assert 'd="M2.0 23.0M42.0 3.0L62.0 13.0"' in markup
    assert sparkline([None, 1.0], "Trend") == "–"
    assert "NaN" not in sparkline([5.0, 5.0], "Trend")
