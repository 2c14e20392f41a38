"""A server on this machine that speaks as much of Cloud Storage's JSON API as cursors need.

Objects have generations, and a write with `ifGenerationMatch` that does not match is a 412:
https://cloud.google.com/storage/docs/json_api/v1/objects/insert
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_OBJECT = re.compile(r"/download/storage/v1/b/(?P<bucket>[^/]+)/o/(?P<name>[^/?]+)")
_UPLOAD = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o")


@dataclass
class Objects:
    """By bucket/name: generation and content; `asked` is what was read, in order.

    `lose_answers`: so many writes are made and answered with 503; `refuse`: everything is a 403.
    """

    found: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lose_answers: int = 0
    refuse: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def serving() -> Iterator[tuple[str, Objects]]:
    """Yields the address, for STORAGE_EMULATOR_HOST, and what is stored."""
    objects = Objects()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match = _OBJECT.match(self.path)
            assert match is not None, self.path
            key = f"{match['bucket']}/{urllib.parse.unquote(match['name'])}"
            with objects.lock:
                objects.asked.append(key)
                if objects.refuse:
                    return self.answer(403, {"error": {"code": 403, "message": "no permission"}})
                if key not in objects.found:
                    return self.answer(404, {"error": {"code": 404, "message": "No such object"}})
                generation, content = objects.found[key]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Goog-Generation", str(generation))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            path, _, query = self.path.partition("?")
            match = _UPLOAD.match(path)
            assert match is not None, self.path
            asked = urllib.parse.parse_qs(query)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            boundary = self.headers["Content-Type"].partition("boundary=")[2].strip("'\"")
            parts = body.split(b"--" + boundary.encode())
            about = json.loads(parts[1].partition(b"\r\n\r\n")[2])
            content = parts[2].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            key = f"{match['bucket']}/{about['name']}"
            with objects.lock:
                generation = objects.found.get(key, (0, b""))[0]
                if objects.refuse:
                    return self.answer(403, {"error": {"code": 403, "message": "no permission"}})
                wanted = asked.get("ifGenerationMatch")
                if wanted is not None and int(wanted[0]) != generation:
                    return self.answer(412, {"error": {"code": 412, "message": "conditionNotMet"}})
                objects.found[key] = generation + 1000, content
                if objects.lose_answers:
                    objects.lose_answers -= 1
                    return self.answer(503, {"error": {"code": 503, "message": "try again"}})
            self.answer(200, {"name": about["name"], "generation": str(generation + 1000)})

        def answer(self, code: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """A test's output is for failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", objects
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
