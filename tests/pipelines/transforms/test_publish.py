"""What dead letters and anomalies look like as messages."""

import orjson

from mltox.posts.records import Anomaly, DeadLetter
from pipelines.transforms.publish import CUT, MOST_CHARS, anomaly_message, letter_message

LETTER = DeadLetter("l1", "parse", "malformed_json", "no value", "{ünïcode", None, 7)
ANOMALY = Anomaly("t", 3_600_000_000, "posts", 40.0, 5.0, 0.0, 11.0, 8.5, "critical", "up",
                  "seasonal_1h", "open", ("vote",), ("x:1", "x:2"), 0.5, 9)  # fmt: skip


def test_a_letter_is_its_row_and_can_be_filtered_by_stage_and_kind() -> None:
    message = letter_message("t", LETTER)
    assert orjson.loads(message.data) == LETTER._asdict()
    assert message.attributes == {
        "letter_id": "l1",
        "stage": "parse",
        "error_type": "malformed_json",
    }


def test_an_alert_is_its_row() -> None:
    message = anomaly_message("t", ANOMALY)
    row = orjson.loads(message.data)
    assert row == ANOMALY._asdict() | {"terms": ["vote"], "example_post_ids": ["x:1", "x:2"]}
    assert message.attributes == {
        "metric": "posts",
        "severity": "critical",
        "direction": "up",
        "status": "open",
    }


def test_a_letter_too_large_for_pubsub_goes_without_its_payload() -> None:
    """Control characters take six bytes each in JSON: the largest that is kept must still fit."""
    largest = letter_message("t", LETTER._replace(payload="\x01" * MOST_CHARS))
    assert len(largest.data) < 10_000_000
    larger = letter_message("t", LETTER._replace(payload="x" * (MOST_CHARS + 1)))
    assert orjson.loads(larger.data)["payload"] == CUT
