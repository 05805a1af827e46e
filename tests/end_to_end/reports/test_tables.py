"""Tables as other programs export them: numbers with currencies, titles, totals, notes, units."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.schema import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io.opening import open_table
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


BODY = rows([f"{number}" for number in range(100, 100 + DAYS)], sep=",")
WIDE = [f"{line},7" for line in BODY]


@pytest.mark.parametrize(
    ("top", "body", "said"),
    [
        (["Monthly report,", "Created 03/02/2020,", ",", "Date,Sales"], BODY, "lines 1 to 2 above"),
        (["\\\\Report", "\\\\Created at 2024", "Date,Sales"], BODY, '"\\\\Report"'),
        (["Report", "", "", "Date,Sales"], BODY, 'line 1 above the header left out: "Report"'),
        (["Station,Berlin", "Latitude,52.1", "Date,Sales"], BODY, '"Station, Berlin"'),
        (["Shop,12345", "Date,Sales"], BODY, '"Shop, 12345"'),
        (['"Sales, by day', 'and region"', "Date,Sales"], BODY, "lines 1 to 2 above"),
        (["# one", "# two", "Date,Sales"], BODY, '"# one", "# two"'),
        (["sep=,", "Date,Sales"], BODY, '"sep=,", gives the delimiter'),
        (["Date,Sales", ",MW"], BODY, 'line 2 holds units, left out: "MW"'),
        (["Date,Sales", "[UTC],[EUR/MWh]"], BODY, 'left out: "[UTC], [EUR/MWh]"'),
        (["Report", "Date,Sales", "yyyy-mm-dd,€"], BODY, 'line 3 holds units, left out: "yyyy'),
        (["Price,Sales,Cost", "Shop,A,A", "Date,,"], WIDE, "lines 1 to 3 read as the names"),
        (["Date,Sales"], [f"{line}," for line in BODY], None),
    ],
)
def test_the_names_are_found_below_titles_and_above_units(write, top, body, said):
    panel, notes = read(write(lines(*top, *body)))
    assert panel.values[:, 0].tolist() == list(range(100, 100 + DAYS))
    assert str(panel.timeline.times[0].date()) == "2020-01-01"
    assert said is None or [said in note for note in notes].count(True) == 1


@pytest.mark.parametrize(
    ("top", "column", "kept"),
    [
        (["Price,Close,Close", "Ticker,A,B", "Date,,"], "B", 7),
        ([",North,", "Date,Sales,Costs"], "Costs", 7),
        (["Price,Close,Close,Low,Low", "Ticker,A,B,A,B", "Date,,,,"], "Low A", 9),
        ([",North,South", "Date,Sales,Sales"], "South", 7),
    ],
)
def test_names_in_several_lines_are_joined_where_one_line_does_not_tell(write, top, column, kept):
    body = [f"{line},9,9" for line in WIDE] if top[0].count(",") == 4 else WIDE
    panel, _ = read(write(lines(*top, *body)), column=column)
    assert panel.values[:, 0].tolist() == [kept] * DAYS


def test_a_semicolon_table_below_a_title_is_read_with_its_decimal_commas(write):
    text = lines("Umsatz, Bericht", "", "Datum;Sales", *rows(["1,5", "2,5"]), "Summe;120,0")
    panel, notes = read(write(text.encode("latin-1")))
    assert panel.values[:2, 0].tolist() == [1.5, 2.5]
    assert len(panel.values) == DAYS
    assert any('the last line left out: "Summe, 120,0"' in note for note in notes)


@pytest.mark.parametrize(
    ("footer", "said"),
    [
        (["Total,12345.6"], 'the last line left out: "Total, 12345.6"'),
        (["Total 2020,12345.6"], '"Total 2020, 12345.6"'),
        (["Summe,5", "Durchschnitt,1"], "the last 2 lines left out"),
        (["", "Total,5", "", "Source: a bank, 2020"], '"Total, 5", "Source: a bank, 2020"'),
        (["* preliminary"], '"* preliminary"'),
        (['"Note: a, b"', "Note: a, b, c, d"], "the last 2 lines left out"),
        ([",", ","], "the last 2 lines without values left out"),
        (["unknown,5"], '"unknown, 5"'),
    ],
)
@pytest.mark.parametrize("count", [DAYS, 5000], ids=["short", "long"])
def test_totals_and_notes_at_the_end_are_left_out_and_said(write, footer, said, count):
    numbers = [f"{number}" for number in range(100, 100 + count)]
    path = write(lines("Date,Sales", *rows(numbers, count=count, sep=","), *footer))
    panel, notes = read(path)
    assert panel.values[:, 0].tolist() == list(range(100, 100 + count))
    assert [said in note for note in notes].count(True) == 1


@pytest.mark.parametrize("how", ["gzip", "utf-16", "utf-8-sig"])
def test_a_footer_is_left_out_of_every_encoding(write, how):
    text = lines("Größe", "Date,Sales", *BODY, "Total,5")
    content = gzip.compress(text.encode()) if how == "gzip" else text.encode(how)
    panel, _ = read(write(content))
    assert panel.values[:, 0].tolist() == list(range(100, 100 + DAYS))


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ("2020-03-01,closed", 'line 62: column "Sales" holds "closed"'),
        ("2020-03-0l,5", 'line 62: column "Date" holds "2020-03-0l"'),
        ("2020-03-01", "line 62 has 1 cell"),
    ],
)
def test_a_row_with_a_mistake_is_no_footer(write, last, why):
    with pytest.raises(DataError, match=why):
        read(write(lines("Date,Sales", *BODY, last)))


def test_a_total_of_steps_without_times_is_left_out(write):
    text = lines("Month,Sales", *(f"1-{row:02},{row}" for row in range(1, 37)), "Total,666")
    panel, notes = read(write(text), time="none")
    assert panel.values[:, 0].tolist() == list(range(1, 37))
    assert any('"Total, 666"' in note for note in notes)


def test_a_series_called_total_stays(write):
    text = lines("Shop,Date,Sales", *(f"{shop},{line}" for shop in ("A", "Total") for line in BODY))
    panel, _ = read(write(text), series="Shop")
    assert panel.count == 2


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        [line.replace("2020-", "A,2020-") for line in BODY],
        ['"Feb 04, 2020","$1,145.6",2.4B'] * 20,
        ["112", "118", "132", "129"],
    ],
)
def test_a_table_without_names_is_refused_until_that_is_said(write, run, body):
    write(lines(*body))
    code, _, error = run("inspect", "table.csv")
    assert code == 3
    assert "a line of data, not of names" in error
    assert "--no-header" in error


def test_columns_without_names_are_called_by_their_numbers(write):
    panel, _ = read(write(lines(*BODY)), column="2", no_header=True)
    assert panel.values[:, 0].tolist() == list(range(100, 100 + DAYS))
    assert panel.columns.time == "1"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (lines("Date,Sales", *BODY, "Total,5"), {"skip_footer": 1}),
        (lines("Shop,Berlin", "Bucket,Sales", *BODY), {"header": 2}),
        (lines("Shop,Berlin", "Bucket,Sales", *BODY), {"skip_rows": 1}),
        (lines("a,b", "c,d", *BODY), {"skip_rows": 2, "no_header": True, "column": "2"}),
        (lines("Report", *BODY), {"skip_rows": 1, "no_header": True, "column": "2"}),
    ],
)
def test_the_lines_that_are_no_rows_can_be_given(write, text, settings):
    panel, _ = read(write(text), **settings)
    assert panel.values[:, 0].tolist() == list(range(100, 100 + DAYS))


def test_two_lines_that_could_be_names_are_asked_about(write):
    with pytest.raises(DataError, match=r"line 1 \(Shop, Berlin\) and line 2.*`header=2`"):
        read(write(lines("Shop,Berlin", "Bucket,Sales", *BODY)))


def test_the_footer_is_kept_on_request(write):
    with pytest.raises(DataError, match='holds "Total"'):
        read(write(lines("Date,Sales", *BODY, "Total,5")), skip_footer=0)


def test_the_names_of_columns_of_years_are_names(write):
    path = write(lines("Country,2000,2001,2002", *(f"C{row},1,2,3" for row in range(9))))
    assert open_table(path).names == ["Country", "2000", "2001", "2002"]


def test_the_line_of_a_cell_counts_the_lines_above_the_header(write):
    text = lines("Report", "", "Date,Sales", ",MW", BODY[0], "2020-01-02,abc", *BODY[2:])
    with pytest.raises(DataError, match='line 6: column "Sales" holds "abc"'):
        read(write(text))


def test_a_sheet_is_read_without_its_titles_units_and_totals(tmp_path):
    days = pd.date_range("2020-01-01", periods=DAYS)
    cells = [["Report", None], [None, None], ["Date", "Sales"], [None, "MW"]]
    cells += [[day, 100 + row] for row, day in enumerate(days)]
    cells += [["Total", 7770], ["Source: a bank", None]]
    path = tmp_path / "book.xlsx"
    pd.DataFrame(cells).to_excel(path, header=False, index=False)
    panel, notes = read(str(path))
    assert panel.values[:, 0].tolist() == list(range(100, 100 + DAYS))
    assert [note.split(":")[0] for note in notes] == [
        "line 1 above the header left out", "line 4 holds units, left out",
        "the last 2 lines left out",
    ]  # fmt: skip


def test_settings_of_lines_are_refused_where_there_are_none(tmp_path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"Sales": [1.0, 2.0]}).to_parquet(path)
    with pytest.raises(UsageError, match="no lines above or below its rows"):
        read(str(path), skip_rows=1)


YEARS = range(1990, 2024)
HEAD = ["Country Name", "Country Code", "Indicator Name", *map(str, YEARS), ""]
TITLES = ['"Data Source","World Development Indicators",', "", '"Last Updated Date","2024",', ""]


def countries(missing=""):
    """Lines of a table with a row a country and a column a year, the last of them empty."""
    for code, country in enumerate("ABCDEFG"):
        cells = [str(100 * code + year - 1990) for year in YEARS]
        first = 5 * (code % 2)
        cells = [missing] * first + cells[first:-1] + [missing]
        yield ",".join([f"Land {country}", f"{40 + code:03}", "GDP", *cells, ""])


@pytest.mark.parametrize(
    ("head", "missing", "footer"),
    [
        (HEAD, "", []),
        ([f"{name} [YR{name}]" if name.isdigit() else name for name in HEAD], "..", []),
        (HEAD, "..", ["", "", "Data from database: a bank", "Last Updated: 2024-01-01"]),
    ],
)
def test_a_row_a_country_and_a_column_a_year_is_read_with_its_years(
    write, run, head, missing, footer
):
    empty = ",".join(["Land H", "047", "GDP", *[missing] * len(YEARS), ""])
    path = write(lines(*TITLES, ",".join(head), *countries(missing), empty, *footer))
    code, out, _ = run("inspect", path, "--json")
    report = json.loads(out)
    assert code == 0
    assert report["train"] == "forecast train table.csv --layout rows"
    assert report["series"] == ["Country Name", "Country Code", "Indicator Name"]
    assert (report["count"], report["first"], report["last"]) == (7, "1990-01-01", "2022-01-01")
    assert any("rows without a value left out: table.csv line 13" in n for n in report["notes"])
    panel, _ = read(path, layout="rows", column=())
    assert panel.ids.iloc[1].tolist() == ["Land B", "041", "GDP"]
    assert panel.values[panel.indptr[1] : panel.indptr[2], 0].tolist() == list(range(105, 133))
    assert panel.timeline.frequency.alias == "YS"


@pytest.mark.parametrize("last", ["2020-03-01,7770", ",7770"])
def test_a_last_row_with_the_sum_of_the_others_is_asked_about(write, last):
    path = write(lines("Date,Sales", *BODY, last))
    with pytest.raises(DataError, match="line 62 holds the sums of the 60 rows above") as asked:
        read(path)
    assert "`skip_footer=1`" in str(asked.value)
    panel, _ = read(path, skip_footer=1)
    assert panel.values[:, 0].tolist() == list(range(100, 100 + DAYS))


def test_a_row_that_is_the_sum_of_the_others_stays_where_it_is_one(write):
    panel, _ = read(write(lines("Date,Sales", *BODY, "2020-03-01,7770")), skip_footer=0)
    assert panel.values[-1, 0] == sum(range(100, 100 + DAYS))


def test_the_sums_of_columns_that_are_series_are_asked_about(write):
    text = lines("Date,a,b", *(f"{line},7" for line in BODY), "2020-03-01,7770,420")
    with pytest.raises(DataError, match="holds the sums"):
        read(write(text), layout="columns", column=())


def test_columns_that_neither_name_the_rows_nor_are_steps_are_left_out(write):
    days = [f"{day}/22" for month in (1, 2) for day in (f"{month}/{n}" for n in range(1, 29))]
    head = ",".join(["Province", "Country", "Lat", *days, "Total"])
    body = [f",Land {row},{row}.5,{','.join([str(row)] * len(days))},99" for row in range(4)]
    panel, notes = read(write(lines(head, *body)), layout="rows", column=(), date_format="%m/%d/%y")
    assert panel.ids.columns.tolist() == ["Country"]
    assert panel.values[:28, 0].tolist() == [0] * 28
    assert any("no steps left out: Province, Lat, Total" in note for note in notes)


def test_a_part_of_the_name_of_a_row_may_be_empty(write):
    head = ",".join(["Country", "Province", *map(str, YEARS)])
    body = [f"{name},{','.join(['1'] * len(YEARS))}" for name in ("A,", "B,x", "B,y")]
    panel, _ = read(write(lines(head, *body)), layout="rows", column=())
    assert panel.ids.to_numpy().tolist() == [["A", ""], ["B", "x"], ["B", "y"]]


def test_columns_whose_dates_are_ambiguous_are_asked_about(write, run):
    head = ",".join(["Item", *(f"{month}/1/2020" for month in range(1, 13))])
    write(lines(head, *(f"R{row},{','.join(['1'] * 12)}" for row in range(4))))
    code, _, error = run("inspect", "table.csv")
    assert code == 3
    assert "--no-dayfirst" in error
    code, out, _ = run("inspect", "table.csv", "--no-dayfirst", "--json")
    assert json.loads(out)["frequency"] == "months (MS)"
    assert json.loads(out)["count"] == 4


def test_totals_between_the_rows_are_named_and_never_taken_as_steps(write):
    text = lines("Month,Sales", *(f"2020-{m:02},5" for m in range(1, 13)), "2020 Total,60",
                 *(f"2021-{m:02},5" for m in range(1, 13)))  # fmt: skip
    with pytest.raises(DataError, match=r'line 14: .*"2020 Total": the total of other') as refused:
        read(write(text))
    assert "time=none" not in str(refused.value)


def test_a_ruled_line_below_the_names_is_no_row(write):
    panel, _ = read(write(lines("Date|Sales", "-----|-----", *rows(["5"], sep="|"))))
    assert len(panel.values) == DAYS


def test_a_header_within_the_table_is_to_be_removed_not_a_missing_value(write):
    rows = [f"2022-01-{day:02},{day}\n" for day in range(1, 31)]
    text = "".join(["date,sales\n", *rows[:15], "date,sales\n", *rows[15:]])
    with pytest.raises(DataError, match='line 17: column "sales" holds "sales"') as caught:
        read_panel(write(text), Data(column=("sales",)))
    assert caught.value.hint == "The row repeats the names of the columns: remove it."
