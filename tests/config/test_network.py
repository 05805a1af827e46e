"""Which networks there are, and why the others are refused."""

import re

import pytest

from forecast_cli.config.layers import Lstm
from forecast_cli.config.network import Network
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import UsageError

GRU, DENSE, CONV, MASK = ({"type": kind} for kind in ("gru", "dense", "conv", "mask"))
STATEFUL = GRU | {"stateful": True}
SHOWN = "forecasts at every step, and {} would show it later steps"
BACKWARDS = SHOWN.format("a layer that reads backwards")
REFUSED = [
    ({"layers": []}, "a network needs at least one layer of type lstm, gru, rnn"),
    ({"layers": [DENSE, CONV]}, "a network needs at least one layer of type lstm, gru, rnn"),
    ({"layers": [GRU, CONV]}, "a conv layer needs steps to run over: put it before the last"),
    (
        {"layers": [CONV, GRU, CONV], "head": "encoder-decoder"},
        "a conv layer needs steps to run over: put it before the last",
    ),
    ({"layers": [GRU, MASK]}, "the mask layer must be the first layer"),
    ({"layers": [MASK, MASK, GRU]}, "the mask layer must be the first layer"),
    (
        {"layers": [MASK, CONV, GRU]},
        "a conv layer cannot skip missing steps: leave out that or the mask",
    ),
    (
        {"layers": [MASK, GRU, CONV], "head": "sequence"},
        "a conv layer cannot skip missing steps",
    ),
    (
        {"layers": [MASK, GRU], "anchor": "season"},
        "`anchor=season` needs a complete season, and a mask layer allows missing steps",
    ),
    (
        {"layers": [GRU | {"zero_output_for_mask": True}]},
        "`zero_output_for_mask` has no effect without a mask layer",
    ),
    (
        {"layers": [GRU | {"return_sequences": True}]},
        "`return_sequences` of recurrent layer 1 must be False: `head=last` requires it",
    ),
    (
        {"layers": [GRU | {"return_sequences": False}], "head": "sequence"},
        "`return_sequences` of recurrent layer 1 must be True: `head=sequence` requires it",
    ),
    (
        {"layers": [GRU, GRU | {"return_sequences": True}], "head": "encoder-decoder"},
        "`return_sequences` of recurrent layer 2 must be False: `head=encoder-decoder` requires it",
    ),
    (
        {"layers": [GRU | {"return_sequences": False}, DENSE, GRU]},
        "`return_sequences` of recurrent layer 1 must be True: the next recurrent layer needs",
    ),
    (
        {"layers": [GRU, GRU | {"return_state": True}]},
        "`return_state` of recurrent layer 2 must be False: `head=last` does not use the states",
    ),
    (
        {"layers": [GRU | {"return_state": True}], "head": "sequence"},
        "`return_state` of recurrent layer 1 must be False: `head=sequence` does not use",
    ),
    (
        {"layers": [GRU | {"return_state": False}], "head": "encoder-decoder"},
        "`return_state` of recurrent layer 1 must be True: `head=encoder-decoder` uses the",
    ),
    (
        {"layers": [GRU | {"return_state": False}], "head": "segments", "segment": 3},
        "`return_state` of recurrent layer 1 must be True: `head=segments` uses the states",
    ),
    ({"decoder": "repeat"}, "`decoder` needs `head=encoder-decoder`; head last has none"),
    (
        {"decoder": "teacher", "head": "segments", "segment": 3},
        "`decoder` needs `head=encoder-decoder`; head segments has none",
    ),
    ({"head": "segments"}, "`head=segments` needs `segment`: the steps in one segment"),
    ({"head": "sequence", "anchor": "last"}, SHOWN.format("anchor last")),
    ({"head": "sequence", "window_scale": "std"}, SHOWN.format("window_scale std")),
    ({"head": "sequence", "segment": 4}, SHOWN.format("segment 4")),
    (
        {"head": "sequence", "anchor": "mean", "skip": "linear"},
        SHOWN.format("anchor mean and skip linear"),
    ),
    ({"layers": [GRU | {"bidirectional": True}], "head": "sequence"}, BACKWARDS),
    ({"layers": [GRU | {"go_backwards": True}], "head": "sequence"}, BACKWARDS),
    (
        {"layers": [GRU, GRU | {"residual": True}], "head": "encoder-decoder"},
        "`residual` is for one stack; an encoder-decoder has two",
    ),
    (
        {"layers": [CONV, GRU], "head": "segments", "segment": 3},
        "`head=segments` decodes step by step, which a conv layer cannot",
    ),
    ({"layers": [STATEFUL, GRU]}, "`stateful` must be the same for all recurrent layers"),
    (
        {"layers": [STATEFUL], "head": "encoder-decoder"},
        "stateful networks do not support `head=encoder-decoder`",
    ),
    (
        {"layers": [STATEFUL], "head": "segments", "segment": 3},
        "stateful networks do not support `head=segments`",
    ),
    (
        {"layers": [STATEFUL], "anchor": "last", "segment": 3},
        "do not support per-window settings (anchor last and segment 3)",
    ),
    (
        {"layers": [STATEFUL], "channels": "independent"},
        "do not support per-window settings (channels independent)",
    ),
    (
        {"layers": [CONV, STATEFUL]},
        "stateful networks do not support conv layers, which begin again with each window",
    ),
    (
        {"layers": [GRU | {"merge_mode": "sum"}]},
        "`merge_mode` needs `bidirectional=true`",
    ),
    (
        {"layers": [GRU | {"bidirectional": True, "go_backwards": True}]},
        "`go_backwards` has no effect with `bidirectional=true`",
    ),
    (
        {"layers": [STATEFUL | {"go_backwards": True}]},
        "a stateful layer must read forwards",
    ),
    (
        {"layers": [STATEFUL | {"bidirectional": True}]},
        "a stateful layer must read forwards",
    ),
    (
        {"layers": [MASK, GRU | {"bidirectional": True, "zero_output_for_mask": True}]},
        "`zero_output_for_mask` is determined by Keras in bidirectional layers",
    ),
]


@pytest.mark.parametrize(("network", "why"), REFUSED)
def test_a_network_that_cannot_be_is_refused_with_the_reason(network, why):
    with pytest.raises(UsageError, match=re.escape(why)) as caught:
        configure({}, {"network": network})
    assert str(caught.value).startswith("network")


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        ("head", "lost", "last, sequence, encoder-decoder, recursive, segments"),
        ("decoder", "student", "repeat, teacher"),
        ("channels", "apart", "joint, independent"),
        ("anchor", "first", "none, last, mean, season"),
        ("window_scale", "max", "none, std, mad"),
        ("skip", "cubic", "none, linear"),
    ],
)
def test_a_choice_that_is_unknown_is_answered_with_all_there_are(name, value, valid):
    with pytest.raises(UsageError, match=f'network.{name} "{value}" is unknown.*{valid}'):
        configure({name: value})


@pytest.mark.parametrize("segment", [0, -2])
def test_a_segment_has_at_least_one_step(segment):
    with pytest.raises(UsageError, match=rf"network\.segment = {segment}"):
        configure({"head": "segments", "segment": segment})


@pytest.mark.parametrize(
    "network",
    [
        {"layers": [GRU, CONV], "head": "sequence"},
        {"layers": [MASK, GRU | {"zero_output_for_mask": True}]},
        {"layers": [MASK, GRU], "anchor": "last", "window_scale": "mad", "skip": "linear"},
        {"layers": [MASK, GRU | {"bidirectional": True}], "head": "encoder-decoder"},
        {"layers": [GRU, DENSE, GRU | {"residual": True}], "head": "segments", "segment": 3},
        {"layers": [GRU], "segment": 4},
        {"layers": [GRU], "head": "encoder-decoder", "segment": 4},
        {"layers": [STATEFUL, STATEFUL, DENSE]},
        {"layers": [STATEFUL], "head": "sequence"},
        {"layers": [STATEFUL], "head": "recursive"},
        {"layers": [GRU], "channels": "independent", "anchor": "season"},
    ],
)
def test_what_goes_together_is_taken(network):
    assert configure({}, {"network": network}).network.layers


def test_the_returns_of_a_layer_may_be_spelled_out_where_they_agree():
    inner, outer = {"return_sequences": True}, {"return_sequences": False}
    silent, shown = {"return_state": False}, {"return_state": True}
    for head, more, states in (
        ("last", {}, silent),
        ("recursive", {}, silent),
        ("encoder-decoder", {}, shown),
        ("segments", {"segment": 2}, shown),
    ):
        layers = [GRU | inner | states, GRU | outer | states]
        network = configure({}, {"network": {"layers": layers, "head": head, **more}}).network
        assert [layer.return_sequences for layer in network.layers] == [True, False]
        assert [layer.return_state for layer in network.layers] == [states["return_state"]] * 2
    layers = [GRU | inner | silent, GRU | inner | silent]
    network = configure({}, {"network": {"layers": layers, "head": "sequence"}}).network
    assert [layer.return_sequences for layer in network.layers] == [True, True]


def test_the_recursive_head_gives_one_step_at_a_time():
    assert configure({"head": "recursive", "mode": "many-to-one"}).network.head == "recursive"
    assert configure({"head": "recursive"}).window.mode is None
    with pytest.raises(UsageError, match="`head=recursive` is fed back step by step: give `mode="):
        configure({"head": "recursive", "mode": "many-to-many"})


def test_what_is_not_said_of_a_network_is_one_plain_layer():
    network = configure({}).network
    assert network == Network()
    assert network.layers == (Lstm(units=50),)
    assert (network.head, network.decoder, network.segment) == ("last", None, None)
    assert (network.channels, network.anchor, network.window_scale) == ("joint", "none", "none")
    assert (network.skip, network.season_length) == ("none", 1)
    (layer,) = network.recurrent
    assert (layer.return_sequences, layer.return_state) == (None, None)


def test_a_network_says_of_itself_what_depends_on_it():
    def of(**network):
        return configure({}, {"network": network}).network

    assert of(layers=[DENSE, GRU, DENSE, GRU]).recurrent == of(layers=[GRU, GRU]).layers
    assert [of(layers=[layer]).stateful for layer in (GRU, STATEFUL)] == [False, True]
    assert [of(layers=layers).masked for layers in ([GRU], [MASK, GRU])] == [False, True]
    heads = {"last", "sequence", "encoder-decoder", "recursive", "segments"}
    assert {head for head in heads if of(head=head, **segmented(head)).hands_over} == {
        "encoder-decoder",
        "segments",
    }
    everything = of(anchor="mean", window_scale="mad", skip="linear", segment=2)
    assert of().relative == ""
    assert everything.relative == "anchor mean and window_scale mad and skip linear and segment 2"


def segmented(head):
    return {"segment": 3} if head == "segments" else {}
