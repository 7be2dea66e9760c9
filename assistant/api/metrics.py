"""Prometheus figures of one application, in a registry of its own."""

from __future__ import annotations

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "piano_http_requests",
            "HTTP requests by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "piano_http_request_seconds",
            "Seconds from request to the end of the response, by route.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter(
            "piano_answers",
            "Answers by status and mode.",
            ("status", "mode"),
            registry=self.registry,
        )
        self.stream_errors = Counter(
            "piano_stream_errors",
            "Streams that ended with an error event.",
            registry=self.registry,
        )
        self.feedback = Counter(
            "piano_feedback", "Feedback by reason.", ("reason",), registry=self.registry
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)


class MeasureRequests:
    """Counts and times every request under its route's template, so that labels stay few."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def remember_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, remember_status)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - started)


_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS")
