"""Results in a few lines."""

from dataclasses import dataclass

import pytest

from forecast_cli.core.brief import MOST_LINES, WIDEST, Brief, Shown


@dataclass(frozen=True, repr=False)
class Result(Brief):
    verdict: str
    rows: list[dict[str, object]]

    def _brief(self) -> Shown:
        return self.verdict, self.rows


@pytest.mark.parametrize("count", [0, 1, 8, 9, 1000])
def test_a_result_is_shown_in_ten_lines(count):
    rows = [{"model": f"<{n}>", "mae": 1 / 3, "mase": None} for n in range(count)]
    lines = repr(Result("word " * 100, rows)).splitlines()
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDEST
    assert lines[0] == "Result"
    assert ("more rows" in lines[-1]) == (count > 7)


def test_a_notebook_shows_the_same():
    shown = Result("Better.", [{"model": "<a>", "mae": 0.12345678}])._repr_html_()
    assert shown == ("<pre>Result\n  Better.\n  model      mae\n    &lt;a&gt;  0.12346</pre>")
