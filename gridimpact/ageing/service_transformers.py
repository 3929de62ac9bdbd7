"""Ageing of service transformers straight from meter data: no network, a table says who hangs where."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from gridimpact.ageing.drive import thermal_loadings
from gridimpact.ageing.insulation import loss_of_life_percent
from gridimpact.ageing.life import remaining_years
from gridimpact.ageing.limits import loading_guide
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.presets import preset_named
from gridimpact.ageing.step_size import coarse_step_note, largest_jump_pu
from gridimpact.ageing.thermal_state import ThermalSeries
from gridimpact.ageing.unequal import unequal_series
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray, IntArray, Note

GUIDE = loading_guide("ieee_distribution")
GIVEN = ("loss_ratio", "top_oil_rise_k", "hot_spot_rise_k", "tau_oil_h")
"""Thermal data a table of transformers may hold; NaN is filled from the family."""

LEGS = ("", "1", "2")
"""A 240 V load or one that is not told, and the halves of a split-phase winding."""

AT_ONCE = 512
"""Transformers whose loadings stand in memory together."""


def age_service_transformers(
    load_kw: ArrayLike,
    meters: pd.DataFrame,
    transformers: pd.DataFrame,
    ambient_c: ArrayLike,
    dt_h: float,
    *,
    meter_id: Sequence[str],
    power_factor: float = 0.95,
    plate: str = "ieee_65c",
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return the ageing of every transformer, worst first, and what was assumed.

    Parameters
    ----------
    load_kw : array_like
        (time, meter) mean power of each interval [kW]; negative feeds back.
    meters : pandas.DataFrame
        One row per meter, index ``meter_id``: ``transformer_id``, and where known ``leg`` ("" for 240 V,
        "1" or "2" for a 120 V load on one half of a split-phase winding).
    transformers : pandas.DataFrame
        One row per transformer, index ``transformer_id``: ``rated_kva``, and where known ``loss_ratio``,
        ``top_oil_rise_k hot_spot_rise_k tau_oil_h``.
    ambient_c : array_like
        (time,) outdoor air [degC].
    dt_h : float
        Interval [h].
    meter_id : sequence of str
        (meter,) ids of the columns of `load_kw`.
    power_factor : float
        Of the loads, 0..1; active power over it is what heats.
    plate : str
        Family that gives what the table does not, a name of `gridimpact.ageing.PRESETS`.

    Returns
    -------
    tuple
        Table by ``transformer_id`` sorted by falling ageing: ``rated_kva meters energy_kwh peak_percent
        hours_over_100 hours_over_150 hot_spot_c equivalent_ageing loss_of_life_percent remaining_years
        outside_model_h rank``; and notes.

    Raises
    ------
    InputError
        If ids are missing or twice, ratings not positive, a leg unknown or values not finite; all
        problems at once.

    Notes
    -----
    IEEE C57.91-2011, Clause 7, one transformer a pole. Losses between meter and transformer are left
    out. The halves of a split-phase winding carry their own leg's current and half of what is drawn
    between both; the worse half sets the hot spot, both heat the oil.
    """
    load = np.asarray(load_kw)
    names = [str(name) for name in meter_id]
    _check(load, meters, transformers, names, power_factor)
    owner = transformers.index.get_indexer(pd.Index(meters.loc[names, "transformer_id"]))
    legs = _legs(meters.loc[names])
    unit = _plates(transformers, plate)
    parts: list[dict[str, FloatArray]] = []
    jump = 0.0
    for first in range(0, len(transformers), AT_ONCE):
        chosen = slice(first, min(first + AT_ONCE, len(transformers)))
        power = _power_by_leg(load, owner, legs, chosen)
        kva = transformers["rated_kva"].to_numpy(dtype=np.float64)[chosen] * power_factor
        by_leg = np.abs(power) / (0.5 * kva)[:, None]
        oil, winding = thermal_loadings(by_leg, by_phase=True)
        part = _some(unit, chosen)
        series = unequal_series(oil[None], winding[None], np.asarray(ambient_c), part, dt_h)
        jump = max(jump, largest_jump_pu(winding))
        parts.append(_columns(winding, series, power.sum(axis=-1), dt_h))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    table = pd.DataFrame(columns, index=transformers.index)
    table.insert(0, "rated_kva", transformers["rated_kva"].to_numpy(dtype=np.float64))
    table.insert(1, "meters", np.bincount(owner, minlength=len(transformers)))
    table = table.sort_values(["equivalent_ageing", "peak_percent"], ascending=False, kind="stable")
    table["rank"] = np.arange(1, len(table) + 1)
    note = coarse_step_note(dt_h, jump)
    return table, (*_notes(meters, transformers, power_factor, plate), *([note] if note else []))


def _legs(meters: pd.DataFrame) -> IntArray:
    """Return 0 for meters between both legs, 1 and 2 for those on one."""
    if "leg" not in meters:
        return np.zeros(len(meters), dtype=np.int64)
    text = meters["leg"].fillna("").astype(str)
    return np.array([LEGS.index(leg) for leg in text], dtype=np.int64)


def _power_by_leg(load: FloatArray, owner: IntArray, legs: IntArray, chosen: slice) -> FloatArray:
    """Return the power of both legs [kW], (time, transformer, 2); 240 V loads count half on each."""
    count = chosen.stop - chosen.start
    inside = np.flatnonzero((owner >= chosen.start) & (owner < chosen.stop))
    place = owner[inside] - chosen.start
    found = np.zeros((load.shape[0], count, 2))
    near = np.asarray(load[:, inside], dtype=np.float64)
    for leg in (1, 2):
        share = np.where(legs[inside] == 0, 0.5, (legs[inside] == leg).astype(np.float64))
        matrix = sparse.csr_array((share, (np.arange(inside.size), place)), (inside.size, count))
        found[:, :, leg - 1] = near @ matrix
    return found


def _plates(transformers: pd.DataFrame, plate: str) -> Nameplate:
    """Return the thermal data of all transformers, from the family and from the table."""
    unit = Nameplate.preset(plate, len(transformers))
    columns: dict[str, Any] = {f.name: getattr(unit, f.name) for f in dataclasses.fields(unit)}
    for name in GIVEN:
        if name in transformers:
            values = transformers[name].to_numpy(dtype=np.float64)
            columns[name] = np.where(np.isnan(values), columns[name], values)
    return Nameplate(**columns)


def _some(unit: Nameplate, chosen: slice) -> Nameplate:
    """Return the thermal data of some transformers."""
    return Nameplate(**{f.name: getattr(unit, f.name)[chosen] for f in dataclasses.fields(unit)})


def _columns(
    loading: FloatArray, series: ThermalSeries, power_kw: FloatArray, dt_h: float
) -> dict[str, FloatArray]:
    """Return the columns of some transformers."""
    equivalent = series.ageing_rate[0].mean(axis=0)
    hours = power_kw.shape[0] * dt_h
    return {
        "energy_kwh": power_kw.sum(axis=0) * dt_h,
        "peak_percent": 100.0 * loading.max(axis=0),
        "hours_over_100": (loading > 1.0).sum(axis=0) * dt_h,
        "hours_over_150": (loading > 1.5).sum(axis=0) * dt_h,
        "hot_spot_c": series.hot_spot_c[0].max(axis=0),
        "equivalent_ageing": equivalent,
        "loss_of_life_percent": loss_of_life_percent(equivalent, hours),
        "remaining_years": remaining_years(equivalent),
        "outside_model_h": (loading > GUIDE.highest_loading_pu).sum(axis=0) * dt_h,
    }


def _notes(
    meters: pd.DataFrame, transformers: pd.DataFrame, power_factor: float, plate: str
) -> list[Note]:
    """Return what was assumed."""
    where = "service transformers"
    found = [Note("assumption", where, f"power factor {power_factor:g} of all loads")]
    missing = [name for name in GIVEN if name not in transformers]
    if missing:
        source = preset_named(plate).source
        found.append(Note("assumption", where, f"{', '.join(missing)} of all units: {source}"))
    if "leg" not in meters:
        text = "no leg is told: every load is taken to lie evenly on both halves of the winding"
        found.append(Note("assumption", where, text))
    empty = ~transformers.index.isin(pd.Index(meters["transformer_id"]))
    if empty.any():
        text = f"{int(empty.sum())} transformers have no meter and age as without load"
        found.append(Note("warning", where, text))
    return found


def _check(
    load: FloatArray,
    meters: pd.DataFrame,
    transformers: pd.DataFrame,
    names: list[str],
    power_factor: float,
) -> None:
    """Refuse tables that do not fit together."""
    problems: list[Problem] = []
    if load.ndim != 2 or load.shape[1] != len(names):
        what = f"has shape {load.shape}, must be (time, {len(names)})"
        problems.append(Problem("load_kw", what, "one column per meter id"))
    elif not np.isfinite(load.sum(dtype=np.float64)):
        meter = names[int(np.flatnonzero(~np.isfinite(load).all(axis=0))[0])]
        problems.append(Problem(f"load_kw, meter {meter}", "is not finite", "fill the gaps first"))
    if not 0.0 < power_factor <= 1.0:
        problems.append(
            Problem("power_factor", f"is {power_factor}, must be above 0 and at most 1")
        )
    asked = (("meters", meters, "transformer_id"), ("transformers", transformers, "rated_kva"))
    for title, table, column in asked:
        twice = table.index[table.index.duplicated()]
        if len(twice):
            problems.append(Problem(title, f"{twice[0]!r} is there twice", "one row each"))
        if column not in table:
            problems.append(Problem(title, f"has no column {column!r}"))
    raise_problems(problems, "service transformers")
    raise_problems(_misfits(meters, transformers, names), "service transformers")


def _misfits(meters: pd.DataFrame, transformers: pd.DataFrame, names: list[str]) -> list[Problem]:
    """Return meters without a place and ratings that are none, at most five of each."""
    problems = [
        Problem(f"meter {name}", "has data but no row in the table of meters")
        for name in [n for n in names if n not in meters.index][:5]
    ]
    away = meters[~meters["transformer_id"].isin(transformers.index)]
    problems += [
        Problem(f"meter {name}", f"hangs at transformer {owner!r}, which has no row")
        for name, owner in away["transformer_id"].head(5).items()
    ]
    if "leg" in meters:
        legs = meters["leg"].fillna("").astype(str)
        remedy = "use 1 or 2 for a 120 V load, nothing for 240 V"
        problems += [
            Problem(f"meter {name}", f"leg is {leg!r}", remedy)
            for name, leg in legs[~legs.isin(LEGS)].head(5).items()
        ]
    rated = transformers["rated_kva"].astype(np.float64)
    return problems + [
        Problem(f"transformer {name}", f"rated_kva is {value}, must be above 0")
        for name, value in rated[~(rated > 0.0)].head(5).items()
    ]
