"""Check the settings of tap changers under load: every problem of every setting at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.errors import Problem
from gridimpact.records import Grid, IntArray, Network

KEYS = ("vm_set_pu", "deadband_pu", "bus", "side", "line_drop")
_WIDEST_PU = 0.2
"""Widest band, and largest drop at rated current, that is believed."""
_ACTS = ("Ratio", "Symmetrical", "Ideal")


@dataclass(frozen=True)
class Setting:
    """One checked setting in positions of the grid's axes."""

    where: str
    transformer: int
    bus: int
    vm_set_pu: float
    deadband_pu: float
    tap_pos: IntArray
    start: int
    drop_pu: tuple[float, float]


def check_settings(network: Network, settings: Any) -> tuple[list[Problem], list[Setting]]:
    """Return everything wrong with settings, and those without fault.

    Parameters
    ----------
    network : Network
    settings : mapping
        By row of the table ``trafo`` the arguments of
        `gridimpact.network.tap_control.with_tap_control`.
    """
    if not isinstance(settings, Mapping):
        what = f"is {type(settings).__name__}, must be settings by transformer index"
        return [Problem("tap_control", what, "e.g. {0: {vm_set_pu: 1.02, deadband_pu: 0.02}}")], []
    problems, ready = list[Problem](), list[Setting]()
    for index, given in settings.items():
        found, setting = _check_one(network, index, given)
        problems += found
        if setting is not None and not found:
            ready.append(setting)
    return problems, ready


def _check_one(network: Network, index: Any, given: Any) -> tuple[list[Problem], Setting | None]:
    where = f"tap_control, transformer {index}"
    grid = network.grid
    place = np.flatnonzero(grid.transformer_index == index) if _whole(index) else np.zeros(0, int)
    if not len(place):
        known = ", ".join(map(str, grid.transformer_index[:8])) or "none"
        what = f"no such row in table trafo; there are {known}"
        return [Problem(where, what, "give the index of a two-winding transformer")], None
    if not isinstance(given, Mapping):
        what = f"is {type(given).__name__}, must be a mapping"
        return [Problem(where, what, f"give {', '.join(KEYS[:2])}")], None
    problems = _unknown(where, given) + _numbers(where, given)
    problems += _changer(where, network, int(place[0]))
    bus, found = _bus(where, network, int(place[0]), given)
    problems += found
    drop, found = _drop(where, network, int(place[0]), given, bus)
    problems += found
    if problems:
        return problems, None
    row = network.net["trafo"].iloc[int(place[0])]
    tap_pos = np.arange(int(row["tap_min"]), int(row["tap_max"]) + 1, dtype=np.int64)
    setting = Setting(
        where=where,
        transformer=int(place[0]),
        bus=bus,
        vm_set_pu=float(given["vm_set_pu"]),
        deadband_pu=float(given["deadband_pu"]),
        tap_pos=tap_pos,
        start=int(row["tap_pos"]) - int(row["tap_min"]),
        drop_pu=drop,
    )
    return [], setting


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _finite(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and math.isfinite(float(value))


def _unknown(where: str, given: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for key in given:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"choose of {', '.join(KEYS)}"
            problems.append(Problem(f"{where}, {key}", "no such setting", remedy))
    return problems


def _numbers(where: str, given: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for key, low, high, remedy in (
        ("vm_set_pu", 0.8, 1.2, "give it per unit, e.g. 1.02"),
        ("deadband_pu", 0.0, _WIDEST_PU, "give the whole width per unit, e.g. 0.02"),
    ):
        if key not in given:
            problems.append(Problem(f"{where}, {key}", "is missing", remedy))
        elif not _finite(given[key]) or not low < float(given[key]) <= high:
            what = f"is {given[key]!r}, must be above {low:g}, at most {high:g} pu"
            problems.append(Problem(f"{where}, {key}", what, remedy))
    return problems


def _changer(where: str, network: Network, place: int) -> list[Problem]:
    """Return what keeps a transformer from changing its taps under load."""
    grid, row = network.grid, network.net["trafo"].iloc[place]
    problems = []
    if any(control.transformer == place for control in grid.tap_controls):
        problems.append(Problem(where, "already holds a voltage", "give one control for each"))
    if grid.transformer_branch[place] < 0:
        what = "is out of service, switched off or without supply"
        problems.append(Problem(where, what, "put it into service"))
    elif _open_ended(network, int(grid.transformer_index[place])):
        problems.append(Problem(where, "has an open switch at one end", "close the switch"))
    taps = {name: row[name] for name in ("tap_min", "tap_max", "tap_neutral", "tap_pos")}
    for name, value in taps.items():
        if not _finite(value) or float(value) != int(value):
            what = f"is {value}, must be a whole number"
            problems.append(Problem(f"{where}, {name}", what, "give the tap changer's range"))
    if not problems and not taps["tap_min"] < taps["tap_max"]:
        what = f"{taps['tap_min']:g} to {taps['tap_max']:g} leaves nothing to change"
        problems.append(Problem(f"{where}, tap_min", what, "give the lowest and highest position"))
    if not problems and not taps["tap_min"] <= taps["tap_pos"] <= taps["tap_max"]:
        what = f"is {taps['tap_pos']:g}, outside {taps['tap_min']:g} to {taps['tap_max']:g}"
        problems.append(Problem(f"{where}, tap_pos", what, "correct the tap position"))
    steps = [row[name] for name in ("tap_step_percent", "tap_step_degree")]
    if row["tap_changer_type"] not in _ACTS or not any(_finite(s) and s != 0 for s in steps):
        what = f"type {row['tap_changer_type']!r} with a step of {steps[0]} % changes nothing"
        remedy = "give tap_changer_type 'Ratio' and tap_step_percent"
        problems.append(Problem(f"{where}, tap_step_percent", what, remedy))
    return problems


def _open_ended(network: Network, index: int) -> bool:
    switch = network.net["switch"]
    here = (switch["et"] == "t") & (switch["element"] == index) & ~switch["closed"].astype(bool)
    return bool(here.any())


def _bus(
    where: str, network: Network, place: int, given: Mapping[str, Any]
) -> tuple[int, list[Problem]]:
    """Return the position of the bus held."""
    grid = network.grid
    side = given.get("side", "lv")
    if side not in ("lv", "hv"):
        return -1, [Problem(f"{where}, side", f"is {side!r}, must be 'lv' or 'hv'", "choose one")]
    if given.get("bus") is None:
        ends = grid.transformer_lv if side == "lv" else grid.transformer_hv
        return int(ends[place]), []
    bus = given["bus"]
    found = np.flatnonzero(grid.bus_index == bus) if _whole(bus) else np.zeros(0, int)
    if not len(found):
        what = f"is {bus!r}: no such row in table bus"
        return -1, [Problem(f"{where}, bus", what, "give the index of a bus")]
    if not grid.bus_supplied[found[0]]:
        return -1, [Problem(f"{where}, bus", f"bus {bus} has no supply", "hold another bus")]
    return int(found[0]), []


def _drop(
    where: str, network: Network, place: int, given: Mapping[str, Any], bus: int
) -> tuple[tuple[float, float], list[Problem]]:
    """Return the compensation per unit of rated current."""
    drop = given.get("line_drop")
    where = f"{where}, line_drop"
    if drop is None:
        return (0.0, 0.0), []
    if not isinstance(drop, tuple | list) or len(drop) != 2 or not all(map(_finite, drop)):
        what = f"is {drop!r}, must be resistance and reactance in ohm"
        return (0.0, 0.0), [Problem(where, what, "e.g. [0.4, 0.3]")]
    grid = network.grid
    if bus not in (-1, int(grid.transformer_lv[place])):
        what = "is given for a bus that is not the transformer's own on the low-voltage side"
        remedy = "hold a distant bus or compensate the drop, not both"
        return (0.0, 0.0), [Problem(where, what, remedy)]
    found = _per_unit(grid, place, (float(drop[0]), float(drop[1])))
    if math.hypot(*found) > _WIDEST_PU:
        what = f"drops {100 * math.hypot(*found):.0f} % of the voltage at rated current"
        return (0.0, 0.0), [Problem(where, what, "give ohm at the low-voltage side")]
    return found, []


def _per_unit(grid: Grid, place: int, drop: tuple[float, float]) -> tuple[float, float]:
    """Return ohm as voltage drop at rated current over the bus's nominal phase voltage."""
    rated_ka = float(grid.transformer_i_rated_ka[place, 1])
    phase_kv = float(grid.bus_vn_kv[grid.transformer_lv[place]]) / math.sqrt(3.0)
    return drop[0] * rated_ka / phase_kv, drop[1] * rated_ka / phase_kv
