"""A server in this process, of small models."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from forecast_cli.api.serve.app import Service, make_app
from forecast_cli.api.serve.gate import Access
from forecast_cli.api.serve.limits import Limits
from forecast_cli.api.serve.log import Log
from forecast_cli.api.serve.models import open_models
from forecast_cli.cli.spelling import as_flags

from ...frames import seasonal_frame

HORIZON, LOOKBACK = 3, 8


@pytest.fixture(scope="session")
def tables():
    """The tables that the models were trained on, by their names."""
    shops = pd.concat(
        [seasonal_frame(90, "D", seed).assign(shop=shop) for seed, shop in enumerate(("a b", "c"))]
    )
    shops["promo"] = (np.arange(len(shops)) % 7 == 0).astype(int)
    return {"days": seasonal_frame(300, "D"), "shops": shops}


@pytest.fixture(scope="session")
def paths(linear, tables, tmp_path_factory):
    """The files of the models, by their names."""
    folder = tmp_path_factory.mktemp("served")
    own = {"column": "value", "horizon": HORIZON, "timesteps": LOOKBACK}
    shops = {"series": "shop", "future_covariates": "promo"}
    more = {"days": {"validation": 90, "test": 30}, "shops": shops}
    for name, table in tables.items():
        linear(table, **own, **more[name]).save(folder / f"{name}.forecast")
    return {name: folder / f"{name}.forecast" for name in tables}


@dataclass
class Started:
    """A server without a socket.

    Args:
        service: What it serves.
        client: Asks it.
        lines: Its log.
    """

    service: Service
    client: TestClient
    lines: list[str] = field(default_factory=list)

    def log(self, event):
        """Return the lines of an event."""
        self.service.log.close()
        documents = [json.loads(line) for text in self.lines for line in text.splitlines()]
        return [each for each in documents if each["event"] == event]


@pytest.fixture
def start(paths):
    """Start a server with limits and a token."""

    def call(token=None, names=None, models=None, **limits):
        lines = []
        log = Log(lines.append)
        served = open_models(models or [str(each) for each in paths.values()], log.tell)
        service = Service(served, Access(token, names), Limits(**limits), log, as_flags)
        client = TestClient(make_app(service), raise_server_exceptions=False)
        return Started(service, client, lines)

    return call


@pytest.fixture
def server(start):
    return start()


@pytest.fixture(scope="session")
def asked(tables):
    """Requests with rows, by the names of models."""

    def as_rows(table):
        return table.assign(date=table["date"].dt.strftime("%Y-%m-%d")).to_dict("records")

    days = as_rows(tables["days"].tail(10))
    rows = tables["shops"].groupby("shop").tail(20)
    future = tables["shops"].groupby("shop").tail(HORIZON)[["shop", "date", "promo"]].copy()
    future["date"] += pd.Timedelta(days=HORIZON)
    shops = {"rows": as_rows(rows), "future": as_rows(future)}
    return SimpleNamespace(days={"rows": days}, shops=shops)
