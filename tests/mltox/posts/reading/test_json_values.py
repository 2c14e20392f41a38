from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.reading.json_values import ValueTooLarge, values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=3)


def cut(text: str, size: int) -> list[Any]:
    data = text.encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return [json.loads(value) for value in values(pieces, 1 << 20)]


@given(st.lists(JSON), st.integers(1, 50), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_of_an_array(
    elements: list[Any], size: int, indent: int | None, escaped: bool
) -> None:
    text = json.dumps(elements, indent=indent, ensure_ascii=escaped)
    assert cut(f"\ufeff \n{text}\n", size) == elements


@given(st.lists(OBJECTS), st.integers(1, 50), st.sampled_from(["", "\n", " \r\n"]))
def test_objects_one_after_another(objects: list[Any], size: int, between: str) -> None:
    assert cut(between.join(json.dumps(o, indent=1) for o in objects), size) == objects


def test_a_broken_element_does_not_spoil_the_others() -> None:
    found = list(values([b'[{"a": 1}, {"b": oops}, {"c": 3}]'], 100))
    assert found == [b'{"a": 1}', b'{"b": oops}', b'{"c": 3}']


def test_what_is_cut_off_is_yielded_as_it_is() -> None:
    assert list(values([b'[{"a": 1}, {"b": "x'], 100)) == [b'{"a": 1}', b'{"b": "x']


def test_an_empty_array_has_no_elements() -> None:
    assert list(values([b" [ ] "], 100)) == []


def test_a_missing_quote_does_not_take_all_memory() -> None:
    with pytest.raises(ValueTooLarge):
        list(values([b'[{"a": "', *[b"x" * 100] * 50], 1_000))


@given(st.binary(max_size=200), st.integers(1, 30))
def test_any_bytes_lose_nothing_but_commas_brackets_and_space(data: bytes, size: int) -> None:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    kept = b"".join(values(pieces, 10_000))
    dropped = b",[]} \t\r\n\xef\xbb\xbf"
    assert kept.translate(None, dropped) == data.translate(None, dropped)
