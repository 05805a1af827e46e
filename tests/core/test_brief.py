"""Results in a few lines."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.brief import (
    CONTROLS,
    MOST_LINES,
    WIDEST,
    Brief,
    Shown,
    visible,
    visible_json,
)


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


@given(st.text())
def test_a_json_document_means_the_same(text):
    document = visible_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(document) == [text]
    assert not CONTROLS.search(document)


def test_letters_of_all_scripts_stay():
    for text in ("Umsatz in €", "المبيعات", "売上\t1\n2", "é🎉"):
        assert visible(text) == text


def test_what_controls_a_terminal_is_spelled_out():
    assert visible("\x1b]0;x\x07\r\x9b\u202e\u2066") == r"\x1b]0;x\x07\r\x9b\u202e\u2066"
