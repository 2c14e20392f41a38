"""Batches, byte for byte as clients send them."""

from __future__ import annotations

import json
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.contract.errors import Refusal
from serving.engine import Engine
from serving.multipart import MAX_PARTS, read_batch
from tests.serving.conftest import ANALYZE, ask, serving

KIND = 'multipart/mixed; boundary="===1=="'


def part(body: Any, ident: str = "<u + 1>", query: str = "?alt=json", end: str = "\n") -> bytes:
    content = json.dumps(body)
    lines = [
        "Content-Type: application/http",
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: {ident}",
        "",
        f"POST {ANALYZE}{query} HTTP/1.1",
        "Content-Type: application/json",
        "host: localhost:8000",
        f"content-length: {len(content)}",
        "",
        content,
    ]
    return end.join(lines).encode()


def batch(*parts: bytes, end: str = "\n") -> bytes:
    line = end.encode()
    pieces = [b"--===1==" + line + piece + line for piece in parts]
    return b"".join(pieces) + b"--===1==--" + line


def answers(response: Any) -> list[tuple[str, int, dict[str, str], Any]]:
    """(Content-ID, status, headers, JSON) of each part."""
    head = b"content-type: " + response.headers["content-type"].encode() + b"\r\n\r\n"
    found = []
    parsed: Any = BytesParser().parsebytes(head + response.content)
    for piece in parsed.get_payload():
        status, _, rest = piece.get_payload().partition("\r\n")
        inner = BytesParser().parsebytes(rest.encode())
        found.append(
            (piece["Content-ID"], int(status.split()[1]), dict(inner.items()),
             json.loads(rest.partition("\r\n\r\n")[2]))
        )  # fmt: skip
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_parts_are_answered_in_order_under_their_ids(client: TestClient, end: str) -> None:
    texts = ["You are an idiot.", "", "Thank you very much."]
    body = batch(
        *(part(ask(text), f"<u + {at}>", end=end) for at, text in enumerate(texts)), end=end
    )
    response = client.post("/batch", content=body, headers={"content-type": KIND})
    assert response.status_code == 200
    found = answers(response)
    assert [ident for ident, *_ in found] == [f"<response-u + {at}>" for at in range(3)]
    assert [code for _, code, *_ in found] == [200, 400, 200]
    alone = client.post(ANALYZE, json=ask(texts[0])).json()
    assert found[0][3] == alone
    assert found[0][2]["Content-Type"] == "application/json; charset=UTF-8"
    assert "x-mltox-model" in found[0][2]


def test_an_id_that_is_a_folded_text(client: TestClient) -> None:
    """HELM names each part by its text, which the client folds as a header."""
    ident = "<2f9c +\n " + "%20word" * 3_000 + ">"
    response = client.post(
        "/batch", content=batch(part(ask(), ident)), headers={"content-type": KIND}
    )
    assert answers(response)[0][0] == "<response-2f9c + " + "%20word" * 3_000 + ">"


def test_bytes_of_utf8_come_through(client: TestClient) -> None:
    body = part(ask(clientToken="TOKEN")).replace(b"TOKEN", "é😀".encode())
    response = client.post("/batch", content=batch(body), headers={"content-type": KIND})
    assert "é😀" in response.content.decode()


def test_each_part_has_its_key_or_that_of_the_whole(engine: Engine) -> None:
    with serving(engine, keys=("k",)) as client:
        body = batch(
            part(ask(), "<u + 1>", "?key=k"), part(ask(), "<u + 2>", "?key=no"), part(ask())
        )
        kind = {"content-type": KIND}
        found = answers(client.post("/batch", content=body, headers=kind))
        assert [code for _, code, *_ in found] == [200, 400, 403]
        found = answers(
            client.post("/batch", content=body, headers={**kind, "authorization": "Bearer k"})
        )
        assert [code for _, code, *_ in found] == [200, 400, 200]
        found = answers(client.post("/batch?key=k", content=body, headers=kind))
        assert [code for _, code, *_ in found] == [200, 400, 200]


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        (b"Content-Type: application/http\n\nPOST /x HTTP/1.1\n\n{}", 404),
        (b"Content-Type: application/http\n\nPOST http://[ HTTP/1.1\n\n{}", 400),
        (b"Content-Type: application/http\n\nGET /v1alpha1/comments:analyze HTTP/1.1\n\n", 405),
        (b"Content-Type: application/http\n\nnothing", 400),
        (b"Content-Type: application/http\n\n", 400),
        (b"Content-Type: text/plain\n\nPOST /v1alpha1/comments:analyze HTTP/1.1\n\n{}", 400),
        (b"\n\n", 400),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--", 400),
        (b"Content-Type: application/http\n\nPOST /batch HTTP/1.1\n\n", 404),
        (b"Content-Type: application/http\n\nPOST /v1alpha1/comments:analyze HTTP/1.1\n\n{", 400),
        (b"Content-Type: application/http\n\nPOST /v1alpha1/comments:analyze HTTP/1.1", 400),
    ],
)
def test_a_broken_part_breaks_no_other(client: TestClient, inner: bytes, code: int) -> None:
    response = client.post(
        "/batch", content=batch(inner, part(ask())), headers={"content-type": KIND}
    )
    assert [found[1] for found in answers(response)] == [code, 200]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", batch(part(ask()))),
        (KIND, b""),
        (KIND, b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x--"),
        (KIND, batch(*[b"\n\n"] * (MAX_PARTS + 1))),
    ],
)
def test_what_is_no_batch(client: TestClient, kind: str, body: bytes) -> None:
    response = client.post("/batch", content=body, headers={"content-type": kind})
    assert response.status_code == 400
    assert response.json()["error"]["details"]


def test_a_client_cannot_write_heads_into_the_answer(client: TestClient) -> None:
    ident = "<u + 1>\r\n X-Injected: 1\r\x00\r\n Y: 2"
    response = client.post(
        "/batch", content=batch(part(ask(), ident)), headers={"content-type": KIND}
    )
    assert b"\nX-Injected" not in response.content and b"\r X" not in response.content


def test_too_many_parts_for_one_pass_all_have_the_same_score(client: TestClient) -> None:
    parts = [part(ask(), f"<u + {at}>") for at in range(150)]
    found = answers(client.post("/batch", content=batch(*parts), headers={"content-type": KIND}))
    values = {json.dumps(answer["attributeScores"]) for *_, answer in found}
    assert len(found) == 150 and len(values) == 1


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_are_a_batch_or_refused(body: bytes, boundary: str) -> None:
    for kind in (KIND, f"multipart/mixed; boundary={boundary}"):
        for content in (body, b"--===1==\n" + body + b"\n--===1==--"):
            try:
                read_batch(kind, content)
            except Refusal as refusal:
                assert refusal.code == 400
