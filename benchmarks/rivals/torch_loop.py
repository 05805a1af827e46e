"""PyTorch's nn.LSTM in a plain loop: seconds of each epoch, all windows of a column."""

import argparse
import csv
import json
from time import perf_counter

import torch
from torch import nn


class Network(nn.Module):
    """One LSTM and the output."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, units, batch_first=True)
        self.output = nn.Linear(units, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(windows)
        return self.output(states[:, -1])


def read_scaled(path: str, column: str) -> torch.Tensor:
    """The column scaled to [0, 1], shape `(rows, 1)`."""
    with open(path, newline="") as file:
        values = torch.tensor([[float(row[column])] for row in csv.DictReader(file)])
    return (values - values.min()) / (values.max() - values.min())


def train_epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    data: tuple[torch.Tensor, torch.Tensor],
    batch: int,
) -> float:
    """Every window once in random order; the sum of the losses of the batches."""
    x, y = data
    total = 0.0
    for rows in torch.randperm(len(x)).split(batch):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("column")
    for name in ("--timesteps", "--units", "--batch-size", "--epochs"):
        parser.add_argument(name, type=int, required=True)
    arguments = parser.parse_args()

    values = read_scaled(arguments.csv, arguments.column)
    x = values.unfold(0, arguments.timesteps, 1)[:-1].transpose(1, 2).contiguous()
    y = values[arguments.timesteps :]
    network = Network(arguments.units)
    optimizer = torch.optim.Adam(network.parameters())
    seconds = []
    for _ in range(arguments.epochs):
        began = perf_counter()
        train_epoch(network, optimizer, (x, y), arguments.batch_size)
        seconds.append(perf_counter() - began)
    print(json.dumps({"windows": len(x), "seconds": seconds}))


if __name__ == "__main__":
    main()
