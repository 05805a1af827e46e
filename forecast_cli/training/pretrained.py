"""The pretrained network as the network of a model: nothing is trained."""

from ..baselines.pretrained.forecaster import NETWORK
from ..data.dataset import Dataset
from ..model.history import TrainingHistory
from ..model.pretrained import open_pretrained
from .fitting import Fitted, Trained

# What its file is called where layers are listed.
LAYER = "pretrained"


def take_pretrained(dataset: Dataset) -> Trained[Dataset]:
    """Return the pretrained network of the package for a dataset, as if it had been trained on it.

    Args:
        dataset: The data and the resolved configuration.
    """
    onnx = NETWORK.read_bytes()
    network = open_pretrained(onnx, dataset.config)
    count = network.parameters
    shape = (dataset.horizon, len(dataset.targets))
    layer = {"name": LAYER, "type": "LSTM", "shape": shape, "parameters": count}
    course = TrainingHistory(dataset.config.training, [], False)
    return Trained(dataset, Fitted((course,), onnx, b"", [layer], probe=network.probe()))
