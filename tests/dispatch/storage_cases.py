"""Batteries behind meters for tests of the storage program, written by hand or drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.dispatch.kernels_plans import keep_reserve, plan_alone
from gridimpact.dispatch.kernels_storage import Cells, Storage
from gridimpact.dispatch.linear_program import Meters, PeakCharge, Schedule, solve

FREE = float("inf")


def battery(steps: int, **given: Any) -> tuple[Storage, Cells]:
    """Return one battery of 40 kWh that holds 10 and needs 30 at the end, 7 kW, unless told."""
    parts: dict[str, Any] = {
        "up": 7.0,
        "down": 7.0,
        "ratio": 2.0,
        "offset": 0.0,
        "lower": 0.0,
        "upper": 40.0,
        "need": 30.0,
        "drain": 0.0,
        "arrival": np.nan,
        "eta": 0.9,
        "wear": 0.0,
        "initial": 10.0,
        "value": 0.0,
        "plugged": True,
    } | given

    def row(name: str) -> np.ndarray:
        return np.broadcast_to(np.asarray(parts[name], float), (1, steps)).copy()

    need = row("need")
    if np.ndim(parts["need"]) == 0:
        need[0, :-1] = -1.0
    drain = row("drain")
    plugged = np.broadcast_to(np.asarray(parts["plugged"], bool), (1, steps)).copy()
    storage = Storage(
        row("up"),
        row("down"),
        row("ratio"),
        row("offset"),
        row("lower"),
        row("upper"),
        need,
        drain,
        drain.copy(),
        row("arrival"),
        plugged,
        np.zeros((1, steps, 4)),
    )
    eta_charge, eta_discharge = np.broadcast_to(np.asarray(parts["eta"], float), (2,))
    values = (eta_charge, eta_discharge, parts["wear"], 0.0, parts["initial"], parts["value"])
    return storage, Cells(*(np.array([float(value)]) for value in values))


def meter(
    net: Any, bought: Any, sold: Any, steps: int, *, own_use: bool = False, peak: Any = None
) -> Meters:
    """Return one meter without limits."""
    columns = [
        np.broadcast_to(np.asarray(v, float), (steps,))[:, None] for v in (net, bought, sold)
    ]
    feed = np.maximum(columns[0], 0.0) if own_use else np.full((steps, 1), FREE)
    return Meters(*columns, np.array([FREE]), np.array([FREE]), feed, peak)


def by_program(storage: Storage, cells: Cells, meters: Meters, penalty: float = 1e3) -> Schedule:
    """Return the plan of the linear program, all batteries behind the first meter."""
    site = np.zeros(storage.up_kw.shape, dtype=np.int64)
    return solve(storage, cells, site, meters, dt_h=1.0, penalty=penalty)


def by_recursion(
    storage: Storage, cells: Cells, meters: Meters, penalty: float = 1e3
) -> tuple[np.ndarray, np.ndarray]:
    """Return power and energy of the dynamic program for the same battery."""
    storage.meter[0, :, 1] = -meters.net_kw[:, 0]
    storage.meter[0, :, 2] = meters.export_price[:, 0]
    storage.meter[0, :, 3] = meters.import_price[:, 0]
    p_kw, energy = np.zeros(storage.up_kw.shape), np.zeros(storage.up_kw.shape)
    plan_alone(storage, cells, 1.0, penalty, p_kw, energy)
    return p_kw, energy


def bill(p_kw: np.ndarray, energy: np.ndarray, cells: Cells, meters: Meters) -> float:
    """Return cost of energy and wear less the value of energy left of one battery's plan."""
    power = meters.net_kw[:, 0] + p_kw[0]
    paid = meters.import_price[:, 0] * np.maximum(power, 0.0)
    earned = meters.export_price[:, 0] * np.maximum(-power, 0.0)
    wear = cells.wear[0] * np.maximum(-p_kw[0], 0.0)
    return float((paid - earned + wear).sum() - cells.value[0] * energy[0, -1])


def drawn(seed: int) -> tuple[Storage, Cells, Meters]:
    """Return a small random battery with stays, trips, losses, perhaps taper and reserve, and its meter."""
    rng = np.random.default_rng(seed)
    steps, capacity = int(rng.integers(2, 14)), rng.uniform(10.0, 40.0)
    plugged = rng.random(steps) < 0.75
    plugged[-1] = True
    starts = plugged & ~np.concatenate([[True], plugged[:-1]])
    need = np.full(steps, -1.0)
    ends = plugged & ~np.concatenate([plugged[1:], [False]])
    need[ends] = rng.uniform(0.4, 0.9, ends.sum()) * capacity
    given = starts & (rng.random(steps) < 0.2)
    arrival = np.where(given, rng.uniform(0.2, 0.8, steps) * capacity, np.nan)
    initial = rng.uniform(0.4, 0.95) * capacity
    # No trip is longer than what the battery surely holds.
    drain = np.where(starts & ~given, rng.uniform(0.0, 0.08) * capacity, 0.0)
    up, down = rng.choice([3.0, 7.0, 11.0], 2)
    eta = rng.uniform(0.7, 1.0, 2)
    knee, left = rng.choice([0.5, 0.8, 1.0]), rng.choice([0.0, 0.2])
    ratio, offset = 2.0, 0.0
    if knee < 1.0:
        full, slope = eta[0] * up, (1.0 - left) / (1.0 - knee)
        ratio = 1.0 / (1.0 + full * slope / capacity)
        offset = full * (1.0 + slope * knee) * ratio
    storage, cells = battery(
        steps,
        up=np.where(plugged, up, 0.0),
        down=np.where(plugged, down, 0.0),
        ratio=ratio,
        offset=offset,
        upper=capacity,
        need=need,
        drain=drain,
        arrival=arrival,
        eta=eta,
        wear=rng.choice([0.0, 0.02, 0.1]) + 1e-7,
        initial=initial,
        value=rng.choice([0.0, 0.03]),
        plugged=plugged,
    )
    if rng.random() < 0.5:
        reserve, target = (np.full((1, steps), share * capacity) for share in (0.3, 0.9))
        keep_reserve(storage, cells, reserve, target, 1.0, bool(rng.random() < 0.5))
    bought = rng.uniform(0.05, 0.4, steps).round(2)
    sold = np.minimum(bought * rng.choice([1.0, 0.5]) if rng.random() < 0.7 else 0.05, bought)
    return storage, cells, meter(rng.uniform(-5.0, 5.0, steps), bought, sold, steps)


def demand_charge(per_kw: float, free_kw: float = 0.0, so_far_kw: float = 0.0) -> PeakCharge:
    """Return a peak charge of one period of eight steps at one meter."""
    period = np.zeros(8, dtype=np.int64)
    return PeakCharge(period, np.array([per_kw]), np.array([free_kw]), np.array([[so_far_kw]]))
