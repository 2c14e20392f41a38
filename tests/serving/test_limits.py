"""What bounds a server: a real one, on a socket."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from serving import app
from serving.engine import Engine
from serving.service import Limits
from tests.serving.conftest import ANALYZE, Process, ask, serving

HEAD = f"POST {ANALYZE} HTTP/1.1\r\nHost: here\r\n".encode()


def talk(server: Process, data: bytes, seconds: float = 20.0) -> bytes:
    """What the server says to raw bytes until it closes, or says nothing more for a moment."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        connection.sendall(data)
        said = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while more := connection.recv(65_536):
                said += more
                connection.settimeout(0.5)
        return said


def post(server: Process, body: Any) -> Any:
    request = urllib.request.Request(server.url + ANALYZE, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def page(server: Process) -> str:
    with urllib.request.urlopen(server.url + "/metrics", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x00\xa5 hello", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: ten\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: -1\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", b"400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n", b"400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"413"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"200000\r\n" + b"a" * 0x200000, b"413"),
        (HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\n", b"431"),
        (b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (HEAD + b"X: a\r\n" * 50_000, b"431"),
    ],
)
def test_malformed_and_endless_requests(server: Process, sent: bytes, status: bytes) -> None:
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        said = talk(server, sent)
        assert said.split(b" ")[1] == status, said[:200]
    assert post(server, ask())["languages"] == ["en"], "and others are answered all the while"


def test_requests_one_after_another_on_one_connection(server: Process) -> None:
    body = json.dumps(ask()).encode()
    one = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    said = talk(server, one * 5)
    assert said.count(b"HTTP/1.1 200 OK") == 5


def test_the_same_text_alone_and_in_a_crowd(server: Process) -> None:
    texts = ["You are an idiot.", "Thank you.", "I will find you and kill you", "a" * 2_000]
    alone = {text: post(server, ask(text, languages=["en"])) for text in texts}
    with ThreadPoolExecutor(32) as crowd:
        many = list(crowd.map(lambda text: (text, post(server, ask(text, languages=["en"]))),
                              texts * 40))  # fmt: skip
    assert all(answer == alone[text] for text, answer in many)


def test_requests_that_come_too_slowly(start: Callable[..., Process]) -> None:
    server = start("--threads", "1", "--client-seconds", "0.3")
    began = time.monotonic()
    for sent in (b"", b"POST / HT", HEAD):
        assert talk(server, sent, seconds=10) == b""
    said = talk(server, HEAD + b"Content-Length: 9\r\n\r\n{", seconds=10)
    assert said.startswith(b"HTTP/1.1 408 ") and b"connection: close" in said.lower()
    assert time.monotonic() - began < 9, "closed by the server, not by our patience"
    assert post(server, ask())["languages"] == ["en"]


def test_more_than_may_wait_is_told_when_to_come_again(engine: Engine) -> None:
    with serving(engine, limits=Limits(waiting=0)) as client:
        answer = client.post(ANALYZE, json=ask())
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        error = answer.json()["error"]
        assert error["status"] == "RESOURCE_EXHAUSTED"
        assert error["message"].startswith("Quota exceeded for quota metric")
        assert error["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
        kind = {"content-type": "multipart/mixed; boundary=b"}
        assert client.post("/batch", content=b"--b--", headers=kind).status_code == 429


@pytest.mark.parametrize("what", ["REQUESTS_AT_ONCE", "BATCHES_AT_ONCE"])
def test_more_at_once_than_memory_is_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(app, what, 0)
    path = "/batch" if what == "BATCHES_AT_ONCE" else ANALYZE
    with serving(engine) as client:
        assert client.post(path, json=ask()).status_code == 429


def test_a_stop_answers_what_is_under_way(start: Callable[..., Process]) -> None:
    server = start("--threads", "1")
    long = ask("You are an idiot, and so is he. " * 300, spanAnnotations=True)
    with ThreadPoolExecutor(8) as threads:
        under_way = [threads.submit(post, server, long) for _ in range(8)]
        while "mltox_open_requests 8.0" not in page(server):
            time.sleep(0.01)
        server.popen.send_signal(signal.SIGTERM)
        assert all(answer.result()["attributeScores"] for answer in under_way)
    server.popen.wait(timeout=20)
    assert server.popen.returncode == 143, "as every command that is told to end"


def test_no_text_and_no_key_reaches_a_log(start: Callable[..., Process], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# ours\nsecretkey\n")
    server = start("--threads", "1", "--keys", str(keys), "--log_format", "json")
    query = "?key=secretkey"
    bodies = [ask("secretword"), ask("secretword", "SECRETATTRIBUTE"), {"secretfield": 1}]
    for body in [json.dumps(each).encode() for each in bodies] + [b'{"secretword']:
        for path in (ANALYZE, "/v1alpha1/comments:suggestscore", "/batch"):
            with contextlib.suppress(urllib.request.HTTPError):
                request = urllib.request.Request(server.url + path + query, body)
                urllib.request.urlopen(request, timeout=30)
    talk(server, b"secretword\r\n\r\n")
    assert "secret" not in server.stop().lower()
