"""What somebody else quotes of our secrets is in no log and no answer."""

from __future__ import annotations

import base64
import json
import logging

import pytest

from mltox.base import own_secrets
from mltox.base.logs import JsonFormatter, PlainFormatter, say
from mltox.base.own_secrets import HIDDEN, remember, without_secrets

TOKEN = 'AAAA+token/of="us"'


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_secrets, "_remembered", set())
    monkeypatch.setenv("X_BEARER_TOKEN", TOKEN)
    monkeypatch.setenv("PLAIN_SETTING", "not-a-secret")
    monkeypatch.setenv("X_BEARER_TOKEN_SECRET", "projects/p/secrets/s/versions/latest")


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        json.dumps({"sent": TOKEN}),
        "https://a/?t=AAAA%2Btoken%2Fof%3D%22us%22&x",
        f"Basic {base64.b64encode(TOKEN.encode()).decode()}",
        f"cut off in {TOKEN[:12]}",
        TOKEN * 3,
    ],
)
def test_in_no_form(text: str) -> None:
    clean = without_secrets(text)
    assert HIDDEN in clean
    assert TOKEN[:8] not in clean and "token" not in clean


def test_what_is_no_secret_stays() -> None:
    for text in ("not-a-secret", "projects/p/secrets/s/versions/latest", "AAAA", ""):
        assert without_secrets(text) == text


def test_what_was_fetched_is_one_too() -> None:
    assert without_secrets("it is fetched-from-afar") == "it is fetched-from-afar"
    assert remember("fetched-from-afar") == "fetched-from-afar"
    assert without_secrets("it is fetched-from-afar") == f"it is {HIDDEN}"


def test_no_line_of_a_log_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("ingest", 30, "f", 1, "says %s", (TOKEN,), None)
    for formatter in (PlainFormatter("%(message)s"), JsonFormatter()):
        assert "token" not in formatter.format(record)
    try:
        raise ValueError(TOKEN)
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    assert "token" not in PlainFormatter("%(message)s").format(record)
    say(f"X says {TOKEN}")
    assert HIDDEN in (said := capsys.readouterr().err) and "token" not in said
