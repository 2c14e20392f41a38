"""What `--keywords` means: each word is of one kind."""

from __future__ import annotations

import pytest

from mltox.base.errors import UsageError
from pipelines.runs.arguments import topic_of


@pytest.mark.parametrize(
    ("given", "keywords", "phrases", "hashtags"),
    [
        ("election,#vote,prime minister", ["election"], ["prime minister"], ["vote"]),
        (" election , #vote ,, ", ["election"], [], ["vote"]),
        ("prime\tminister, prime  minister", [], ["prime\tminister", "prime  minister"], []),
        ("＃投票,選挙", ["選挙"], [], ["投票"]),
        ("c#, f# sharp", ["c#"], ["f# sharp"], []),
        ("#c#", [], [], ["c#"]),
    ],
)
def test_a_word_is_a_keyword_a_phrase_or_a_hashtag(
    given: str, keywords: list[str], phrases: list[str], hashtags: list[str]
) -> None:
    topic = topic_of("t", given)
    assert topic.name == "t"
    assert [*map(list, (topic.keywords, topic.phrases, topic.hashtags))] == [
        keywords,
        phrases,
        hashtags,
    ]


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        ("#prime minister", "#primeminister"),
        ("election, # vote", "#vote"),
        ("#a\tb", "#ab"),
        ("＃首相 官邸", "＃首相官邸"),
        ("#prime #minister", "#prime#minister"),
    ],
)
def test_a_hashtag_with_a_space_is_refused_and_not_two_things(given: str, instead: str) -> None:
    with pytest.raises(UsageError, match="a hashtag has no space") as refused:
        topic_of("t", given)
    assert repr(instead) in str(refused.value)
