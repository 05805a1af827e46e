"""Exports of offices, shops and banks: what is silently another table is read, or asked about."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.inspection.report import inspect_table
from forecast_cli.data.reading import read_panel
from forecast_cli.training.pipeline import read_dataset

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
GERMAN = ["Jan", "Feb", "Mrz", "Apr", "Mai", "Juni", "Juli", "Aug", "Sept", "Okt", "Nov", "Dez"]
VALUES = np.arange(1, 49).reshape(4, 12)


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return str(path)


def years(names, *, more="", cell=str, values=VALUES):
    lines = [",".join(["Year", *names]) + (",Annual" if more else "")]
    lines += [",".join([str(2015 + at), *map(cell, row)]) + more for at, row in enumerate(values)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("names", [MONTHS, GERMAN, [str(month) for month in range(1, 13)]])
@pytest.mark.parametrize("more", ["", ",999"])
def test_a_row_for_each_year_is_read_as_months(tmp_path, names, more):
    path = written(tmp_path / "t.csv", years(names, more=more))
    report = inspect_table(path)
    assert (report.frequency, report.rows, report.season_length) == ("months (MS)", 48, 12)
    assert report.train.endswith("--layout years")
    panel = read_panel(path, Data(layout="years"))
    assert panel.values[:, 0].tolist() == list(range(1, 49))
    assert str(panel.timeline.times[0].date()) == "2015-01-01"


def test_quarters_in_columns_and_rows_newest_first(tmp_path):
    lines = ["Year,Q1,Q2,Q3,Q4", "2021,9,10,,", "2020,5,6,7,8", "2019,1,2,3,4"]
    panel = read_panel(written(tmp_path / "t.csv", "\n".join(lines)), Data(layout="years"))
    assert panel.values[:, 0].tolist() == list(range(1, 11))
    assert panel.timeline.frequency.alias == "QS"


def test_a_row_for_each_year_is_never_one_month_in_silence(tmp_path, linear_training):
    path = written(tmp_path / "t.csv", years(MONTHS))
    with pytest.raises(UsageError, match=r"Each row of .* is a year") as refused:
        fc.train(path)
    assert "`layout=years`" in refused.value.hint
    notes = []
    read_panel(path, Data(column=("Jan",)), on_event=notes.append)
    assert any("one of 12 columns of a year" in each.text for each in notes)
    model = fc.train(
        path, layout="years", horizon=3, timesteps=4, cell="rnn", units=2, preset="classic"
    )
    ahead = model.predict()
    assert ahead["time"].astype(str).tolist()[0].startswith("2019-01")
    pd.testing.assert_frame_equal(model.predict(path), ahead)


def test_a_year_twice_is_refused(tmp_path):
    text = years(MONTHS) + "2016," + ",".join(["1"] * 12) + "\n"
    with pytest.raises(DataError, match=r"2016.* a second time"):
        read_panel(written(tmp_path / "t.csv", text), Data(layout="years"))


def dotted(cells):
    days = pd.date_range("2022-01-01", periods=len(cells))
    return "Datum;Menge\n" + "".join(
        f"{day:%d.%m.%Y};{cell}\n" for day, cell in zip(days, cells, strict=True)
    )


MIXED = ["950", "1.007", "998", "1.107", "1.207", "1.004", "1.507", "980"]


@pytest.mark.parametrize("cells", [MIXED, [each for each in MIXED if "." in each] * 2])
def test_points_that_may_separate_thousands_are_asked_about(tmp_path, cells):
    path = written(tmp_path / "t.csv", dotted(cells))
    with pytest.raises(DataError, match=r"which could be 1\.007 or 1007") as refused:
        read_panel(path, Data(column=("Menge",)))
    assert "`decimal=.` or `decimal=,`" in refused.value.hint
    for mark, factor in ((",", 1000), (".", 1)):
        data = Data(column=("Menge",), decimal=mark)
        found = read_panel(path, data).values[:, 0]
        assert 1.507 * factor == pytest.approx(found[cells.index("1.507")])


def test_three_decimals_are_no_thousands(tmp_path):
    for cells in (["0.950", "1.007", "0.998", "1.107", "1.207", "1.004"], ["1.25", *MIXED]):
        panel = read_panel(written(tmp_path / "t.csv", dotted(cells)), Data(column=("Menge",)))
        assert np.nanmin(panel.values) < 951
        assert 1.007 in panel.values


def test_empty_values_at_the_end_are_no_gaps(tmp_path):
    days = pd.date_range("2022-01-01", periods=60).astype(str)
    rows = [f"{day},{at if at < 45 else ''},{at % 7}" for at, day in enumerate(days)]
    path = written(tmp_path / "t.csv", "day,sales,plan\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="25 % of the steps") as refused:
        read_panel(path, Data(column=("sales",)))
    assert refused.value.hint.startswith("All of them are at the end: pass `missing=drop`")
    assert inspect_table(path).train.endswith("--missing drop")
    panel = read_panel(path, Data(column=("sales",), missing="drop"))
    assert str(panel.timeline.times[-1].date()) == "2022-02-14"
    panel = read_panel(path, Data(column=("sales",), future_covariates=("plan",)))
    assert len(panel.values) == 45


def test_what_is_filled_is_said_with_its_share_and_place():
    days = pd.date_range("2022-01-01", periods=50)
    frame = pd.DataFrame({"day": days, "sales": np.arange(50) % 7 + 1.0})
    frame.loc[[5, 20, 21, 22], "sales"] = np.nan
    with pytest.raises(DataError, match="8 % of the steps"):
        read_panel(frame, Data(column=("sales",)))
    settings = {"column": "sales", "missing": "interpolate", "preset": "classic", "horizon": 2}
    notes = []
    read_dataset(frame, configure(settings), on_event=notes.append)
    said = next(each for each in notes if "filled by" in getattr(each, "text", ""))
    assert "4 missing values, 8 % of all" in said.text
    assert said.text.endswith("at most 3 in a row, from 2022-01-21")
    assert said.warning


def test_japanese_and_korean_exports_are_told_apart(tmp_path):
    rows = [f"{2020 + at // 12}年{at % 12 + 1}月,{at}" for at in range(30)]
    path = written(tmp_path / "t.csv", "年月,売上\n" + "\n".join(rows) + "\n", "cp932")
    assert inspect_table(path).time == "年月"
    rows = [f"{2020 + at // 12}.{at % 12 + 1:02d},{at}.5" for at in range(30)]
    path = written(tmp_path / "k.csv", "월,판매\n" + "\n".join(rows) + "\n", "cp949")
    report = inspect_table(path)
    assert (report.time, report.frequency) == ("월", "months (MS)")


def test_a_corner_that_names_the_time_hides_no_columns_of_times(tmp_path):
    months = [f"{2020 + at // 12}-{at % 12 + 1:02d} " for at in range(30)]
    head = ["unit", "geo\\TIME_PERIOD", *months]
    rows = [["I15", place, *(f"{at}.5 " for at in range(30))] for place in ("AT", "DE")]
    path = written(tmp_path / "t.csv", "\n".join(",".join(row) for row in [head, *rows]) + "\n")
    assert inspect_table(path).train.endswith("--layout rows")


def test_a_constant_column_is_not_suggested(tmp_path):
    days = pd.date_range("2022-01-01", periods=40).astype(str)
    rows = [f"{day},200,{100 + at % 7}" for at, day in enumerate(days)]
    text = "day,market demand,local demand\n" + "\n".join(rows) + "\n"
    report = inspect_table(written(tmp_path / "t.csv", text))
    assert "--column 'local demand'" in report.train
