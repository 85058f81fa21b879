"""The metrics of the bot in the text format of Prometheus.

Labels have few values, none of them from a user: outcomes, stages, and the codes of errors. Each
metric's meaning and unit is its help text, which `/metrics` shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.errors import Cancelled
from bot.monitoring.health import HealthState
from bot.monitoring.processes import resident_bytes

STAGE_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Upper limits of the buckets for stages, in seconds."""
ANSWER_BUCKETS_S = (1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 3600)
"""Upper limits of the buckets for the time until a delivery, in seconds."""
LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5)
"""Upper limits of the buckets for the lag of the event loop, in seconds."""


class Metrics:
    """Counts what happens to requests, in a registry of its own."""

    content_type = CONTENT_TYPE_LATEST
    """The media type of what `render` returns."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()

        def counter(name: str, help: str, label: str, values: tuple[str, ...] = ()) -> Counter:
            made = Counter(name, help, [label], registry=registry)
            for value in values:  # shown as 0 from the start, so that a first increase counts
                made.labels(value)
            return made

        def gauge(name: str, help: str) -> Gauge:
            return Gauge(name, help, registry=registry)

        self._requests = counter(
            "mst_requests", "Requests by outcome", "outcome", ("done", "failed", "cancelled")
        )
        self._failures = counter("mst_failures", "Failed requests by the code of the error", "code")
        self._repeats = counter(
            "mst_repeats", "Requests that run again, by the code of the error", "code"
        )
        self._rejections = counter(
            "mst_rejections", "Commands and presses answered by an error, by its code", "code"
        )
        self._deliveries = counter(
            "mst_deliveries",
            "Attempts to deliver an outcome",
            "outcome",
            ("delivered", "retried", "given_up"),
        )
        self._stages = Histogram(
            "mst_stage_seconds",
            "Seconds of each stage of a job",
            ["stage"],
            buckets=STAGE_BUCKETS_S,
            registry=registry,
        )
        self._answers = Histogram(
            "mst_answer_seconds",
            "Seconds from a command to the delivery of its outcome",
            buckets=ANSWER_BUCKETS_S,
            registry=registry,
        )
        self._lag = Histogram(
            "mst_loop_lag_seconds",
            "Seconds by which the event loop runs a timer late",
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self._waiting = gauge("mst_waiting_requests", "Requests in the queue")
        self._running = gauge("mst_running_requests", "Requests that the engine runs")
        self._oldest = gauge("mst_oldest_waiting_seconds", "Seconds that the oldest request waits")
        self._gateway = gauge("mst_gateway_connected", "1 while connected to Discord, else 0")
        self._engine = gauge("mst_engine_ready", "1 while the engine takes jobs, else 0")
        self._ready = gauge("mst_ready", "1 while /readyz says so, else 0")
        self._room = gauge("mst_room", "1 while new requests find room on the disk, else 0")
        self._data = gauge("mst_data_bytes", "Bytes of the ledger, uploads and results")
        self._free = gauge("mst_disk_free_bytes", "Bytes that are free on the disk of the data")
        self._memory = Gauge(
            "mst_resident_memory_bytes", "Resident memory", ["process"], registry=registry
        )

    def request_ended(self, code: str | None, stage_seconds: Mapping[str, float]) -> None:
        """Count a request that has its outcome.

        Args:
            code: The code of its error; None for a result.
            stage_seconds: Seconds that each stage of its job took.
        """
        cancelled = code == Cancelled.__name__  # no failure: its user wanted it
        self._requests.labels("cancelled" if cancelled else "failed" if code else "done").inc()
        if code and not cancelled:
            self._failures.labels(code).inc()
        for stage, seconds in stage_seconds.items():
            self._stages.labels(stage).observe(seconds)

    def request_repeated(self, code: str) -> None:
        """Count one request that runs again after an error with this code."""
        self._repeats.labels(code).inc()

    def action_rejected(self, code: str) -> None:
        """Count one command or press that was answered by an error with this code."""
        self._rejections.labels(code).inc()

    def delivery_ended(self, outcome: str, seconds: float) -> None:
        """Count one attempt to deliver an outcome.

        Args:
            outcome: ``delivered``, ``retried`` (it follows later) or ``given_up``.
            seconds: From the command to this attempt.
        """
        self._deliveries.labels(outcome).inc()
        if outcome == "delivered":
            self._answers.observe(max(0.0, seconds))

    def observe_lag(self, seconds: float) -> None:
        """Count one timer of the event loop that ran ``seconds`` late."""
        self._lag.observe(seconds)

    def render(self, state: HealthState) -> bytes:
        """Return all metrics as text, with the gauges of this moment."""
        self._waiting.set(state.waiting)
        self._running.set(state.running)
        self._oldest.set(state.oldest_s)
        self._gateway.set(state.gateway)
        self._engine.set(state.engine)
        self._ready.set(not state.problems)
        self._room.set(not state.no_room)
        self._data.set(state.data_bytes)
        self._free.set(state.free_bytes)
        self._memory.clear()
        for process, size in resident_bytes().items():
            self._memory.labels(process).set(size)
        return generate_latest(self._registry)
