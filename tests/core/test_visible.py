"""What a terminal would obey is spelled out, and the rest of a text stays."""

import json

from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.visible import CONTROLS, visible, visible_json


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
