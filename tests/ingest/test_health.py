from __future__ import annotations

import socket
import urllib.error
import urllib.request

import orjson
import pytest

from ingest import health
from ingest.run import Status


@pytest.mark.parametrize(
    ("silent", "waiting", "healthy"),
    [(0.0, 0, True), (59.0, 0, True), (61.0, 0, False), (0.0, 1, False)],
)
def test_a_run_is_well_while_its_source_yields_and_pub_sub_takes(
    silent: float, waiting: int, healthy: bool
) -> None:
    status = Status({"read": 5}, waiting, yielded_at=1000.0, unsafe_since=None)
    found, body = health.report(status, 1000.0 + silent)
    assert found is healthy is body["healthy"]
    assert body["counts"] == {"read": 5}
    assert body["waiting_on_disk"] == waiting


def test_a_run_that_waits_for_a_confirmation_for_long_is_not_well() -> None:
    status = Status({}, 0, yielded_at=1070.0, unsafe_since=1000.0)
    assert not health.report(status, 1070.0)[0]
    assert health.report(status._replace(unsafe_since=1050.0), 1070.0)[0]


def test_it_answers_over_http() -> None:
    waiting = 0
    with health.serving(lambda: Status({"read": 1}, waiting, 1e12, None), 0) as port:
        where = f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(where, timeout=30) as answer:
            assert answer.status == 200
            assert orjson.loads(answer.read())["counts"] == {"read": 1}
        waiting = 3
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(where, timeout=30)
        with raised.value as refused:
            assert refused.code == 503
            assert orjson.loads(refused.read())["waiting_on_disk"] == 3


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(health.HealthError, match=f"--health-port {port}: "),
            health.serving(lambda: Status({}, 0, 0.0, None), port),
        ):
            pass
