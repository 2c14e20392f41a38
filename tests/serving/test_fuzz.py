"""50,000 requests that are nearly right, at a real server: no 5xx and no hang."""

from __future__ import annotations

import http.client
import json
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests.serving.conftest import ANALYZE, SUGGEST, Process, ask
from tests.serving.test_batch import KIND, batch, part

REQUESTS = int(os.environ.get("MLTOX_FUZZ_REQUESTS", "50000"))
THREADS = 4
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    0.5,
    1e308,
    10**30,
    "",
    " ",
    "en",
    "xx",
    "und",
    "PLAIN_TEXT",
    "TOXICITY",
    "TOXICITY@",
    "\u0000",
    "\ud800",
    "\u202e",
    "\u200b",
    "😀",
    "a" * 5_000,
    [],
    {},
    [[]],
    [None],
    ["en", 5],
    {"": {}},
    {"text": "a"},
    {"TOXICITY": {"scoreThreshold": 2}},
)
TEXTS = (
    "You are an idiot.",
    "",
    "lol",
    "?" * 500,
    "é😀" * 400,
    "No. " * 900,
    "Bonjour à tous",
    "&amp;lt;b&amp;gt;" * 99,
    "@a #b http://c.d/e " * 50,
    "z̶a̷l̴g̵o̶" * 50,
    "word " * 4_000,
)
NAMES = ("TOXICITY", "INSULT", "THREAT", "SPAM", "TOXICITY@6", "A" * 300)
FIELDS = ("languages", "attributeScores/TOXICITY", "*", "a(", "(" * 50, "attributeScores(*,", "é")
SUGGESTION: dict[str, Any] = {
    "comment": {"text": "a"},
    "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
}


def mutated(value: Any, dice: random.Random) -> Any:
    """The value with one place changed to another value, dropped, doubled or renamed."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        key = dice.choice(list(value))
        if dice.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        if dice.random() < 0.1:
            return {**value, dice.choice(["x", "comment", "scoreType", "", key.upper()]): 1}
        return {**value, key: mutated(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.5:
        return [mutated(item, dice) for item in value] * dice.choice([1, 2])
    return dice.choice(VALUES)


def request(dice: random.Random) -> tuple[str, bytes, dict[str, str]]:
    """(path with query, body, headers)."""
    if dice.random() < 0.25:
        content, path = json.dumps(mutated(SUGGESTION, dice)), SUGGEST
    else:
        names = dice.sample(NAMES, 2)
        body = ask(
            dice.choice(TEXTS),
            *names,
            languages=["en"],
            spanAnnotations=dice.random() < 0.3,
            dropUnsupportedAttributes=dice.random() < 0.5,
            clientToken="t",
        )
        for _ in range(dice.choice([0, 0, 1, 2])):
            body = mutated(body, dice)
        content, path = json.dumps(body, ensure_ascii=dice.random() < 0.5), ANALYZE
    encoded = bytearray(content.encode("utf-8", "surrogatepass"))
    if dice.random() < 0.1 and encoded:
        for _ in range(dice.randrange(1, 4)):
            encoded[dice.randrange(len(encoded))] = dice.randrange(256)
    if dice.random() < 0.05:
        del encoded[dice.randrange(len(encoded) + 1) :]
    query = {"key": "any"}
    if dice.random() < 0.2:
        query |= {"fields": dice.choice(FIELDS), "alt": dice.choice(["json", "json", "media"])}
    path += "?" + "&".join(f"{name}={quote(text)}" for name, text in query.items())
    headers = {"content-type": dice.choice(["application/json", "text/plain", "x", ""])}
    if dice.random() < 0.06:
        parts = batch(part(ask()), bytes(encoded), part(mutated(ask(), dice)))
        kind = dice.choice(
            [KIND, KIND, "multipart/mixed; boundary=", 'multipart/mixed; boundary="']
        )
        return "/batch", parts, {"content-type": kind}
    return path, bytes(encoded), headers


def hammer(server: Process, count: int, seed: int) -> Counter[int]:
    dice, codes = random.Random(seed), Counter[int]()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for number in range(count):
        path, body, headers = request(dice)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, ConnectionError) as error:
            raise AssertionError(f"request {number} of seed {seed}: {error!r}") from error
        codes[answer.status] += 1
        assert answer.status < 500, (seed, number, path, body[:500], content[:500])
        if answer.status == 400:
            assert json.loads(content)["error"]["details"]
    return codes


@pytest.mark.drill
def test_50_000_requests_that_are_nearly_right(server: Process) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        counts = list(
            threads.map(lambda seed: hammer(server, REQUESTS // THREADS, seed), range(THREADS))
        )
    codes: Counter[int] = sum(counts, Counter())
    print(dict(codes))
    assert codes[200] > REQUESTS // 10 and codes[400] > REQUESTS // 10
    assert set(codes) <= {200, 400, 404, 413, 429}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", ANALYZE, json.dumps(ask()))
    assert connection.getresponse().status == 200
    assert "failed" not in server.stop()
