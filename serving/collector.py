"""Asks Perspective for the scores of a user's own texts, while it still answers.

One request a second, in the order of the file; each answer is written before the next is asked for,
so that the same command goes on where an earlier one ended.
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from mltox.base.errors import UserError

KEY_VARIABLE = "PERSPECTIVE_API_KEY"
ENDPOINT = "https://commentanalyzer.googleapis.com"
SECONDS_APART = 1.0
COLLECT_TRIES = 6
LONGEST_WAIT = 60.0
_TIMEOUT = 30.0

AskPerspective = Callable[[str], dict[str, float] | None]
"""A text's scores by attribute; None where the service refuses the text."""


class CollectorError(UserError):
    """Perspective cannot be asked; the message is one line for a person."""


def perspective(endpoint: str, attributes: Sequence[str]) -> AskPerspective:
    """Asks at `endpoint` with the key of the environment. Raises CollectorError without one."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise CollectorError(f"the environment has no {KEY_VARIABLE}")
    address = f"{endpoint.rstrip('/')}/v1alpha1/comments:analyze?{urlencode({'key': key})}"
    if not address.startswith(("https://", "http://")):
        raise CollectorError(f"{endpoint} is no address: it must begin with https://")

    def ask(text: str) -> dict[str, float] | None:
        body = {
            "comment": {"text": text},
            "requestedAttributes": {attribute: {} for attribute in attributes},
            "doNotStore": True,
        }
        answer = _post(address, json.dumps(body).encode())
        scores = (answer or {}).get("attributeScores", {})
        return {name: score["summaryScore"]["value"] for name, score in scores.items()} or None

    return ask


def collect(
    texts: Iterable[str],
    file: Path,
    attributes: Sequence[str],
    ask: AskPerspective,
    *,
    pause: float = SECONDS_APART,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[int, int]:
    """Appends `text` and a column an attribute to the CSV `file`; (rows written, of them refused).

    Texts that are in the file already are not asked for again. A refused text has empty scores.
    """
    columns = ["text", *attributes]
    known = _known(file, columns)
    written = refused = 0
    with file.open("a", newline="", encoding="utf-8") as stream:
        rows = csv.DictWriter(stream, columns)
        if not stream.tell():
            rows.writeheader()
        for text in texts:
            if not text.strip() or text in known:
                continue
            if written:
                sleep(pause)
            scores = ask(text)
            rows.writerow({"text": text} | (scores or {}))
            stream.flush()
            known.add(text)
            written += 1
            refused += scores is None
    return written, refused


def _known(file: Path, columns: Sequence[str]) -> set[str]:
    if not file.exists() or not file.stat().st_size:
        return set()
    _drop_broken_end(file)
    with file.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        if rows.fieldnames != list(columns):
            raise CollectorError(
                f"{file} has other columns ({', '.join(rows.fieldnames or ())}): give another file"
            )
        return {row["text"] for row in rows}


def _drop_broken_end(file: Path) -> None:
    """A run that was killed may have left half a row: what follows the last whole one goes."""
    content = file.read_bytes()
    if content.endswith(b"\r\n"):
        return
    with file.open("r+b") as stream:
        stream.truncate(content.rfind(b"\r\n") + 2)


def _post(address: str, body: bytes, sleep: Callable[[float], None] = time.sleep) -> Any:
    """The answer; None where the text is refused (400). Waits and asks again while it is told that
    there are too many requests, or the service is out."""
    request = Request(address, body, {"Content-Type": "application/json"}, method="POST")
    for attempt in range(1, COLLECT_TRIES + 1):
        wait = min(2.0**attempt, LONGEST_WAIT)
        try:
            with urlopen(request, timeout=_TIMEOUT) as answer:
                return json.load(answer)
        except HTTPError as error:
            refusal = error.read().decode("utf-8", "replace")
            if error.code == 400 and "API_KEY_INVALID" not in refusal:
                return None
            if error.code != 429 and error.code < 500:
                raise CollectorError(f"Perspective refuses: {_message(refusal)}") from None
            reason = f"{error.code} {_message(refusal)}"
            after = error.headers.get("Retry-After", "")
            wait = min(float(after), LONGEST_WAIT) if after.isdigit() else wait
        except (URLError, TimeoutError, ConnectionError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
        if attempt < COLLECT_TRIES:
            sleep(wait)
    raise CollectorError(f"Perspective does not answer: {reason}; run the same command again later")


def _message(body: str) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason is given"
