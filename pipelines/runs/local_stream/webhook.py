"""Alerts to a webhook, beside the Pub/Sub topic: posted from a thread, for no post waits for it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from mltox.base.clock import now_micros
from mltox.base.errors import UsageError
from mltox.detection.alerts import Alert, Incidents, slack_message
from mltox.posts.records import Anomaly, DeadLetter

WEBHOOK_TRIES = 4
FIRST_PAUSE = 1.0
"""Seconds before the second try; each further pause is twice as long."""
WEBHOOK_SECONDS = 10.0
A_MINUTE = 20
"""Messages; what is beyond them is told as a number with the next one."""
LAST_WAIT = 15.0
WHY_NOT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which trying again may help."""


class Webhook:
    """Posts the news of anomalies as JSON that Slack takes. A context manager over its thread.

    What could not be posted is a dead letter, to be taken with `failed`.
    """

    def __init__(
        self, url: str, incidents: Incidents, sleep: Callable[[float], object] | None = None
    ) -> None:
        self._url = checked_url(url)
        self._incidents = incidents
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._waiting: deque[Alert] = deque()
        self._posted: deque[float] = deque()
        self._left_out = 0
        self._failed: list[DeadLetter] = []
        self._lock = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tell(self, anomalies: Iterable[Anomaly]) -> int:
        """Returns how many of them are news."""
        news = [alert for each in anomalies if (alert := self._incidents.take(each))]
        with self._lock:
            self._waiting.extend(news)
            self._lock.notify()
        return len(news)

    def failed(self) -> list[DeadLetter]:
        """What could not be posted since the last time."""
        with self._lock:
            letters, self._failed = self._failed, []
        return letters

    def close(self) -> None:
        """Posts what waits, for a few seconds at most."""
        with self._lock:
            self._stopping.set()
            self._lock.notify()
        self._thread.join(LAST_WAIT)

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._stopping.is_set():
                    self._lock.wait()
                if not self._waiting:
                    return
                alert = self._waiting.popleft()
            self._send(alert)

    def _send(self, alert: Alert) -> None:
        now = time.monotonic()
        while self._posted and now - self._posted[0] >= 60.0:
            self._posted.popleft()
        if len(self._posted) >= A_MINUTE:
            self._left_out += 1
            return
        self._posted.append(now)
        message = slack_message(alert)
        if self._left_out:
            message["text"] += f" ({self._left_out} alerts before it were left out)"
        body = json.dumps(message).encode()
        why = self._post(body)
        if why is None:
            self._left_out = 0
            return
        with self._lock:
            self._failed.append(letter(alert, body, why))

    def _post(self, body: bytes) -> str | None:
        """None once it is taken, else why it was not."""
        why, pause = "not tried", FIRST_PAUSE
        for number in range(WEBHOOK_TRIES):
            if number:
                self._sleep(pause)
                pause *= 2
            request = urllib.request.Request(
                self._url, body, {"Content-Type": "application/json"}, method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):
                    return None
            except urllib.error.HTTPError as error:
                why = f"the webhook answered {error.code}"
                if error.code not in WHY_NOT:
                    return why
            except (OSError, ValueError) as error:
                why = f"the webhook was not reached: {getattr(error, 'reason', error)}"
        return why


def checked_url(url: str) -> str:
    """The address, if posts may go there. Raises UsageError; the address itself is a secret."""
    parts = urlsplit(url)
    local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError("--alerts-webhook: give an https:// address (http:// on this machine)")
    return url


def letter(alert: Alert, body: bytes, why: str) -> DeadLetter:
    """The alert that nobody got; the address, which lets anybody post, is not in it."""
    name = f"alert {alert.incident} {alert.event} {alert.hour}"
    return DeadLetter(
        letter_id=hashlib.sha256(name.encode()).hexdigest()[:32],
        stage="alert",
        error_type="webhook_failed",
        message=f"{why} after {WEBHOOK_TRIES} tries",
        payload=body.decode(),
        post_id=None,
        seen_at=now_micros(),
    )
