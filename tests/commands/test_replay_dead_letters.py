"""Which dead letters are put back, as what, and that doing it twice changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.replay_dead_letters import letters_of, main, message_of
from mltox.google.pubsub.messages import Outgoing
from mltox.posts.envelope import Reject
from mltox.posts.letters import dead_letter, origin_of, payload_of
from mltox.posts.records import SECOND, DeadLetter, Post
from mltox.warehouse import open_warehouse
from pipelines.transforms.store_text import WITHHELD

TOPIC = "projects/p/topics/posts"
NOW = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * SECOND
POST = {"id": "1", "text": "good morning", "created_at": "2026-03-02T12:00:00Z"}
EVENT = {
    "did": "0123456789abcdef0123456789abcdef",
    "time_us": 1,
    "kind": "commit",
    "commit": {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "[masked]",
        "record": {"text": "good morning", "createdAt": "2026-03-02T12:00:00Z"},
    },
}
GOOD = json.dumps(POST)


def letter(name: str, payload: str, stage: str = "parse", seen_at: int = NOW) -> DeadLetter:
    return DeadLetter(name, stage, "some_error", "why", payload, None, seen_at)


def test_a_mended_letter_is_its_payload_with_its_own_time_and_name() -> None:
    message = message_of(TOPIC, letter("l1", GOOD), NOW)
    assert message == Outgoing(
        TOPIC,
        GOOD.encode(),
        {
            "post_id": "letter:l1",
            "created_at": "2026-03-02T12:00:00Z",
            "letter_id": "l1",
        },
    )


def test_a_post_that_was_too_late_or_not_scored_goes_back_whole() -> None:
    late = payload_of(Post("t", "x:1", "x", None, "text", "en", NOW - 1, NOW))
    for stage in ("window", "score"):
        message = message_of(TOPIC, letter("l1", late, stage), NOW)
        assert message is not None and json.loads(message.data)["topics"] == ["t"]


@pytest.mark.parametrize(
    ("payload", "stage"),
    [
        ("{", "parse"),
        (WITHHELD, "parse"),
        ("", "parse"),
        ("[1, " + GOOD + "]", "parse"),
        (GOOD, "write_scored_posts"),
        (GOOD.replace("good morning", "good morning [masked]"), "parse"),
        (GOOD.replace('"1"', '"[masked]"'), "parse"),
        (json.dumps(EVENT), "parse"),
    ],
)
def test_what_holds_no_post_stays(payload: str, stage: str) -> None:
    assert message_of(TOPIC, letter("l1", payload, stage), NOW) is None


def test_a_letter_that_is_refused_again_stays_the_letter_that_it_was() -> None:
    """Else each time would make new letters, of which the next time would make more."""
    reject = Reject("malformed_json", "why", "{", None)
    first = dead_letter(reject, "parse", origin_of("m1", {}), 0, seen_at=1)
    origin = origin_of("m2", {"letter_id": first.letter_id})
    assert dead_letter(reject, "parse", origin, 0, seen_at=1) == first
    assert dead_letter(reject, "parse", origin, 1, seen_at=1) != first
    assert dead_letter(reject, "parse", origin_of("m2", None), 0, seen_at=1) != first


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    uri = str(tmp_path / "w.duckdb")
    with open_warehouse(uri) as opened:
        opened.create()
        opened.upsert(
            "dead_letters",
            [
                letter("a", GOOD, seen_at=NOW - 2 * SECOND),
                letter("b", "{", seen_at=NOW - 1 * SECOND),
                letter("c", GOOD, "score", seen_at=NOW),
                letter("d", GOOD, "write_anomalies", seen_at=NOW)._replace(error_type="other"),
            ],
        )
    return uri


def test_letters_are_chosen_by_stage_kind_and_time(warehouse: str) -> None:
    moment = datetime.fromtimestamp(NOW // SECOND, UTC)
    with open_warehouse(warehouse) as opened:
        chosen = [
            "".join(each.letter_id for each in letters_of(opened, **wanted))
            for wanted in (
                {},
                {"stage": "score"},
                {"error_type": "other"},
                {"since": moment},
                {"since": moment, "stage": "parse"},
            )
        ]
    assert chosen == ["abcd", "c", "d", "cd", ""]


def test_a_dry_run_counts_and_needs_no_topic(
    warehouse: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--warehouse", warehouse, "--dry-run"]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [
        ["letters", "4"],
        ["=", "mended", "2"],
        ["+", "parse:", "some_error", "1"],
        ["+", "write_anomalies:", "other", "1"],
        ["published", "0"],
    ]


def test_without_a_topic_it_says_so(warehouse: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--warehouse", warehouse]) == 2
    assert "--output-topic" in capsys.readouterr().err
