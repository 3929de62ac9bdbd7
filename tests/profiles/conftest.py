"""A network of homes and buildings with nothing but what profiles look at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest


def village(homes: int, buildings: int = 0, *, geographic: bool = True) -> Any:
    """Return sites h0.. and b0.. on one transformer of index 3."""
    count = homes + buildings
    sites = pd.DataFrame(
        {
            "bus": np.arange(count) + 10,
            "kind": ["home"] * homes + ["building"] * buildings,
            "load_p_kw": [2.0] * homes + [40.0] * buildings,
        },
        index=[f"h{i}" for i in range(homes)] + [f"b{i}" for i in range(buildings)],
    )
    grid = SimpleNamespace(
        bus_geographic=geographic,
        bus_xy=np.tile([[7.87, 48.47]], (count, 1)),
        bus_index=np.arange(count) + 10,
        bus_transformer=np.zeros(count, dtype=np.int64),
        transformer_index=np.array([3]),
        transformer_name=("Elm Street",),
    )
    return SimpleNamespace(sites=sites, grid=grid)


@pytest.fixture(name="village")
def _village() -> Any:
    return village
