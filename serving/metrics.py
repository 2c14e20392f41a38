"""What Prometheus may know: counts, sizes and times; never a text, a key or a client's name."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

LATENCY_BUCKETS = (0.002, 0.004, 0.008, 0.016, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


class Metrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self, model: str, versions: dict[str, str], waiting: Callable[[], float]) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "mltox_requests",
            "Answered requests; a part of a batch is one.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mltox_request_seconds",
            "From the head of a request to its answer.",
            ["method"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._batch = Histogram(
            "mltox_batch_texts",
            "Comments that the model was given at once.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=registry,
        )
        self._refused = Counter("mltox_refused", "Refused requests.", ["reason"], registry=registry)
        self._open = Gauge("mltox_open_requests", "Requests that are under way.", registry=registry)
        Gauge(
            "mltox_waiting_texts", "Comments that no worker has yet.", registry=registry
        ).set_function(waiting)
        Info("mltox_model", "The bundle, and the scale of each attribute.", registry=registry).info(
            {"model": model} | versions
        )

    def open(self, requests: int) -> None:
        self._open.set(requests)

    def batch(self, size: int) -> None:
        self._batch.observe(size)

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def answered(self, method: str, code: int, seconds: float | None = None) -> None:
        self._requests.labels(method, str(code)).inc()
        if seconds is not None:
            self._seconds.labels(method).observe(seconds)

    def page(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
