from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.reading.json_values import Value, ValueTooLarge, values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=3)
ELEMENTS = OBJECTS | st.none() | st.booleans() | st.integers() | st.text()


def payloads(text: bytes, size: int = 1 << 20) -> list[bytes]:
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    return [found.payload for found in values(pieces, 1 << 20) if isinstance(found, Value)]


def cut(text: str, size: int) -> list[Any]:
    return [json.loads(value) for value in payloads(text.encode(), size)]


@given(st.lists(ELEMENTS), st.integers(1, 50), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_of_an_array(
    elements: list[Any], size: int, indent: int | None, escaped: bool
) -> None:
    text = json.dumps(elements, indent=indent, ensure_ascii=escaped)
    assert cut(f"\ufeff \n{text}\n", size) == elements


@given(st.lists(OBJECTS), st.integers(1, 50), st.sampled_from(["", "\n", " \r\n", ",\n", "\n\x1e"]))
def test_objects_one_after_another(objects: list[Any], size: int, between: str) -> None:
    assert cut(between.join(json.dumps(o, indent=1) for o in objects), size) == objects


@given(st.lists(st.lists(OBJECTS), max_size=4), st.integers(1, 50))
def test_arrays_one_after_another(arrays: list[list[Any]], size: int) -> None:
    text = "\n".join(map(json.dumps, arrays))
    assert cut(text, size) == [each for array in arrays for each in array]


GOOD = ['{"id": 1, "t": "a"}', '{"id": 2, "t": "b"}', '{"id": 3, "t": "c"}', '{"id": 4, "t": "d"}']
BROKEN = {
    "a name for a value": '{"id": 9, "t": oops}',
    "no closing quote": '{"id": 9, "t": "x}',
    "no opening quote": '{"id": 9, "t": x"}',
    "no closing brace": '{"id": 9, "t": "x"',
    "no opening brace": '"id": 9, "t": "x"}',
    "two braces": '{"id": 9, "t": "x"}}',
    "an open list": '{"id": 9, "t": ["x"}',
    "cut in an escape": '{"id": 9, "t": "x\\',
    "no colon": '{"id" 9}',
    "no comma": '{"id": 9 "t": "x"}',
    "an object in it": '{"id": 9, "of": {"id": 8, "t": "inner"}, "t": x}',
}


@pytest.mark.parametrize("flaw", sorted(BROKEN))
@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("form", ["[{}]", "[\n {}\n]", "{}\n"])
@pytest.mark.parametrize("size", [3, 1 << 20])
def test_one_flaw_spoils_no_other_value(flaw: str, place: int, form: str, size: int) -> None:
    elements = [*GOOD[:place], BROKEN[flaw], *GOOD[place:]]
    between = ", " if form == "[{}]" else ",\n" if form[0] == "[" else "\n"
    text = form.replace("{}", between.join(elements))
    found = [value.decode() for value in payloads(text.encode(), size)]
    assert [value for value in found if value in GOOD] == GOOD
    assert any(value not in GOOD for value in found) or flaw == "two braces"
    assert '{"id": 8, "t": "inner"}' not in found


def test_what_is_cut_off_is_yielded_as_it_is() -> None:
    assert payloads(b'[{"a": 1}, {"b": "x') == [b'{"a": 1}', b'{"b": "x']


def test_a_cut_first_value() -> None:
    assert payloads(b'xt": "a"}, {"b": 1}]') == [b'xt": "a"},', b'{"b": 1}']


def test_an_empty_array_has_no_elements() -> None:
    assert list(values([b" [ ] "], 100)) == []


def test_a_missing_quote_does_not_take_all_memory() -> None:
    found = list(values([b'[{"a": "', *[b"x" * 100] * 50, b'"}, {"b": 1}]'], 1_000))
    assert isinstance(found[0], ValueTooLarge)
    assert found[1:] == [Value(b'{"b": 1}', True)]


@given(st.binary(max_size=200), st.integers(1, 30))
def test_any_bytes_lose_nothing_but_commas_brackets_and_space(data: bytes, size: int) -> None:
    kept = b"".join(payloads(data, size))
    # str.isspace knows more than ASCII's, which is no loss between two values
    dropped = b",;[]} \t\r\n\x0b\x0c\x1c\x1d\x1e\x1f\xef\xbb\xbf\xc2\xa0\x85\xe2\x80"
    assert kept.translate(None, dropped) == data.translate(None, dropped)
