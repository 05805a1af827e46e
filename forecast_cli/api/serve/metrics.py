"""What the server counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Upper ends of the buckets of durations, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "model", "status")
        self.requests = Counter(
            "forecast_requests", "Requests that ended.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "forecast_request_seconds",
            "Seconds from the first byte of a request to the last of its answer.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.rows = Counter(
            "forecast_rows", "Rows of forecasts.", ("model",), registry=self.registry
        )
        self.busy = Gauge(
            "forecast_busy", "Forecasts that are computed or wait.", registry=self.registry
        )
        self.replaced = Counter(
            "forecast_models_replaced",
            "Model files that were replaced, by whether the new one is served.",
            ("model", "served"),
            registry=self.registry,
        )

    def count_replaced(self, model: str, served: bool) -> None:
        """Count a file that was replaced, and whether the new one is served."""
        self.replaced.labels(model, "yes" if served else "no").inc()

    def render(self) -> bytes:
        """Return all of them in the format of Prometheus."""
        return generate_latest(self.registry)
