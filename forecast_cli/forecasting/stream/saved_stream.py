"""The state of a stream between two runs, as one file: arrays and their description, no code."""

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import ModelFileError
from ...model.file_writing import write_whole
from ...model.stateful import weights_sum
from .output_records import Pace
from .row_reader import Row
from .series_forecaster import SeriesForecaster
from .stream import Place, Stream

FORMAT = 1
META = "stream"
# The arrays that have no entry for each series.
NOT_BY_SERIES = ("known_steps", "known_rows", "known_counts", "young_rows", "lower")


def save_stream(stream: Stream, path: str | os.PathLike[str]) -> None:
    """Write the state of a stream, whole or not at all.

    Raises:
        UsageError: It cannot be written there.
    """
    places = list(stream.places.values())
    begun = [each.forecaster for each in places if each.forecaster is not None]
    dumped = [_dump(each) for each in begun]
    arrays = {name: np.stack([each[name] for each in dumped]) for name in dumped[0]}
    known = [each.known.dump() for each in begun]
    arrays["known_steps"] = np.concatenate([steps for steps, _ in known])
    arrays["known_rows"] = np.concatenate([rows for _, rows in known])
    arrays["known_counts"] = np.array([len(steps) for steps, _ in known])
    young = [step for each in places for step in each.young]
    features = len(stream.model.columns.features)
    arrays["young_rows"] = np.array([row for row, _ in young]).reshape(-1, features)
    lower = stream.model.lower
    arrays["lower"] = np.empty(0) if lower is None else lower
    meta = {
        "format": FORMAT,
        "model": weights_sum(stream.model.bundle),
        "series": [_describe(each) for each in places],
    }
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    buffer = io.BytesIO()
    save: Any = np.savez
    save(buffer, **arrays, **{META: text})
    write_whole(Path(path), buffer.getvalue())


def load_stream(stream: Stream, path: str | os.PathLike[str]) -> bool:
    """Let a stream go on from its beginning where a saved one stopped; return whether it did.

    False where there is no such file.

    Raises:
        ModelFileError: The file is no state of a stream, or that of another model.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(META).tobytes())
        own = meta["format"] == FORMAT and isinstance(meta["model"], str)
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        own, meta = False, {}
    if not own:
        raise _unusable(path, "is not the state of a stream.", "Give a file that `state` wrote")
    if meta["model"] != weights_sum(stream.model.bundle):
        raise _unusable(
            path, "holds the state of another model.", "Remove it to begin with the model's rows"
        )
    try:
        _restore(stream, meta["series"], arrays)
    except (KeyError, ValueError, IndexError, TypeError):
        raise _unusable(path, "is damaged.", "Remove it to begin with the model's rows") from None
    return True


def _restore(
    stream: Stream, described: Sequence[Mapping[str, Any]], arrays: Mapping[str, Any]
) -> None:
    """Put the series that a file describes in the place of those of a stream."""
    young, number, model = iter(arrays["young_rows"]), 0, stream.model
    ends = np.cumsum(arrays["known_counts"])
    for each in described:
        key = tuple(str(part).strip() for part in each["parts"])
        place = stream.places.get(key) or Place(tuple(each["parts"]))
        place.taken, place.pace = each["taken"], Pace(each["since"], each["slot"])
        place.young = [(next(young), _time(text, stream)) for text in each["young"]]
        if each["held"] is not None:
            values, text = each["held"]
            row = np.array([np.nan if value is None else value for value in values])
            place.held = Row(key, place.parts, _time(text, stream), row)
        if each["begun"]:
            own = {n: array[number] for n, array in arrays.items() if n not in NOT_BY_SERIES}
            scales = replace(model.bundle.scaling, center=own["center"], scale=own["scale"])
            forecaster = place.forecaster or SeriesForecaster(
                model, scales, own["unit"], None, stream.clock
            )
            forecaster.load(own)
            known = slice(ends[number] - arrays["known_counts"][number], ends[number])
            forecaster.known.load(arrays["known_steps"][known], arrays["known_rows"][known])
            forecaster.last = _time(each["last"], stream)
            place.forecaster, number = forecaster, number + 1
        stream.places[key], stream.lasts[key] = place, place.last
    lower = arrays["lower"]
    model.lower = lower if len(lower) else None
    if stream.future is not None:
        stream.future.stale = True


def _dump(forecaster: SeriesForecaster) -> dict[str, Any]:
    """What a restart needs of a series, with what it is scaled by."""
    scaling = forecaster.scaling
    own = {"center": scaling.center, "scale": scaling.scale, "unit": forecaster.unit}
    return forecaster.dump() | own


def _describe(place: Place) -> dict[str, Any]:
    """What a file says of a series beside its arrays."""
    held = None
    if place.held is not None:
        values = [None if np.isnan(each) else float(each) for each in place.held.values]
        held = [values, _text(place.held.time)]
    return {
        "parts": [each.item() if isinstance(each, np.generic) else each for each in place.parts],
        "begun": place.forecaster is not None,
        "last": _text(place.last),
        "taken": place.taken,
        "since": place.pace.rows,
        "slot": place.pace.slot,
        "young": [_text(time) for _, time in place.young],
        "held": held,
    }


def _text(time: pd.Timestamp | None) -> str | None:
    """Return a time for JSON."""
    return None if time is None else time.isoformat()


def _time(text: str | None, stream: Stream) -> pd.Timestamp | None:
    """Return a time of a file, in the zone of the model."""
    if text is None:
        return None
    time, zone = pd.Timestamp(text), stream.clock.zone if stream.clock else None
    return time if zone is None else time.tz_convert(zone)


def _unusable(path: str | os.PathLike[str], what: str, hint: str) -> ModelFileError:
    return ModelFileError(f"{os.fspath(path)} {what}", f"{hint}, or name another file.")
