"""What a request may ask of the server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a request may ask of the server, and how many are answered at a time.

    Args:
        body: Bytes of a request, and of what a compressed table unpacks to.
        rows: Rows of a table, and of a forecast.
        series: Series of a forecast.
        horizon: Steps ahead.
        seconds: From the first byte of a request to the last of its answer.
        workers: Forecasts that are computed at the same time.
        queue: Requests that wait for a worker; more are refused.
        connections: Open connections; requests on more are refused.
    """

    body: int = 8_000_000
    rows: int = 100_000
    series: int = 1_000
    horizon: int = 1_000
    seconds: float = 10.0
    workers: int = 2
    queue: int = 32
    connections: int = 256
