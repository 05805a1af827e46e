"""Write the trained network into the package: `python -m pretraining.export --folder FOLDER`."""

import argparse
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from forecast_cli.baselines.pretrained.features import NAMES
from forecast_cli.baselines.pretrained.network import INPUTS, LATEST, NETWORK, RULES_KEY
from forecast_cli.networks.canonical_graph import make_canonical
from forecast_cli.networks.pretrained import SIGNATURE, Combination

from .train import draw

TOLERANCE = 1e-4


def convert(network: Combination) -> bytes:
    """The network as ONNX; any number of series, members and steps ahead."""
    import tf2onnx

    call = tf.function(lambda *given: network(list(given)), autograph=False)
    model, _ = tf2onnx.convert.from_function(call, SIGNATURE)
    make_canonical(model)
    model.metadata_props.add(key=RULES_KEY, value=LATEST)
    return bytes(model.SerializeToString())


def check(network: Combination, data: bytes, numbers: range) -> float:
    """The largest difference between Keras and ONNX on batches with these numbers."""
    import onnxruntime

    session, largest = onnxruntime.InferenceSession(data), 0.0
    for number in numbers:
        inputs, _ = draw(3, number)
        found = session.run(None, dict(zip(INPUTS, inputs, strict=True)))[0]
        expected = network(inputs).numpy()
        away = np.abs(found - expected).max() / (1.0 + np.abs(expected).max())
        largest = max(largest, float(away))
    return largest


def provenance(folder: Path, data: bytes) -> dict[str, Any]:
    """Where the weights are from."""
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        "commit": commit,
        "seed": log[-1]["seed"],
        "batches": log[-1]["batches"],
        "series": log[-1]["batches"] * log[-1]["series"],
        "hours": round(log[-1]["seconds"] / 3600, 2),
        "loss_of_first_batches": log[0]["loss"],
        "validation_loss": log[-1]["validation_loss"],
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("pretrained"))
    args = parser.parse_args()
    network = Combination()
    network(draw(1, 0)[0])
    weights = np.load(args.folder / "weights.npz")
    for each in network.trainable_weights:
        each.assign(weights[each.path])
    data = convert(network)
    away = check(network, data, range(20))
    if not away <= TOLERANCE:
        raise SystemExit(f"ONNX differs from Keras by {away:g}; nothing was written.")
    NETWORK.write_bytes(data)
    found = json.dumps(provenance(args.folder, data), indent=2)
    NETWORK.with_name("provenance.json").write_text(found + "\n")
    print(f"{len(data):,} bytes, {away:g} from Keras", NAMES)


if __name__ == "__main__":
    main()
