"""Templates escape what they are given, whoever wrote it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from dashboards.rendering import HTML, fill, markup
from dashboards.text import visible

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)
BAD = "</pre><script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects the tags and the text that a parser sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(ANY_TEXT)
def test_a_text_makes_no_tag_and_reads_as_written(text: str) -> None:
    reader = parse(fill("options.html", options=[(0, text[:40])]))
    assert reader.tags == ["option"]
    assert reader.text == visible(text[:40])


@given(ANY_TEXT)
def test_a_text_stays_in_its_attribute(text: str) -> None:
    reader = parse(fill("live.html", at=0, version=text))
    assert reader.tags == ["p", "span", "span", "time"]
    assert reader.attributes[0]["data-version"] == visible(text)


@given(ANY_TEXT)
def test_a_data_block_is_one_element_and_reads_back(text: str) -> None:
    block = fill("data.html", blocks=[("x", {"text": visible(text)})])
    inner = block.removeprefix('<script type="application/json" id="x">').removesuffix("</script>")
    assert not set(inner) & set("<>&\u2028\u2029")
    assert json.loads(inner) == {"text": visible(text)}
    block.encode("utf-8")


def test_a_data_block_cannot_be_closed_by_its_content() -> None:
    block = fill("data.html", blocks=[("x", [BAD, "<!--", "\ud800"])])
    assert block.count("</script>") == 1
    assert "<!--" not in block
    block.encode("utf-8")


def test_a_data_block_refuses_what_json_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="JSON"):
        fill("data.html", blocks=[("x", float("nan"))])


def test_a_part_is_not_escaped_again_in_the_page() -> None:
    part = fill("options.html", options=[(0, "<b>")])
    whole = fill("detail.html", options=part, accuracy=markup("<p>ours</p>"))
    assert '<option value="0">&lt;b&gt;</option>' in whole
    assert "<p>ours</p>" in whole


def test_a_value_that_was_forgotten_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        fill("notice.html", title="only this")


@pytest.mark.parametrize("name", sorted(path.name for path in HTML.glob("*.html")))
def test_no_template_switches_escaping_off(name: str) -> None:
    text = (HTML / name).read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|\|\s*(forceescape|striptags)", text)


def test_a_table_has_a_caption_row_headings_and_column_names_for_small_screens() -> None:
    html = fill("planted.html", rows=[], hits=0)
    assert parse(html).tags == [
        "section", "h2", "p", "div", "table", "caption", "thead", "tr",
        *["th"] * 5, "tbody",
    ]  # fmt: skip
    assert 'tabindex="0"' in html
