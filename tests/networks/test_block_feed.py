"""Windows read from disk in blocks: the same ones as in memory, however the rows are cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.sections import Training
from forecast_cli.core.padding import pad_short_series
from forecast_cli.core.ragged import cumulate
from forecast_cli.core.scaling import Scaling, Units
from forecast_cli.core.windows import gather
from forecast_cli.data.splits import Splits, WindowPlaces
from forecast_cli.data.stored_rows import StoredBlock, StoredRows

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 4, 2


def places(lengths):
    """Series of which the longer ones have validation rows, some filled; short ones are padded."""
    indptr = cumulate(lengths)
    held = np.where(lengths > 12, 4, 0)
    padding = pad_short_series(indptr, lengths < TIMESTEPS + 1, timesteps=TIMESTEPS)
    missing = np.arange(indptr[-1]) % 11 == 10
    return WindowPlaces(Splits(indptr, indptr[1:] - held, indptr[1:]), padding, missing)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory):
    """Feeds of the same series: in memory, and in blocks of so many series each."""
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.block_feed import BlockFeed

    def make(lengths, cuts, most, *, units):
        folder = tmp_path_factory.mktemp("blocks")
        whole = places(lengths)
        draw = np.random.default_rng(len(lengths))
        values = draw.normal(size=(int(whole.padding.shift[-1] + lengths.sum()), 3))
        values, sizes = values.astype(np.float32), lengths + whole.padding.added
        edges = [0, *sorted(cuts), len(lengths)]
        ends, blocks = cumulate(sizes), []
        for number, (first, end) in enumerate(pairwise(edges)):
            path = folder / f"{number}.npy"
            np.save(path, values[ends[first] : ends[end]])
            part = places(lengths[first:end])
            rows = whole.splits.indptr[[first, end]]
            part = WindowPlaces(part.splits, part.padding, whole.missing[slice(*rows)])
            blocks.append(StoredBlock(path, part))
        count = len(lengths)
        scaling = Scaling("none", np.zeros((count, 3)), np.ones((count, 3)))
        error = np.ones((count, 1))
        owners = np.repeat(np.arange(count), sizes).astype(np.int32)
        known = {"timesteps": TIMESTEPS, "horizon": HORIZON}
        own = Units(scaling.only([0]), error) if units else None
        starts = (whole.starts(part, **known) for part in ("train", "validation"))
        feed = WindowFeed(values, plain_inputs(3, 1), *starts, **known, units=own, owners=owners)
        stored = StoredRows(blocks, scaling, error, False)
        most = max(most, *(each.rows for each in blocks))
        sample = {"units": own, "stored": stored, "most": most}
        return feed, BlockFeed(
            values[:9], plain_inputs(3, 1), *(np.arange(2),) * 2, **known, **sample
        )

    return make


def lengths_of(draw):
    return np.array([*draw.draw(st.lists(st.integers(1, 40), min_size=3, max_size=12)), 30])


def windows(pieces):
    """The windows of a pass with what follows them, and how many each batch has."""
    found = []
    for values, (rows, sizes) in pieces:
        counted = np.arange(rows.shape[1]) < sizes[:, None]
        found.append(gather(values, rows[counted], timesteps=TIMESTEPS + HORIZON).copy())
    return np.concatenate(found)


def in_order(found):
    flat = found.reshape(len(found), -1)
    return flat[np.lexsort(flat.T)]


@settings(max_examples=25)
@given(st.data(), st.integers(1, 200), st.integers(1, 9))
def test_blocks_of_any_size_give_the_windows_of_a_table_in_memory(feeds, data, most, epoch):
    from forecast_cli.networks.batch_order import Shuffled
    from forecast_cli.networks.block_feed import Blockwise

    lengths = lengths_of(data)
    cuts = data.draw(st.sets(st.integers(1, len(lengths) - 1)))
    memory, disk = feeds(lengths, cuts, most, units=False)
    training = Training(batch_size=8, seed=3)
    whole, blocks = Shuffled(memory, training), Blockwise(disk, training)
    assert (blocks.steps, blocks.batch_size) == (whole.steps, whole.batch_size)
    for part in ("training", "validation"):
        given = (epoch,) if part == "training" else ()
        expected = windows([(memory.values, getattr(whole, part)(*given))])
        got = windows(getattr(blocks, part)(*given))
        np.testing.assert_array_equal(in_order(got), in_order(expected))
        if blocks.fits:
            np.testing.assert_array_equal(got, expected)


@settings(max_examples=15)
@given(st.data(), st.integers(1, 200), st.integers(1, 6))
def test_of_an_epoch_of_few_steps_blocks_have_as_many_windows(feeds, data, most, steps):
    from forecast_cli.networks.batch_order import Shuffled
    from forecast_cli.networks.block_feed import Blockwise

    lengths = lengths_of(data)
    memory, disk = feeds(lengths, {1, 2}, most, units=False)
    training = Training(batch_size=8, steps_per_epoch=steps)
    whole, blocks = Shuffled(memory, training), Blockwise(disk, training)
    expected = windows([(memory.values, whole.training(2))])
    got = windows(blocks.training(2))
    assert len(got) == len(expected) and len(np.unique(got, axis=0)) == len(got)


def test_some_validation_windows_are_those_of_a_table_in_memory(feeds, monkeypatch):
    from forecast_cli.networks import batch_order, block_feed

    for module in (batch_order, block_feed):
        monkeypatch.setattr(module, "VALIDATION_BATCH", 3)
    lengths = np.full(30, 20)
    memory, disk = feeds(lengths, range(1, 30, 2), 100, units=False)
    training = Training(batch_size=2, steps_per_epoch=4)
    expected = windows([(memory.values, batch_order.Shuffled(memory, training).validation())])
    blocks = block_feed.Blockwise(disk, training)
    assert not blocks.fits
    for _ in range(2):
        np.testing.assert_array_equal(windows(blocks.validation()), expected)


@pytest.mark.parametrize("most", [60, 10_000])
def test_each_window_knows_its_series_where_the_loss_asks(feeds, most):
    from forecast_cli.networks.block_feed import Blockwise

    lengths = np.full(9, 20)
    memory, disk = feeds(lengths, {2, 5}, most, units=True)
    known = {gather(memory.values, np.array([row]), timesteps=1).tobytes(): owner
             for row, owner in enumerate(memory.owners)}  # fmt: skip
    for values, (rows, sizes) in Blockwise(disk, Training(batch_size=8)).training(1):
        for batch, size in zip(rows, sizes, strict=True):
            made = disk.gather(values, batch[:size], training=True)
            assert made.given[0].shape == (size, TIMESTEPS, 3)
            firsts = np.asarray(made.given[0])[:, :1]
            assert [known[each.tobytes()] for each in firsts] == made.series.numpy().tolist()
