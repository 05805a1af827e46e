"""Tables of sequences with a label: rows and long tables as the same arrays."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.sequences import read_sequences

NAN = np.nan
ROWS = "a,b,c,y\n1,2,3,2\n4,5,6,5\n7,8,9,8\n"
# The sequences u: 1, 2 and v: 3, 4, 5, their rows mixed.
LONG = "s,x,y\nu,1,7\nv,3,8\nu,2,7\nv,4,8\nv,5,8\n"


def read(source, notes=None, labelled=True, columns=(), **data):
    notes = [] if notes is None else notes
    settings = Data(label=data.pop("label", ("y",)), **data)
    return read_sequences(
        source, settings, labelled=labelled, columns=columns, on_event=notes.append
    )


def steps_of(sequences):
    """The steps of each sequence as lists."""
    parts = np.split(sequences.values, sequences.indptr[1:-1])
    return [part.tolist() for part in parts]


def test_each_row_is_a_sequence_of_its_columns(write):
    sequences = read(write(ROWS), layout="rows")
    assert sequences.values.tolist() == [[float(value)] for value in range(1, 10)]
    assert sequences.indptr.tolist() == [0, 3, 6, 9]
    assert sequences.lengths.tolist() == [3, 3, 3]
    assert sequences.ids.to_dict("list") == {"sequence": [1, 2, 3]}
    assert sequences.labels.to_dict("list") == {"y": [2, 5, 8]}
    assert (sequences.features, sequences.columns) == (("value",), ("a", "b", "c"))
    assert (len(sequences), sequences.source, sequences.name(1)) == (3, "table.csv", "2")


def test_the_rows_of_one_name_are_a_sequence_wherever_they_stand(write):
    sequences = read(write(LONG), series=("s",))
    assert steps_of(sequences) == [[[1.0], [2.0]], [[3.0], [4.0], [5.0]]]
    assert sequences.indptr.tolist() == [0, 2, 5]
    assert sequences.ids.to_dict("list") == {"s": ["u", "v"]}
    assert sequences.labels.to_dict("list") == {"y": [7, 8]}
    assert (sequences.features, sequences.columns) == (("x",), ("x",))


def test_long_is_the_layout_where_none_is_named(write):
    plain, named = (read(write(LONG), series=("s",), layout=each) for each in (None, "long"))
    assert steps_of(plain) == steps_of(named)


def test_several_columns_of_a_row_are_one_step(write):
    name = write("t1a,t1b,t2a,t2b,y\n1,2,3,4,0\n5,6,7,8,1\n")
    sequences = read(name, layout="rows", step_features=2)
    assert steps_of(sequences) == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    assert sequences.features == ("t1a", "t1b")
    assert sequences.columns == ("t1a", "t1b", "t2a", "t2b")


def test_several_columns_of_a_long_table_are_the_features_in_the_order_asked_for(write):
    name = write("s,a,b,c,y\nu,1,2,3,0\nu,4,5,6,0\n")
    assert steps_of(read(name, series=("s",))) == [[[1, 2, 3], [4, 5, 6]]]
    assert steps_of(read(name, series=("s",), column=("c", "a"))) == [[[3, 1], [6, 4]]]


def test_empty_cells_at_the_end_of_a_row_make_its_sequence_shorter(write):
    sequences = read(write("a,b,c,y\n1,2,3,0\n4,5,,1\n6,,,2\n"), layout="rows")
    assert steps_of(sequences) == [[[1], [2], [3]], [[4], [5]], [[6]]]
    assert sequences.lengths.tolist() == [3, 2, 1]


def test_a_row_ends_with_a_whole_step(write):
    name = write("a,b,c,d,y\n1,2,3,4,0\n5,6,,,1\n")
    sequences = read(name, layout="rows", step_features=2)
    assert steps_of(sequences) == [[[1, 2], [3, 4]], [[5, 6]]]


def test_a_column_that_nobody_reaches_is_room_for_more(write):
    sequences = read(write("a,b,c,y\n1,2,,0\n4,,,1\n"), layout="rows")
    assert sequences.columns == ("a", "b", "c")
    assert sequences.lengths.tolist() == [2, 1]


def test_a_row_without_any_step_is_named(write):
    with pytest.raises(DataError, match=r"table\.csv line 3 holds no step"):
        read(write("a,b,y\n1,2,0\n,,1\n"), layout="rows")


def test_the_rows_of_a_sequence_are_put_in_the_order_of_their_time(write):
    dates = ["2024-01-03", "2024-01-01", "2024-01-02", "2024-01-01"]
    rows = zip("uvuu", dates, [3, 9, 2, 1], [0, 1, 0, 0], strict=True)
    name = write("s,day,x,y\n" + "".join(f"{s},{d},{x},{y}\n" for s, d, x, y in rows))
    sequences = read(name, series=("s",), time="day")
    assert steps_of(sequences) == [[[1], [2], [3]], [[9]]]
    assert sequences.features == ("x",)


def test_without_a_time_the_rows_stay_in_the_order_of_the_table(write):
    assert steps_of(read(write("s,x,y\nu,3,0\nu,1,0\nu,2,0\n"), series=("s",))) == [[[3], [1], [2]]]


def test_time_none_leaves_the_rows_in_their_order_as_in_a_forecast(write):
    sequences = read(write(LONG), series=("s",), time="none")
    assert steps_of(sequences) == [[[1], [2]], [[3], [4], [5]]]


def test_a_time_column_that_does_not_exist_names_the_nearest(write):
    with pytest.raises(DataError, match=r'no column "X".*Did you mean "x"'):
        read(write(LONG), series=("s",), time="X")


def test_several_columns_name_a_sequence_together(write):
    name = write("who,day,x,y\nu,1,1,0\nu,2,2,1\nw,1,3,2\nu,1,4,0\n")
    sequences = read(name, series=("who", "day"))
    assert steps_of(sequences) == [[[1], [4]], [[2]], [[3]]]
    assert sequences.ids.to_dict("list") == {"who": ["u", "u", "w"], "day": [1, 2, 1]}
    assert sequences.name(1) == "u 2"


def test_rows_may_have_names_too(write):
    sequences = read(write("id,a,b,y\nk,1,2,0\nm,3,4,1\n"), layout="rows", series=("id",))
    assert sequences.ids.to_dict("list") == {"id": ["k", "m"]}
    assert sequences.columns == ("a", "b")


@pytest.mark.parametrize("layout", ["rows", "long"])
def test_several_labels_are_kept_in_the_order_asked_for(write, layout):
    name = write("s,a,b,y,z\nu,1,2,5,6\nv,3,4,7,8\n")
    sequences = read(name, layout=layout, series=("s",), label=("z", "y"))
    assert sequences.labels.to_dict("list") == {"z": [6, 8], "y": [5, 7]}
    assert sequences.columns == ("a", "b")


@pytest.mark.parametrize("values", [["no", "yes"], [0.5, 1.5], [True, False]], ids=str)
def test_labels_are_what_the_table_holds(write, values):
    frame = pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4], "y": values})
    for source in (frame, write(frame.to_csv(index=False))):
        assert read(source, layout="rows").labels["y"].tolist() == values


def test_a_label_that_changes_within_a_sequence_names_both_lines(write):
    with pytest.raises(DataError) as caught:
        read(write("s,x,y\nu,1,7\nv,3,8\nu,2,9\n"), series=("s",))
    assert caught.value.message == (
        'table.csv line 4: the label "y" of u is 9, and 7 in table.csv line 2.'
    )
    assert "the same label in all its rows" in caught.value.hint


def test_any_of_several_labels_must_stay_the_same(write):
    with pytest.raises(DataError, match=r'line 3: the label "z" of u is b, and a in .* line 2'):
        read(write("s,x,y,z\nu,1,7,a\nu,2,7,b\n"), series=("s",), label=("y", "z"))


@pytest.mark.parametrize("layout", ["rows", "long"])
def test_a_missing_label_is_named_with_its_line(write, layout):
    name = write("s,x,y\nu,1,7\nv,3,\nw,2,9\n")
    with pytest.raises(DataError, match=r'table\.csv line 3: the label "y" is missing') as caught:
        read(name, layout=layout, series=("s",))
    assert "predictions need no labels" in caught.value.hint


def test_predictions_need_no_label(write):
    sequences = read(write("a,b,c\n1,2,3\n"), layout="rows", labelled=False)
    assert sequences.labels is None
    assert steps_of(sequences) == [[[1], [2], [3]]]


def test_labels_of_a_table_to_predict_are_not_looked_at(write):
    sequences = read(write("a,b,y\n1,2,\n3,4,x\n"), layout="rows", labelled=False)
    assert sequences.labels is None
    assert sequences.columns == ("a", "b")


def test_known_columns_are_read_whatever_else_there_is(write):
    name = write("note,b,a,extra\nhello,2,1,9\n")
    sequences = read(name, layout="rows", labelled=False, columns=("a", "b"))
    assert steps_of(sequences) == [[[1], [2]]]


@pytest.mark.parametrize(
    ("content", "data", "message"),
    [
        ("a,b,c,y\n1,2,3,0\n4,,6,1\n", {"layout": "rows"}, "step 2 of sequence 2 is missing"),
        (LONG.replace("v,4", "v,"), {"series": ("s",)}, "step 2 of sequence v is missing"),
    ],
    ids=["rows", "long"],
)
def test_a_missing_step_is_named_with_its_sequence(write, content, data, message):
    with pytest.raises(DataError, match=rf"table\.csv: {message}, one of 1 in all") as caught:
        read(write(content), **data)
    assert "`missing` to mask, interpolate or ffill" in caught.value.hint


@pytest.mark.parametrize("missing", ["mask", "interpolate", "ffill"])
def test_missing_steps_stay_missing_where_they_are_dealt_with_later(write, missing):
    sequences = read(write("a,b,c,y\n1,,3,0\n4,5,6,1\n"), layout="rows", missing=missing)
    np.testing.assert_array_equal(sequences.values[:3, 0], [1, NAN, 3])


def test_more_markers_of_missing_steps_can_be_named(write):
    name = write("a,b,c,y\n1,2,?,0\n4,5,6,1\n")
    assert read(name, layout="rows", na=("?",)).lengths.tolist() == [2, 3]


def test_words_among_the_steps_of_a_row_are_named_with_their_line(write):
    with pytest.raises(DataError, match=r'table\.csv line 3: column "b" holds "five"'):
        read(write("a,b,c,y\n1,2,3,0\n4,five,6,1\n"), layout="rows")


def test_words_beside_the_steps_of_a_long_table_are_left_out_and_said(write):
    notes = []
    sequences = read(write("s,x,note,y\nu,1,good,0\nu,2,bad,0\n"), notes, series=("s",))
    assert sequences.columns == ("x",)
    assert [each.text for each in notes] == ["columns ignored because they are not numeric: note"]


def test_words_in_a_column_that_was_asked_for_are_an_error(write):
    with pytest.raises(DataError, match='line 2: column "note" holds "good"'):
        read(write("s,x,note,y\nu,1,good,0\n"), series=("s",), column=("x", "note"))


def test_a_table_of_words_has_nothing_to_read(write):
    with pytest.raises(DataError, match="no numeric column besides the label"):
        read(write("s,x,y\nu,good,1\nv,bad,2\n"), series=("s",))


def test_columns_that_do_not_make_whole_steps_are_refused(write):
    with pytest.raises(
        UsageError, match="3 columns cannot be split into steps of 2 columns each"
    ) as caught:
        read(write(ROWS), layout="rows", step_features=2)
    assert "`step_features`" in caught.value.hint


def test_a_long_table_needs_to_know_which_rows_belong_together(write):
    with pytest.raises(UsageError, match="which rows belong to one sequence") as caught:
        read(write(LONG))
    assert "with `series`" in caught.value.hint
    assert "`layout=rows`" in caught.value.hint


@pytest.mark.parametrize("source", ["file", "frame"])
@pytest.mark.parametrize("role", ["label", "series", "column"])
def test_a_column_that_does_not_exist_names_the_nearest(write, source, role):
    name, data = write(LONG), {"series": ("s",), role: ("Y",)}
    with pytest.raises(DataError, match=r'no column "Y".*Did you mean "y"'):
        read(name if source == "file" else pd.read_csv(name), **data)


@pytest.mark.parametrize(
    ("content", "data"),
    [(ROWS, {"layout": "rows"}), (LONG, {"series": ("s",)})],
    ids=["rows", "long"],
)
def test_a_frame_is_read_like_its_file(write, content, data):
    name = write(content)
    frame = pd.read_csv(name)
    before = frame.copy()
    from_file, from_frame = read(name, **data), read(frame, **data)
    assert_equal(from_file, from_frame)
    assert from_frame.source == "the table"
    pd.testing.assert_frame_equal(frame, before)


def assert_equal(one, other):
    np.testing.assert_array_equal(one.values, other.values)
    assert one.indptr.tolist() == other.indptr.tolist()
    assert one.ids.to_dict("list") == other.ids.to_dict("list")
    assert one.labels.to_dict("list") == other.labels.to_dict("list")


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3) + 0.0)
RAGGED = st.integers(1, 3).flatmap(
    lambda wide: st.lists(
        st.lists(st.lists(NUMBERS, min_size=wide, max_size=wide), min_size=1, max_size=5),
        min_size=1,
        max_size=6,
    )
)


def as_rows(ragged):
    """A table of a row for each sequence; the longest one says how many columns there are."""
    wide, most = len(ragged[0][0]), max(map(len, ragged))
    cells = [np.ravel(steps).tolist() for steps in ragged]
    padded = [[*row, *[NAN] * (most * wide - len(row))] for row in cells]
    return pd.DataFrame(padded, columns=[f"c{at}" for at in range(most * wide)])


def as_long(ragged):
    """A table of a row for each step."""
    wide = len(ragged[0][0])
    rows = [(name, *step) for name, steps in enumerate(ragged, start=1) for step in steps]
    return pd.DataFrame(rows, columns=["sequence", *[f"c{at}" for at in range(wide)]])


@given(RAGGED, st.randoms(use_true_random=False), st.booleans())
def test_rows_and_long_tables_of_the_same_sequences_are_equal(ragged, random, as_files):
    labels = [f"label {number}" for number in range(len(ragged))]
    rows, long = as_rows(ragged).assign(y=labels), as_long(ragged)
    long["y"] = [labels[name - 1] for name in long["sequence"]]
    long = mixed(long, random)
    data = {"layout": "rows", "step_features": len(ragged[0][0])}
    from_rows = read_again(rows, as_files, **data)
    from_long = in_order(read_again(long, as_files, series=("sequence",)))
    assert steps_of(from_rows) == ragged
    assert_equal(from_rows, from_long)
    assert from_rows.labels["y"].tolist() == labels


def mixed(long, random):
    """Rows of other sequences stand in between; those of one sequence keep their order."""
    order = long["sequence"].tolist()
    random.shuffle(order)
    left = {name: iter(part.index) for name, part in long.groupby("sequence")}
    return long.loc[[next(left[name]) for name in order]]


def in_order(sequences):
    """The same sequences in the order of their names."""
    order = np.argsort(sequences.ids["sequence"].to_numpy())
    parts = np.split(sequences.values, sequences.indptr[1:-1])
    indptr = np.concatenate([[0], np.cumsum(sequences.lengths[order])])
    return replace(
        sequences,
        values=np.concatenate([parts[place] for place in order]),
        indptr=indptr,
        ids=sequences.ids.iloc[order],
        labels=sequences.labels.iloc[order],
    )


def read_again(frame, as_file, **data):
    """The sequences of a frame, or of the file that it makes."""
    if not as_file:
        return read(frame, **data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        frame.to_csv(path, index=False)
        return read(path, **data)
