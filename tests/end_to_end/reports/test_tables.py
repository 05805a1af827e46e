"""Tables as other programs export them: numbers with currencies, titles, totals, notes, units."""

import json

import numpy as np
import pytest

from forecast_cli.config.schema import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.reading import read_panel

DAYS = 60


def rows(cells, count=DAYS, first="2020-01-01", sep=";"):
    """Lines of days with the cells in turn."""
    days = np.arange(count) + np.datetime64(first)
    return [f"{day}{sep}{cells[row % len(cells)]}" for row, day in enumerate(days)]


def lines(*parts):
    return "\n".join(parts) + "\n"


def read(path, **settings):
    """The values of a table, `(rows, features)`, and the notes of reading it."""
    notes = []
    settings = {"column": "Sales", **settings}
    panel = read_panel(path, Data(**settings), on_event=lambda event: notes.append(event.text))
    return panel, notes


@pytest.mark.parametrize(
    ("cells", "numbers", "said"),
    [
        (["(121.57)", "5.1"], [-121.57, 5.1], '"(121.57)" as -121.57'),
        (["121,57-", "3,2"], [-121.57, 3.2], '"121,57-" as -121.57'),
        (["$1,145.63", "($5.00)", "-$2"], [1145.63, -5, -2], '"$1,145.63" as 1145.63'),
        (["1.234,50 €", "3 €", "7,25 €"], [1234.5, 3, 7.25], '"1.234,50 €" as 1234.5'),
        (["USD 12.5", "USD 3"], [12.5, 3], '"USD 12.5" as 12.5'),
        (["CHF 1'234.5", "CHF 2"], [1234.5, 2], '"CHF 1\'234.5" as 1234.5'),
        (["1.5%", "-2 %", "0"], [1.5, -2, 0], "percentages as they are written"),
        (["2.43B", "1.69M", "12K", "950"], [2.43e9, 1.69e6, 12e3, 950], '"2.43B" as 2430000000'),
        (["1,5 Mio. €", "2 Mrd. €"], [1.5e6, 2e9], '"1,5 Mio. €" as 1500000'),
        (["12k", "3.5k"], [12e3, 3.5e3], '"12k" as 12000'),
        (["3m", "4m"], [3, 4], '"3m" as 3'),
        (["$3m", "$950k"], [3e6, 950e3], '"$3m" as 3000000'),
        (["1 234,5", "1\u00a0000,2"], [1234.5, 1000.2], '"1 234,5" as 1234.5'),
        (["1'234.5", "2"], [1234.5, 2], '"1\'234.5" as 1234.5'),
        (["\u22125", "3.5", "\u20134"], [-5, 3.5, -4], '"\u22125" as -5'),
        (["21.5 °C", "-3 °C"], [21.5, -3], '"21.5 °C" as 21.5'),
    ],
)
def test_numbers_in_other_writings_are_read_and_said(write, cells, numbers, said):
    panel, notes = read(write(lines("Date;Sales", *rows(cells))))
    np.testing.assert_allclose(panel.values[: len(cells), 0], numbers, rtol=1e-15)
    assert [said in note for note in notes].count(True) == 1


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["1,234", "2,345"], "could be 1234 or 1.234"),
        (["(1,234)", "(2,345)"], "could be -1234 or -1.234"),
        (["$5", "€6"], 'line 3: .* with "\\$"'),
        (["1.5%", "0.02"], 'line 3: .* with "%"'),
        (["3 kg", "200 g"], 'line 3: .* with "kg"'),
        (["1.2*", "3.4"], 'holds "1.2\\*"'),
        (["12.3 b", "4.5"], 'holds "12.3 b"'),
    ],
)
def test_what_could_be_two_numbers_is_refused_and_never_deleted(write, cells, why):
    with pytest.raises(DataError, match=why) as refused:
        read(write(lines("Date;Sales", *rows(cells))))
    assert "na=" not in str(refused.value)


def test_a_covariate_with_suffixes_is_a_number(write):
    text = lines("Date;Volume;Sales", *(f"{row};1" for row in rows(["2.43B", "910M"])))
    panel, notes = read(write(text), past_covariates="Volume")
    assert panel.values[:2, 1].tolist() == [2.43e9, 9.1e8]
    assert not panel.columns.covariates.categories
    assert any('"910M" as 910000000' in note for note in notes)


def test_files_that_write_numbers_in_different_ways_are_said(write):
    write(lines("Date;Sales", *rows(["1.5"])), "a1.csv")
    write(lines("Date;Sales", *rows(["$2.5"], first="2020-03-01")), "a2.csv")
    panel, notes = read("a?.csv")
    assert panel.values[[0, -1], 0].tolist() == [1.5, 2.5]
    assert any('"$2.5" as 2.5' in note for note in notes)


def test_inspect_says_how_numbers_are_read(write, run):
    write(lines("Date;Sales", *rows(["(121.57)", "5.1"])))
    code, out, _ = run("inspect", "table.csv", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["columns"][0]["least"] == -121.57
    assert any('"(121.57)" as -121.57' in note for note in report["notes"])
