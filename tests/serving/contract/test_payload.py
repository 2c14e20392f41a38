import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.contract.errors import Refusal
from serving.contract.messages import ANALYZE
from serving.contract.payload import json_of_body, parse


def test_names_may_be_in_either_case() -> None:
    camel = {"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {"scoreThreshold": 0.5}}}
    snake = {
        "comment": {"text": "a"},
        "requested_attributes": {"TOXICITY": {"score_threshold": 0.5}},
    }
    assert parse(ANALYZE, camel) == parse(ANALYZE, snake) == camel


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"languages": "en"}, {"languages": ["en"]}),  # peRspective
        ({"languages": ["en", "de"]}, {"languages": ["en", "de"]}),
        ({"context": {"entries": {"text": "a"}}}, {"context": {"entries": [{"text": "a"}]}}),
        ({"clientToken": None, "languages": None}, {}),
        ({"requestedAttributes": {"TOXICITY": None}}, {"requestedAttributes": {"TOXICITY": {}}}),
    ],
)
def test_what_googles_parser_let_pass(given: object, taken: object) -> None:
    assert parse(ANALYZE, given) == taken


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"text": "a"}, 'Unknown name "text": Cannot find field.'),
        ({"comment": {"txt": "a"}}, "Unknown name \"txt\" at 'comment'"),
        ({"comment": {"text": 5}}, "Invalid value at 'comment.text': expected string"),
        ({"comment": "a"}, "Expected an object at 'comment'"),
        ({"doNotStore": "yes"}, "Invalid value at 'doNotStore': expected boolean"),
        ({"requestedAttributes": ["TOXICITY"]}, "Expected an object at 'requestedAttributes'"),
        ({"requestedAttributes": {"A": {"scoreThreshold": True}}}, "scoreThreshold': expected"),
        ({"requestedAttributes": {"A": {"scoreThreshold": 10**400}}}, "scoreThreshold': expected"),
        ({"languages": [["en"]]}, "Invalid value at 'languages[0]'"),
        ({"clientToken": "a", "client_token": "b"}, '"clientToken" is given twice'),
        (["a"], "Expected an object."),
    ],
)
def test_anything_else_is_refused_by_name(given: object, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(ANALYZE, given)
    assert words in caught.value.message
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'["\ud83d\ude00"]', ["😀"]),
        (rb'["cut \ud83d"]', ["cut \ufffd"]),  # JavaScript's slice within an emoji
        (rb'["\ude00\ud83d"]', ["\ufffd\ufffd"]),
        ('["ü"]'.encode(), ["ü"]),
    ],
)
def test_surrogates(body: bytes, value: object) -> None:
    assert json_of_body(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"text=a",
        b"\xff",
        b'{"a": NaN}',
        rb'{"a": NaN, "b": "\ud800"}',
        b"[" * 100_000,
        rb'["\ud800",' + b"[" * 100_000,
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1} {"b": 2}',
    ],
)
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(Refusal, match="Invalid JSON payload"):
        json_of_body(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "comment",
                        "text",
                        "languages",
                        "requestedAttributes",
                        "context",
                        "entries",
                        "scoreThreshold",
                        "x",
                    ]
                ),
                below,
                max_size=3,
            )
        ),
        max_leaves=10,
    )
)
def test_any_json_is_a_message_or_refused(value: object) -> None:
    try:
        parse(ANALYZE, value)
    except Refusal as refusal:
        assert refusal.body()["error"]["details"]
