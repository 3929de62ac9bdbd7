"""A hosting scan made by arithmetic: each draw's limits are drawn once and every table follows from them.

A draw has one number of cars that each limit bears under each strategy; loadings and margins are straight
lines through it. Tables are counted from these numbers. Nothing here is a result of the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from gridimpact.records import (
    BINDING_COLUMNS,
    CAPACITY_COLUMNS,
    FEEDER_COLUMNS,
    MITIGATION_COLUMNS,
    NODAL_COLUMNS,
    RISK_COLUMNS,
    UNIFORM_COLUMNS,
    Network,
    Note,
    ScanResult,
)
from tests.report.village import FEEDERS, HOMES, village_network

KINDS = ("voltage", "line_loading", "transformer_loading", "hot_spot")
BEARS = {
    "uncontrolled": (76, 96, 90, 140),
    "g2v_valley_filling": (172, 215, 190, 260),
    "v2g_peak_shaving": (205, 230, 212, 300),
    "g2v_price": (52, 64, 57, 100),
    "mix": (300, 340, 320, 400),
}
"""Median number of cars that each limit bears, by strategy."""
CARS = (6, 11, 17, 29, 43, 57, 71, 86, 114, 143, 171, 200)
RISK, DRAWS = 0.05, 240
FAR_BUS = 39
"""pandapower index of Home 28, the last of feeder 2."""
NAMED = {
    "voltage": (FAR_BUS, "Home 28", 2),
    "line_loading": (14, "Cable 15", 2),
    "transformer_loading": (0, "T1 Elm Street", 0),
    "hot_spot": (0, "T1 Elm Street", 0),
}
"""pandapower index, name and feeder of the element each limit binds at."""


def borne(strategies: dict[str, tuple[int, ...]], draws: int) -> dict[str, np.ndarray]:
    """Return (draw, kind) cars each limit bears; a draw is lucky or not under every strategy alike."""
    rng = np.random.default_rng(3)
    luck = rng.normal(0, 0.16, (draws, 1)) + rng.normal(0, 0.1, (draws, len(KINDS)))
    own = rng.normal(0, 0.03, (draws, len(strategies)))
    return {
        label: np.floor(np.array(medians) * np.exp(luck + own[:, [place]])).astype(int)
        for place, (label, medians) in enumerate(strategies.items())
    }


@lru_cache(maxsize=1)
def small_scan() -> ScanResult:
    """Return a scan of sixty draws that tests share and do not change."""
    return hosting_result(draws=60)


def only(result: ScanResult, method: str, **tables: pd.DataFrame) -> ScanResult:
    """Return a scan of another method: all tables empty but those given."""
    names = ("capacity", "risk", "binding", "feeders", "pairs", "scenarios", "draws", "nodal", "uniform",
             "mitigation")  # fmt: skip
    return replace(
        result, method=method, **{name: tables.get(name, pd.DataFrame()) for name in names}
    )


def hosting_result(
    strategies: dict[str, tuple[int, ...]] | None = None,
    network: Network | None = None,
    draws: int = DRAWS,
) -> ScanResult:
    """Return a stochastic scan of made-up numbers with a table of connections beside it."""
    bears = strategies or BEARS
    net = network or village_network()
    found = borne(bears, draws)
    risk = _risk(found)
    return ScanResult(
        "Elm Street",
        "stochastic",
        net,
        _settings(tuple(bears)),
        homes=FEEDERS * HOMES,
        capacity=_capacity(found),
        risk=risk,
        binding=_binding(found),
        feeders=_feeders(found, risk),
        pairs=_pairs(found),
        scenarios=_scenarios(found),
        draws=pd.DataFrame(
            {"draw": range(draws + 1), "status": ["ok"] * draws + ["failed"],
             "sessions_sha256": "ab", "error": [""] * draws + ["worker died"]}
        ),
        nodal=nodal(net),
        mitigation=mitigation(),
        base={"voltage": 2, "line_loading": 0, "transformer_loading": 1},
        manifest=manifest(tuple(bears)),
        notes=(Note("assumption", "phases", "Phases are drawn anew in each draw."),),
    )  # fmt: skip


def _settings(labels: Sequence[str]) -> dict[str, Any]:
    firm = {label: "uncontrolled" for label in labels}
    return {
        "cars": list(CARS), "labels": list(labels), "managed": {label: label for label in labels},
        "firm": firm, "days": "design", "behaviour": "resample", "placement": "draw",
        "phases": "allocate", "preexisting": "worse", "limits": list(KINDS), "unmet_percent": 1.0,
        "export_percent": None, "refine": True, "risk": RISK, "confidence": 0.95,
        "precision_cars": 6.0, "draws": [200, 1000], "seed": 7,
    }  # fmt: skip


def manifest(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "gridimpact": "0.1.0", "created": "2026-01-01T00:00:00+00:00", "engine": "batched", "seed": 7,
        "versions": {"numpy": "2.4.0"}, "stopped": "intervals are at most 6 cars wide",
        "limits": {"name": "eu_lv_planning", "edition": "planning practice", "drop_pu": 0.05,
                   "rise_pu": 0.03, "transformer_loading_percent": 150.0,
                   "line_loading_percent": 100.0, "hot_spot_c": 120.0},
        "days": [{"name": "winter peak", "steps": 96}, {"name": "most PV", "steps": 96}],
        "strategies": {label: {"foresight": "stays announced", "settings": "enrolled 1.0"}
                       for label in labels},
    }  # fmt: skip


def _row(strategy: str, control: str, limit: str, capacity: np.ndarray, kind: np.ndarray) -> tuple:
    """Return one row of the table of capacities; `capacity` (draw,) is the last number that passes."""
    draws, top = len(capacity), CARS[-1]
    order = np.sort(capacity)
    low, high = (int(stats.binom.ppf(q, draws, RISK)) for q in (0.025, 0.975))
    # The highest number at which at most the share RISK of draws violates.
    at_risk = order[int(RISK * draws)]
    broken = capacity < top
    kinds, counts = np.unique(kind[broken], return_counts=True)
    binds = KINDS[kinds[counts.argmax()]] if broken.any() else ""
    return (
        strategy, control, limit,
        float(order[0] + 1) if order[0] < top else np.nan,
        float(min(at_risk, top)), float(min(order[max(low - 1, 0)], top)),
        float(order[high]) if at_risk < top else np.nan, bool(at_risk < top),
        float(min(order[-1], top)) if order[0] < top else np.nan,
        draws, 1, 0, binds, 100.0 * counts.max() / counts.sum() if broken.any() else np.nan,
        "" if not binds else ", feeder ".join(map(str, NAMED[binds][1:])) if NAMED[binds][2]
        else NAMED[binds][1],
    )  # fmt: skip


def _capacity(found: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = []
    for strategy in found:
        for control, label in (("managed", strategy), ("firm", "uncontrolled")):
            own = found.get(label, found[strategy])
            rows.append(_row(strategy, control, "all", own.min(axis=1), own.argmin(axis=1)))
            rows += [
                _row(strategy, control, kind, own[:, k], np.full(len(own), k))
                for k, kind in enumerate(KINDS)
            ]
    return pd.DataFrame(rows, columns=list(CAPACITY_COLUMNS))


def _risk(found: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = []
    for strategy, own in found.items():
        for limit, capacity in (
            ("all", own.min(axis=1)),
            *zip(KINDS, own.T, strict=True),
        ):
            for cars in CARS:
                count, draws = int((capacity < cars).sum()), len(capacity)
                low = stats.beta.ppf(0.025, count, draws - count + 1) if count else 0.0
                high = stats.beta.ppf(0.975, count + 1, draws - count) if count < draws else 1.0
                rows.append((strategy, limit, cars, draws, count, count / draws, low, high))
    return pd.DataFrame(rows, columns=list(RISK_COLUMNS))


def _binding(found: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = []
    for strategy, own in found.items():
        first = own.argmin(axis=1)[own.min(axis=1) < CARS[-1]]
        for k, kind in enumerate(KINDS):
            count = int((first == k).sum())
            if count:
                percent = 100.0 * count / len(first)
                rows.append((strategy, kind, *NAMED[kind], count, percent))
    return pd.DataFrame(rows, columns=list(BINDING_COLUMNS))


def _feeders(found: dict[str, np.ndarray], risk: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for strategy, own in found.items():
        for feeder in range(1, FEEDERS + 1):
            capacity = own.min(axis=1) * (0.85 + 0.25 * feeder)
            for cars in CARS:
                share = float((capacity < cars).mean())
                colour = "green" if share == 0 else "yellow" if share <= RISK else "red"
                rows.append((strategy, feeder, "T1 Elm Street", cars, "all", share, colour))
    return pd.DataFrame(rows, columns=list(FEEDER_COLUMNS))


def _pairs(found: dict[str, np.ndarray]) -> pd.DataFrame:
    if "uncontrolled" not in found:
        return pd.DataFrame()
    base = np.minimum(found["uncontrolled"].min(axis=1), CARS[-1])
    rows = []
    for strategy, own in found.items():
        if strategy == "uncontrolled":
            continue
        gain = np.minimum(own.min(axis=1), CARS[-1]) - base
        half = 1.97 * gain.std(ddof=1) / np.sqrt(len(gain))
        rows.append(
            {"strategy": strategy, "against": "uncontrolled", "draws": len(gain),
             "mean": gain.mean(), "low": gain.mean() - half, "high": gain.mean() + half,
             "median": float(np.median(gain)), "better_percent": 100.0 * (gain > 0).mean(),
             "equal_percent": 100.0 * (gain == 0).mean(),
             "worse_percent": 100.0 * (gain < 0).mean(), "both_beyond_percent": 0.0,
             "at_least": int((own.min(axis=1) >= CARS[-1]).sum()), "at_most": 0}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _scenarios(found: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the common levels, and beside them the last passing and first failing number of each draw."""
    parts = []
    for strategy, own in found.items():
        last = np.minimum(own.min(axis=1), CARS[-1])
        levels = [(np.full(len(own), cars), False) for cars in CARS]
        refined = [(last, True), (np.minimum(last + 1, CARS[-1]), True)]
        for cars, added in levels + refined:
            share = cars[:, None] / own
            broken = [
                ", ".join(k for k, over in zip(KINDS, row > 1, strict=True) if over)
                for row in share
            ]
            parts.append(
                pd.DataFrame(
                    {"draw": range(len(own)), "strategy": strategy, "cars": cars, "refined": added,
                     "broken": broken, "broken_any": broken,
                     "voltage_margin_pu": 0.05 * (1 - share[:, 0]),
                     "line_percent": 100 * share[:, 1],
                     "transformer_percent": 150 * share[:, 2],
                     "hot_spot_c": 40 + 80 * share[:, 3] ** 1.6}
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def nodal(network: Network) -> pd.DataFrame:
    """Return what each connection alone may draw and feed: less the further out."""
    grid, sites = network.grid, network.sites
    place = {int(index): k for k, index in enumerate(grid.bus_index)}
    at = np.array([place[int(bus)] for bus in sites["bus"]])
    rows = []
    for direction, scale in (("import", 46.0), ("export", 30.0)):
        distance = grid.bus_distance_m[at]
        power = scale / (0.25 + distance / np.nanmax(distance))
        for k, site in enumerate(sites.index):
            binding = "voltage" if distance[k] > 200 else "connection"
            rows.append(
                (site, int(sites["bus"].iloc[k]), sites["name"].iloc[k], "abc",
                 int(grid.bus_feeder[at[k]]), float(distance[k]), direction, float(power[k]),
                 int(power[k] // 11), bool(distance[k] > 60), binding, -1,
                 float(grid.bus_xy[at[k], 0]), float(grid.bus_xy[at[k], 1]))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(NODAL_COLUMNS))


def uniform() -> pd.DataFrame:
    """Return a table of the uniform method: import binds, export does not."""
    rows = [
        ("import", 2.37, True, "voltage", FAR_BUS, "Home 28"),
        ("export", 11.0, False, "", -1, ""),
    ]
    return pd.DataFrame(rows, columns=list(UNIFORM_COLUMNS))


def mitigation() -> pd.DataFrame:
    """Return measures with what each gains and costs."""
    rows = [
        (0, "as it is", "", 0.0, 54.0, 50.0, 58.0, True, 0.0, np.nan, "voltage", "Home 28, feeder 2"),
        (1, "tap", "transformer T1 one step", 0.0, 63.0, 58.0, 66.0, True, 9.0, 0.0, "voltage",
         "Home 28, feeder 2"),
        (1, "managed", "g2v_valley_filling", 9920.0, 124.0, 112.0, 129.0, True, 70.0, 141.7, "voltage",
         "Home 28, feeder 2"),
        (1, "cable", "310 m of feeder 2 by 240 mm2", 27900.0, 81.0, 77.0, 86.0, True, 27.0, 1033.3,
         "transformer_loading", "T1 Elm Street"),
        (1, "transformer", "T1 by 400 kVA", 14000.0, 54.0, 50.0, 58.0, True, 0.0, np.nan, "voltage",
         "Home 28, feeder 2"),
    ]  # fmt: skip
    return pd.DataFrame([(*row, DRAWS) for row in rows], columns=list(MITIGATION_COLUMNS))
