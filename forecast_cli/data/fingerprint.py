"""What a table holds, as bytes for a digest: work on equal tables can be resumed."""

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from .panel import Panel


def add_panel(add: Callable[[bytes], None], panel: Panel) -> None:
    """Add everything in a panel that forecasts depend on to a digest.

    Args:
        add: The `update` of a hash.
        panel: The table.
    """
    for array in (panel.values, panel.ahead, panel.indptr):
        add(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    if panel.timeline is not None:
        add(f"{panel.timeline.frequency} {panel.timeline.times.dtype}".encode())
        add(np.ascontiguousarray(panel.timeline.times.asi8).tobytes())
    columns = asdict(panel.columns) | {"covariates": panel.columns.covariates.model_dump()}
    add(json.dumps(columns, sort_keys=True, default=str).encode())
    add(panel.data.model_dump_json().encode())
    add(panel.ids.to_csv().encode())
