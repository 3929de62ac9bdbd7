"""Small nets and crafted files that the tests of this folder share."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandapower as pp
import pandas as pd


def feeder(homes: int = 3, p_mw: float = 0.004) -> Any:
    """Return a net of its own: 10/0.4 kV, 0.25 MVA, one cable feeder with a load at every bus."""
    return copy.deepcopy(_feeder(homes, p_mw))


@lru_cache(maxsize=8)
def _feeder(homes: int, p_mw: float) -> Any:
    """Return 10/0.4 kV, 0.25 MVA, one cable feeder with a load at every bus."""
    net = pp.create_empty_network(name="feeder")
    hv = pp.create_bus(net, 10.0, name="station")
    lv = pp.create_bus(net, 0.4, name="busbar")
    pp.create_ext_grid(net, hv, vm_pu=1.02)
    pp.create_transformer(net, hv, lv, "0.25 MVA 10/0.4 kV")
    last = lv
    for number in range(homes):
        bus = pp.create_bus(net, 0.4, name=f"node {number}")
        pp.create_line(net, last, bus, 0.05, "NAYY 4x150 SE")
        pp.create_load(net, bus, p_mw=p_mw, q_mvar=0.001, name=f"Home {number + 1}")
        last = bus
    return net


def saved(net: Any, path: Path) -> Path:
    """Save a net with pandapower and return the path."""
    pp.to_json(net, str(path))
    return path


@lru_cache(maxsize=1)
def _text() -> str:
    """Return a sound feeder as JSON."""
    return str(pp.to_json(feeder()))


def crafted(path: Path, **entries: Any) -> Path:
    """Save a sound feeder with entries of its tree replaced or added."""
    tree = json.loads(_text())
    tree["_object"].update(entries)
    path.write_text(json.dumps(tree))
    return path


def packed(frame: pd.DataFrame, **extra: Any) -> dict[str, Any]:
    """Return a table as a net's JSON holds it."""
    return {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": frame.to_json(orient="split"),
        "orient": "split",
        "dtype": frame.dtypes.astype(str).to_dict(),
    } | extra
