"""Model files made on purpose: refused with exit code 4, within bounded time and memory."""

import stat
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

import forecast_cli as fc
from forecast_cli.core.errors import ModelFileError
from forecast_cli.model import runtime

from . import crafted
from .crafted import ALTERED, ARRAYS, GOLDEN, LEAVES, NETWORKS, Entries

MODEL = GOLDEN / "format-8.forecast"
# Of a child process: seconds of computing, and kilobytes above those of the good file.
MOST_SECONDS, MOST_MORE = 5, 200_000
# What a bomb unpacks to, in bytes.
SIZE = 250_000_000
CHILD = """
import resource, sys
from forecast_cli.cli.app import run
code = run(["predict", "-m", sys.argv[1], "-q"])
used = resource.getrusage(resource.RUSAGE_SELF)
most = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(code, *most, used.ru_utime + used.ru_stime, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def entries() -> Entries:
    return crafted.read_entries(MODEL)


@pytest.fixture
def refused(run, tmp_path):
    """Predict from a model file that must be refused: what is said on stderr."""

    def call(path=tmp_path / "odd.forecast"):
        code, out, err = run("predict", "-m", path, "--level", "80")
        assert (code, out) == (4, ""), err
        assert "Traceback" not in err
        assert len(err) < 1500
        return err

    return call


@pytest.fixture
def odd(tmp_path):
    return tmp_path / "odd.forecast"


def test_a_model_that_was_only_packed_anew_predicts(run, entries, odd):
    crafted.write_model(odd, entries)
    assert run("predict", "-m", odd)[:2] == run("predict", "-m", MODEL)[:2]


@pytest.mark.parametrize("kind", NETWORKS)
def test_networks_that_are_none(refused, entries, odd, kind, monkeypatch):
    monkeypatch.setattr(runtime, "LEAST_SECONDS", 0.2)
    monkeypatch.setattr(runtime, "SLOWEST", 1e12)
    crafted.write_model(odd, entries | {crafted.NETWORK: NETWORKS[kind]})
    assert "network" in refused()


@pytest.mark.parametrize("kind", ALTERED)
def test_networks_that_name_other_files_or_code(refused, entries, odd, kind):
    crafted.write_model(odd, crafted.altered_network(entries, ALTERED[kind]))
    assert "is refused" in refused()


@pytest.mark.parametrize("kind", ARRAYS)
def test_entries_that_are_not_what_the_manifest_describes(refused, entries, odd, kind):
    name, data = ARRAYS[kind]
    crafted.write_model(odd, entries | {name: data})
    assert "is damaged" in refused()


@pytest.mark.parametrize("kind", LEAVES)
def test_manifests_with_what_cannot_be(refused, entries, odd, kind):
    crafted.write_model(odd, crafted.with_leaf(entries, *LEAVES[kind]))
    refused()


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "x.py", "history.npy ", "a/"])
def test_other_names(refused, entries, odd, name):
    crafted.write_model(odd, entries | {name: b""})
    assert "is refused" in refused()


def test_a_name_that_occurs_twice(refused, entries, odd):
    crafted.write_model(odd, entries)
    with zipfile.ZipFile(odd, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("history.npy", entries["history.npy"])
    assert "is refused" in refused()


def test_an_entry_that_is_a_link(refused, entries, odd):
    link = zipfile.ZipInfo("history.npy")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(odd, "w") as archive:
        archive.writestr("manifest.json", entries["manifest.json"])
        archive.writestr(link, "/etc/passwd")
    assert "is refused" in refused()


def test_more_entries_than_a_model_has(refused, odd):
    with zipfile.ZipFile(odd, "w") as archive:
        for number in range(70_000):
            archive.writestr(str(number), b"")
    refused()


@pytest.mark.parametrize("data", [b"", b"PK\5\6", b"PK\5\6" + bytes(18), b"x" * 1000])
def test_what_is_no_archive(refused, odd, data):
    odd.write_bytes(data)
    refused()


def test_a_state_that_is_not_of_the_network(refused, odd):
    entries = crafted.read_entries(GOLDEN / "format-2.forecast")
    crafted.write_model(odd, entries | {"state.npy": crafted.array_bytes(np.zeros(3))})
    assert "does not describe" in refused()


PRETRAINED, MEMBER = (GOLDEN / f"format-10-{each}.forecast" for each in ("pretrained", "member"))
# Where the pretrained network lies in the file of a model that is it, or has it as a member.
PLACES = {PRETRAINED: crafted.NETWORK, MEMBER: "pretrained.onnx"}
NAMES = [path.stem for path in PLACES]


@pytest.mark.parametrize("path", PLACES, ids=NAMES)
@pytest.mark.parametrize("kind", crafted.PRETRAINED)
def test_pretrained_networks_that_are_none(refused, odd, path, kind, monkeypatch):
    monkeypatch.setattr(runtime, "LEAST_SECONDS", 0.2)
    monkeypatch.setattr(runtime, "SLOWEST", 1e12)
    found = crafted.read_entries(path)
    crafted.write_model(odd, found | {PLACES[path]: crafted.PRETRAINED[kind]})
    assert "network" in refused()


@pytest.mark.parametrize("path", PLACES, ids=NAMES)
@pytest.mark.parametrize("kind", ALTERED)
def test_pretrained_networks_that_name_other_files_or_code(refused, odd, path, kind):
    found = crafted.read_entries(path)
    own = found | {crafted.NETWORK: found[PLACES[path]]}
    altered = crafted.altered_network(own, ALTERED[kind])[crafted.NETWORK]
    crafted.write_model(odd, found | {PLACES[path]: altered})
    assert "is refused" in refused()


@pytest.mark.parametrize("kind", crafted.LEAVES_OF_PRETRAINED)
def test_manifests_of_the_pretrained_network_with_what_cannot_be(refused, odd, kind):
    found = crafted.read_entries(PRETRAINED)
    crafted.write_model(odd, crafted.with_leaf(found, *crafted.LEAVES_OF_PRETRAINED[kind]))
    refused()


@pytest.mark.parametrize("kind", crafted.LEAVES_OF_MEMBER)
def test_manifests_of_a_member_with_what_cannot_be(refused, odd, kind):
    found = crafted.read_entries(MEMBER)
    crafted.write_model(odd, crafted.with_leaf(found, *crafted.LEAVES_OF_MEMBER[kind]))
    refused()


def test_a_member_without_its_network_and_a_network_without_a_member(refused, odd):
    found = crafted.read_entries(MEMBER)
    network = found.pop("pretrained.onnx")
    crafted.write_model(odd, found)
    assert "the weights no network" in refused()
    crafted.write_model(odd, crafted.read_entries(MODEL) | {"pretrained.onnx": network})
    assert "has no weights" in refused()


@pytest.mark.parametrize(
    "rows",
    [
        np.empty((0, 1)), np.zeros((5, 1)), np.zeros((1001, 1)), np.zeros((13, 2)),
        np.full((40, 1), np.nan), np.full((40, 1), np.inf), np.full((40, 1), 1e308),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", PLACES, ids=NAMES)
def test_rows_for_the_pretrained_network_that_are_none(run, odd, path, rows):
    found = crafted.read_entries(path)
    crafted.write_model(odd, found | {"history.npy": crafted.array_bytes(rows)})
    code, out, err = run("predict", "-m", odd, "--level", "80")
    assert "Traceback" not in err and code in (0, 3, 4)
    assert code != 0 or not {"nan", "inf"} & set(out.replace("\n", ",").split(","))


def predict_in_child(path):
    """Predict in a process of its own: the exit code, its most kilobytes, and its seconds."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, path], capture_output=True, text=True, timeout=120, check=True
    )
    code, most, seconds = done.stderr.splitlines()[-1].split()
    return int(code), int(most), float(seconds)


@pytest.fixture(scope="module")
def usual() -> int:
    """The kilobytes that a good model needs."""
    code, most, _ = predict_in_child(MODEL)
    assert code == 0
    return most


def padded_manifest(path, entries):
    """250 MB of spaces, which are valid JSON, and pack to 0.25 MB."""
    crafted.write_model(path, entries, like=lambda text: text + b" " * SIZE)


def zeros(path, entries):
    crafted.write_model(path, entries | {"network.weights.h5": bytes(SIZE)})


def zeros_of_a_false_size(path, entries):
    """The directory states a few bytes of what is 250 MB."""
    crafted.write_model(path, entries | {"history.npy": bytes(SIZE)})
    data, small = path.read_bytes(), (1000).to_bytes(4, "little")
    path.write_bytes(data.replace((SIZE).to_bytes(4, "little"), small))


def objects(path, entries):
    """Small in the file, large when understood."""
    crafted.write_model(path, entries | {"epochs.json": b"[" + b"{}," * 20_000_000 + b"{}]"})


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("make", [padded_manifest, zeros, zeros_of_a_false_size, objects])
def test_bombs_take_little_memory_and_time(entries, odd, usual, make):
    make(odd, entries)
    assert odd.stat().st_size < 2_000_000
    code, most, seconds = predict_in_child(odd)
    assert code == 4
    assert most < usual + MOST_MORE
    assert seconds < MOST_SECONDS


def test_a_call_is_ended_at_its_time(entries, monkeypatch):
    from forecast_cli.model.runtime import Runtime

    monkeypatch.setattr(runtime, "LEAST_SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(ModelFileError, match="more than"):
        Runtime(NETWORKS["endless by its shape"])(np.ones((1, 13, 1)))
    assert time.monotonic() - began < MOST_SECONDS


def test_a_loop_as_long_as_no_window_is_not_begun(entries):
    from forecast_cli.model.graph_check import check_graph

    with pytest.raises(ModelFileError, match="loop of more than"):
        check_graph(NETWORKS["endless"])


def test_nothing_is_printed_by_the_runtime_itself(entries, odd, capfd):
    crafted.write_model(odd, entries | {crafted.NETWORK: NETWORKS["fails when run"]})
    with pytest.raises(ModelFileError, match="cannot be run"):
        fc.load(odd).predict()
    assert capfd.readouterr().err == ""


def test_what_a_model_states_of_itself_is_not_believed_by_inspect(run, entries, odd):
    crafted.write_model(odd, crafted.with_leaf(entries, "time.last", "yesterday"))
    assert run("inspect", odd)[0] == 4
    crafted.write_model(odd, entries)
    assert run("inspect", odd)[0] == 0


def weights_with(alter):
    """Weights of an HDF5 file, altered."""
    import io

    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/a/vars/0"] = np.zeros(3, "f4")
        alter(file, h5py)
    return buffer.getvalue()


WEIGHTS = {
    "an external link": lambda file, h5: file.update(x=h5.ExternalLink("/etc/passwd", "/")),
    "a soft link": lambda file, h5: file.update(x=h5.SoftLink("/layers")),
    "an external array": lambda file, h5: file.create_dataset(
        "x", (4,), "f4", external=[("/etc/passwd", 0, 16)]
    ),
    "an array that is not written": lambda file, h5: file.create_dataset("x", (10**9,), "f4"),
    "a packed array": lambda file, h5: file.create_dataset(
        "x", data=np.zeros(10**5, "f4"), compression="gzip"
    ),
    "a group in itself": lambda file, h5: file["layers"].update(x=file["layers"]),
    "text": lambda file, h5: file.update(x="text"),
}


@pytest.mark.tf
@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_that_are_not_arrays_in_the_file(kind):
    from forecast_cli.networks.onnx_export import check_weights

    check_weights(weights_with(lambda *_: None))
    with pytest.raises(ModelFileError, match="refused"):
        check_weights(weights_with(WEIGHTS[kind]))


@pytest.mark.tf
@pytest.mark.parametrize("weights", [b"", b"noise", weights_with(lambda *_: None)])
def test_training_on_from_damaged_weights(run, entries, odd, tmp_path, weights, frame):
    crafted.write_model(odd, entries | {"network.weights.h5": weights})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    code, _, err = run("train", "rows.csv", "--from", odd, "--epochs", "1")
    assert (code, "Traceback" in err) == (4, False), err


def test_every_network_of_every_format_passes():
    for path in sorted(GOLDEN.glob("*.forecast")):
        assert fc.load(path).bundle.network.horizon
