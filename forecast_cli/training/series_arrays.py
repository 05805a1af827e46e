"""What a training needs of each series of a table that is prepared some series at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..config.schema import Config
from ..core.error_scale import Recent, unknown
from ..core.errors import DataError
from ..core.padding import LeftPadding
from ..core.ragged import cumulate
from ..core.scaling import Scaling
from ..core.windows import Floats, Ints
from ..data.checks import find_lower_bounds, require_positive
from ..data.dataset import Dataset, History, fit_scaling_by_scope, split_history
from ..data.missing import fill_panel
from ..data.panel import Panel
from ..data.splits import PARTS, Splits, WindowPlaces, all_training, split_rows
from ..data.stored_rows import StoredBlock, StoredRows
from ..forecasting.intervals.calibration import estimate_units, measure_units
from ..model.bundle import Bundle
from ..model.manifest import SplitRows
from ..model.records import Calibration, SeriesRecord
from .array_cache import PreparedArrays
from .model_assembly import (
    count_split_rows,
    fill_all,
    name_bounds,
    plain_part,
    record_series,
    scaling_numbers,
    take_last,
    take_levels,
    take_usual,
)

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Preparation:
    """How the series of a table are prepared, whichever of them are at hand.

    Args:
        config: Resolved, by a sample of the series.
        season: Steps in a season.
        whole: The scaler of all series together.
        intermittent: Whether most of the values are 0.
        refit: Whether every row is trained on.
    """

    config: Config
    season: int
    whole: Scaling
    intermittent: bool
    refit: bool = False

    def describe(self) -> str:
        """Return everything that the arrays of the series depend on, as text."""
        config, network = self.config, self.config.network
        parts = (
            config.data.model_dump_json(), config.split.model_dump_json(), self.refit, self.season,
            config.window.horizon, config.window.timesteps, config.scale_by, config.lower_bound,
            network.takes_short, network.padding, network.head == "sequence", self.intermittent,
            self.whole.kind, self.whole.before, self.whole.columns, self.whole.center.tolist(),
            self.whole.scale.tolist(),
        )  # fmt: skip
        return "\n".join(map(repr, parts))

    def split(self, panel: Panel) -> Splits:
        """Split some of the series."""
        if self.refit:
            return all_training(panel)
        horizon = self.config.window.horizon or 1
        return split_rows(panel, self.config.split, horizon=horizon, part=True)

    def prepare(self, panel: Panel) -> Dataset:
        """Split, fill and scale some of the series, to the same rows as among all of them.

        Raises:
            DataError: Values are missing or too small.
        """
        config, columns, splits = self.config, panel.columns, self.split(panel)
        self._require_rows(panel)
        filled = fill_panel(panel, splits, season_length=self.season)
        rows = splits.training_rows(filled)
        require_positive(rows, columns.columns, config.transform, panel.source)
        scaling = fit_scaling_by_scope(rows, splits, columns, config, whole=self.whole)
        scaling = replace(scaling, lower=find_lower_bounds(panel, splits, config))
        return split_history(History(panel, filled, scaling, self.season), config, splits)

    def training_rows(self, panel: Panel) -> Floats:
        """Return the training rows of some series, filled, shape `(rows, features)`."""
        splits = self.split(panel)
        return splits.training_rows(fill_panel(panel, splits, season_length=self.season))

    def _require_rows(self, panel: Panel) -> None:
        """Refuse series that are shorter than the window of a network that takes none."""
        timesteps, shortest = self.config.window.timesteps or 1, int(np.argmin(panel.lengths))
        if panel.lengths[shortest] < timesteps and not self.config.network.takes_short:
            raise DataError(
                f"Series {panel.name(shortest)} of {panel.source} has {panel.lengths[shortest]} "
                f"steps, fewer than the window of {timesteps}.",
                "Pass `missing=mask`, lower `timesteps`, or leave the series out.",
            )

    def take(self, panel: Panel) -> tuple[Floats, Arrays]:
        """Return the scaled rows of some series with their padding, and the numbers of each.

        Raises:
            DataError: As in `prepare`.
        """
        dataset = self.prepare(panel)
        return dataset.scaled.astype(np.float32), self._numbers(dataset)

    def fits(self, numbers: Arrays, rows: Floats, *, count: int, like: Dataset) -> bool:
        """Return whether numbers and rows that were kept may be those of a block.

        Args:
            numbers: As `take` returns them.
            rows: Shape `(rows, features)`.
            count: How many series the block has.
            like: Other series of the table.

        Raises:
            ValueError: They are not; other exceptions too, of times that are none.
        """
        lengths, added = numbers["lengths"], numbers["added"]
        train, validation = numbers["train"], numbers["validation"]
        ordered = (train >= 0) & (train <= validation) & (validation <= lengths) & (added >= 0)
        times = [*numbers["lasts"], *numbers["fresh"], *numbers["known"]]
        if like.panel.timeline is not None:
            pd.to_datetime([each for each in times if each], format="ISO8601", utc=True)
        SplitRows.model_validate_json(str(numbers["splits"][0]))
        return bool(
            _has_types(numbers, count, like)
            and ordered.all()
            and (lengths > 0).all()
            and rows.dtype == np.float32
            and rows.shape == (int((lengths + added).sum()), like.scaled.shape[1])
            and ((numbers["missing"] >= 0) & (numbers["missing"] < lengths.sum())).all()
        )

    def _numbers(self, dataset: Dataset) -> Arrays:
        """Return the numbers of the series of a dataset."""
        panel, splits, scaling = dataset.panel, dataset.splits, dataset.scaling
        rows, history = take_last(dataset, fill_all(dataset), dataset.timesteps)
        record, usual = record_series(panel, rows, splits), take_usual(dataset)
        targets, missing = panel.values[:, dataset.targets], dataset.places.missing
        scales: Floats = np.empty((2, panel.count, 0))
        if scaling.by_series:
            scales = np.stack([scaling.center, scaling.scale])
        end, intermittent = splits.train_end, self.intermittent
        return {
            "lengths": panel.lengths,
            "added": dataset.padding.added,
            "train": end - panel.indptr[:-1],
            "validation": splits.validation_end - panel.indptr[:-1],
            "missing": np.flatnonzero([] if missing is None else missing),
            "gaps": np.array([bool(np.isnan(dataset.scaled).any())]),
            "scales": scales,
            "naive": dataset.naive,
            "units": measure_units(dataset, end, intermittent=intermittent),
            "rows": rows,
            "history": history,
            "levels": take_levels(dataset),
            "usual": np.empty((panel.count, 0)) if usual is None else usual,
            "ahead": panel.ahead,
            "least": np.min(targets, axis=0, initial=np.inf, where=np.isfinite(targets)),
            "lasts": np.array(record.lasts, str),
            "fresh": np.array(record.fresh, str),
            "known": np.array(record.known or record.lasts, str),
            "splits": np.array([count_split_rows(dataset).model_dump_json()]),
        }


@dataclass(frozen=True)
class SeriesArrays:
    """The numbers of all series of a table, whose rows are on disk.

    Args:
        preparation: How they were prepared.
        folder: Where the rows are.
        blocks: The numbers of each block of series, in order, as `Preparation.take` returns them.
    """

    preparation: Preparation
    folder: PreparedArrays
    blocks: Sequence[Arrays]

    def joined(self, name: str, axis: int = 0) -> Any:
        """Return the numbers of all series, which are along one of the axes of each array."""
        return np.concatenate([each[name] for each in self.blocks], axis=axis)

    @cached_property
    def scaling(self) -> Scaling:
        """The scaling of all series."""
        center, scale = self.joined("scales", axis=1)
        whole = self.preparation.whole
        lower = self._lower()
        if not center.shape[1]:
            return replace(whole, lower=lower)
        return replace(whole, center=center, scale=scale, lower=lower)

    def _lower(self) -> Floats | None:
        """Return the lower bounds of forecasts that no value of the table is below."""
        setting = self.preparation.config.lower_bound
        if setting == "none":
            return None
        bounds = np.full(len(self.preparation.whole.center), -np.inf)
        least = np.min([each["least"] for each in self.blocks], axis=0)
        bound = float(setting or 0.0)
        for place, low in zip(_targets(self), least.tolist(), strict=True):
            if bound <= low < np.inf:
                bounds[place] = bound
        return bounds if np.isfinite(bounds).any() else None

    def stored(self, memory: float | None) -> StoredRows:
        """Return the rows to learn from, for so many gigabytes of memory."""
        blocks = [
            StoredBlock(self.folder.path(number), self._places(each))
            for number, each in enumerate(self.blocks)
        ]
        gaps = any(bool(each["gaps"].any()) for each in self.blocks)
        naive_error = self.joined("naive", axis=1)[0]
        return StoredRows(blocks, self.scaling, naive_error, gaps, memory)

    def _places(self, numbers: Arrays) -> WindowPlaces:
        """Return where the windows of a block begin."""
        indptr = cumulate(numbers["lengths"])
        ends = (indptr[:-1] + numbers[name] for name in ("train", "validation"))
        config = self.preparation.config
        missing = None
        if config.data.missing != "mask":
            missing = np.zeros(int(indptr[-1]), bool)
            missing[numbers["missing"]] = True
        padding = LeftPadding(indptr, numbers["added"])
        every_row = config.network.head == "sequence"
        return WindowPlaces(Splits(indptr, *ends), padding, missing, every_row)

    @property
    def split_rows(self) -> SplitRows:
        """How many rows each split has over all series, and when it begins."""
        found = [SplitRows.model_validate_json(str(each["splits"][0])) for each in self.blocks]
        begins = {
            name: min(times, key=pd.Timestamp)
            for name in (f"{part}_begins" for part in PARTS)
            if (times := [time for each in found if (time := getattr(each, name))])
        }
        counts = {part: sum(getattr(each, part) for each in found) for part in PARTS}
        return SplitRows(**counts, **begins)

    def ahead(self) -> Floats | None:
        """Return what is known of the steps after each series, as in `Bundle`."""
        steps = max(each["ahead"].shape[1] for each in self.blocks)
        if not steps:
            return None
        known = [each["ahead"] for each in self.blocks]
        wide = [((0, 0), (0, steps - each.shape[1]), (0, 0)) for each in known]
        return np.concatenate([
            np.pad(each, more, constant_values=np.nan)
            for each, more in zip(known, wide, strict=True)
        ])  # fmt: skip


def _has_types(numbers: Arrays, count: int, like: Dataset) -> bool:
    """Whether the numbers of so many series have the names, types and shapes of such ones."""
    features, targets = like.scaled.shape[1], len(like.targets)
    kept, steps = int(numbers["rows"].sum()), numbers["ahead"].shape[1]
    shapes = {
        "lengths": (count,), "added": (count,), "train": (count,), "validation": (count,),
        "missing": numbers["missing"].shape[:1], "gaps": (1,), "rows": (count,),
        "naive": (2, count, targets), "units": (count, targets), "history": (kept, features),
        "levels": (5, count, features), "ahead": (count, steps, features), "least": (targets,),
        "scales": (2, count, features if like.scaling.by_series else 0),
        "usual": (count, 0 if take_usual(like) is None else features),
        "lasts": (count,), "fresh": (count,), "known": (count,), "splits": (1,),
    }  # fmt: skip
    kinds = dict.fromkeys(("lengths", "added", "train", "validation", "missing", "rows"), "i")
    kinds |= dict.fromkeys(("lasts", "fresh", "known", "splits"), "U") | {"gaps": "b"}
    return numbers.keys() == shapes.keys() and all(
        each.shape == shapes[name] and each.dtype.kind == kinds.get(name, "f")
        for name, each in numbers.items()
    )


def extend(
    bundle: Bundle,
    ids: pd.DataFrame,
    sample: Ints,
    arrays: tuple[SeriesArrays, SeriesArrays],
    calibration: Calibration | None,
) -> Bundle:
    """Return a model of a sample of the series of a table as that of all of them.

    Args:
        bundle: The model.
        ids: The names of all series.
        sample: Shape `(chosen,)`: the series of the sample.
        arrays: The numbers of all series, of the scored training and of the one that is kept.
        calibration: The validation errors of the sample, before any refit.
    """
    scored, kept = arrays
    scaling, counts = kept.scaling, scored.joined("lengths")
    manifest = bundle.manifest.model_copy(
        update={
            "scaling": scaling_numbers(scaling),
            "lower": name_bounds(scaling),
            "splits": scored.split_rows,
            "rows": int(counts.sum()),
            "time": _last_time(bundle, scored),
            "run": _count_windows(bundle, scored),
        }
    )
    return replace(
        bundle,
        manifest=manifest,
        history=scored.joined("history"),
        series=_record(bundle, ids, scored, kept),
        scales=np.stack([scaling.center, scaling.scale]) if scaling.by_series else None,
        ahead=scored.ahead(),
        calibration=calibration and _calibrate_all(calibration, sample, scored, kept),
        naive=scored.joined("naive", axis=1),
        levels=scored.joined("levels", axis=1),
        usual=None if bundle.usual is None else scored.joined("usual"),
    )


def _record(
    bundle: Bundle, ids: pd.DataFrame, scored: SeriesArrays, kept: SeriesArrays
) -> SeriesRecord:
    """Return the names of all series and their times, as in a model file."""
    lasts, known = scored.joined("lasts"), scored.joined("known")
    fresh = kept.joined("fresh")
    return SeriesRecord(
        columns=tuple(ids.columns),
        ids=tuple(tuple(plain_part(part) for part in each) for each in ids.to_numpy(object)),
        rows=tuple(scored.joined("rows").tolist()),
        lasts=tuple(lasts.tolist()),
        fresh=tuple(fresh.tolist()),
        known=() if (known == lasts).all() else tuple(known.tolist()),
    )


def _last_time(bundle: Bundle, arrays: SeriesArrays) -> Any:
    """Return the time axis of a model with the last time of all series."""
    time = bundle.manifest.time
    if time is None:
        return None
    lasts = max(set(arrays.joined("lasts").tolist()), key=pd.Timestamp)
    return time.model_copy(update={"last": lasts})


def _count_windows(bundle: Bundle, arrays: SeriesArrays) -> Any:
    """Return the record of a training run with the training windows of all series."""
    config = arrays.preparation.config
    steps = 1 if config.window.mode == "many-to-one" else config.window.horizon or 1
    timesteps = config.window.timesteps or 1
    windows = arrays.stored(None).count("train", timesteps=timesteps, horizon=steps)
    return bundle.manifest.run.model_copy(update={"windows": int(windows.sum())})


def _calibrate_all(
    calibration: Calibration, sample: Ints, scored: SeriesArrays, kept: SeriesArrays
) -> Calibration:
    """Return the validation errors of a sample with the units of all series.

    The errors of a series outside of the sample are taken to be as large, beside those of its
    seasonal naive forecast, as those of the others.
    """
    units = estimate_units(scored.joined("units"))
    units[sample] = calibration.units
    if kept is not scored:
        targets = _targets(scored)
        units = units * (scored.scaling.only(targets).scale / kept.scaling.only(targets).scale)
    ended = unknown(len(units), units.shape[1])
    ended.total[sample], ended.weight[sample] = calibration.ended.total, calibration.ended.weight
    return replace(calibration, units=units, ended=Recent(ended.total, ended.weight))


def _targets(arrays: SeriesArrays) -> list[int]:
    """Return the places of the targets among the features."""
    data = arrays.preparation.config.data
    return [data.column.index(name) for name in data.targets]
