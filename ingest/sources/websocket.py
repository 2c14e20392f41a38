"""A WebSocket that is read from: connected, kept alive, its failures in one line."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from ingest.sources.retries import Trouble, asked_wait

MAX_MESSAGE_BYTES = 1_000_000
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
USER_AGENT = "mltox"
_TICK_SECONDS = 0.25

# At level DEBUG the library writes the headers of the handshake, the token among them.
_library_log = logging.getLogger(f"{__name__}.library")
_library_log.setLevel(logging.WARNING)


class Liveness(NamedTuple):
    """Seconds: between two pings, and that the answer to one may take; without any message, after
    which a connection counts as stalled although its pings are answered."""

    ping: float = 20.0
    silence: float = 60.0


LIVENESS = Liveness()


class Denied(Trouble):
    """The server refused the handshake, with an HTTP status."""

    def __init__(self, where: str, status: int, wait: float | None) -> None:
        super().__init__(f"{where} refuses the connection (HTTP {status})", wait)
        self.status = status

    @property
    def for_good(self) -> bool:
        """Whether asking again is no use: a wrong request, a missing key."""
        return 400 <= self.status < 500 and self.status not in (408, 425, 429)


@contextmanager
def connected(
    url: str, where: str, liveness: Liveness, headers: Mapping[str, str] | None = None
) -> Iterator[ClientConnection]:
    """Connects, and closes at the end; `where` is what messages call the server.

    Raises Denied, and Trouble where the server cannot be reached.
    """
    try:
        connection = connect(
            url,
            additional_headers=headers,
            user_agent_header=USER_AGENT,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=liveness.ping,
            ping_timeout=liveness.ping,
            max_size=MAX_MESSAGE_BYTES,
            logger=_library_log,
        )
    except InvalidStatus as error:
        response = error.response
        wait = asked_wait(response.headers, datetime.now(UTC))
        raise Denied(where, response.status_code, wait) from error
    except (OSError, WebSocketException) as error:
        raise Trouble(f"cannot connect to {where}: {type(error).__name__}") from error
    with connection:
        yield connection


def received(connection: ClientConnection, where: str) -> Iterator[bytes | None]:
    """Yields the messages, and None whenever a quarter of a second has passed without one.

    Raises Trouble at the connection's end.
    """
    while True:
        try:
            yield connection.recv(timeout=_TICK_SECONDS, decode=False)
        except TimeoutError:
            yield None
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else "none"
            raise Trouble(f"{where} ended the connection (code {code})") from closed
