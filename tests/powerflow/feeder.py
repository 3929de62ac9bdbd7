"""The IEEE European low-voltage feeder as packaged, its published loads and its published voltages."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.records import Injections
from gridimpact.timeline import Timeline

FOLDER = "reference/powerflow/ieee_european_lv"
VOLT = 416 / np.sqrt(3)
PEAK = 565
SNAPSHOTS = {0: "0001", PEAK: "0566", 1439: "1440"}
TAN_PHI = np.tan(np.arccos(0.95))


@lru_cache(maxsize=1)
def feeder():
    return with_phases(open_network("ieee_european_lv"))


def positions(grid) -> dict[str, int]:
    return {name: place for place, name in enumerate(grid.bus_name)}


def loads(reference, grid, minutes, tan_phi=TAN_PHI) -> Injections:
    """Return the published single-phase loads of some minutes of the day."""
    inputs = reference / FOLDER / "inputs"
    table = pd.read_csv(inputs / "Loads.csv", skiprows=2).iloc[:55]
    profiles = pd.read_csv(inputs / "profiles_1min_55.csv")
    p_kw = profiles[[f"Shape_{k}" for k in range(1, 56)]].to_numpy()[minutes][None]
    place = positions(grid)
    share = np.eye(3)[["ABC".index(phase.strip()) for phase in table["phases"]]]
    none = np.zeros((55, 2))
    return Injections(
        timeline=Timeline(np.datetime64("2021-01-01"), 60, len(minutes)),
        bus=np.array([place[str(bus)] for bus in table["Bus"]]),
        p_kw=p_kw, q_kvar=p_kw * tan_phi, phase_share=share, zip_p=none, zip_q=none,
    )  # fmt: skip


def published(reference, grid, minute, engine):
    """Return bus positions and published phase voltages [V], (906, 3)."""
    name = f"snapshot_{SNAPSHOTS[minute]}_{engine}_voltages.csv"
    table = pd.read_csv(reference / FOLDER / "expected_csv" / name)
    names = table.iloc[:, 0].astype(str).str.replace("Bus", "")
    there = names.str.fullmatch(r"\d+").to_numpy()
    columns = {
        "gridlabd": ["voltA_mag", "voltB_mag", "voltC_mag"],
        "opendss": ["Magnitude1", "Magnitude2", "Magnitude3"],
    }
    place = positions(grid)
    bus = np.array([place[name] for name in names[there]])
    return bus, table.loc[there, columns[engine]].to_numpy(dtype=np.float64)
