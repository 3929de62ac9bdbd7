"""A result's transformers aged again from its stored loadings, with what was assumed moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.ageing import AnyPlate, HeatSeries, sensitivity_table
from gridimpact.errors import InputError
from gridimpact.records import FloatArray, StudyResult
from gridimpact.study.thermal import heated, heating_pu
from gridimpact.study.thermal_life import options_of
from gridimpact.study.thermal_plates import plates_of


@dataclass(frozen=True)
class _Run:
    """One solved period: loadings [pu], air [degC] and which steps count."""

    oil_pu: FloatArray
    winding_pu: FloatArray
    air_c: FloatArray
    counted: Any


def ageing_sensitivity_of(result: StudyResult, strategy: str) -> pd.DataFrame:
    """Return how far the equivalent ageing under a strategy hangs on what was assumed.

    Parameters
    ----------
    result : StudyResult
        A finished study with temperatures.
    strategy : str
        Label of a row.

    Returns
    -------
    pandas.DataFrame
        ``strategy transformer name assumption lower as_given higher``: ambient and rated oil rise moved by
        5 K, loss ratio and oil time constant by a factor of 1.5, each alone.

    Raises
    ------
    InputError
        If temperatures were not studied.

    Notes
    -----
    Aged again from the loadings of the result by the model of the study. Loadings are stored in single
    precision, which moves a hot spot by less than 0.001 K.
    """
    options = options_of(result)
    plate = plates_of(result.network, options).model
    step_h = float(result.dataset.attrs["step_s"]) / 3600.0
    runs = _runs(result, strategy)
    counted = sum(int(run.counted.sum()) for run in runs)

    def found(chosen: AnyPlate, shift_k: float) -> FloatArray:
        total = np.zeros(runs[0].winding_pu.shape[2])
        for run in runs:
            heating = (run.oil_pu, run.winding_pu)
            series = heated(options, chosen, heating, run.air_c + shift_k, step_h)
            total += series.ageing_rate[0, run.counted].sum(axis=0)
        return total / max(counted, 1)

    table = sensitivity_table(found, plate)
    grid = result.network.grid
    position = table["transformer"].to_numpy(dtype=np.int64)
    table.insert(1, "name", np.array(grid.transformer_name, dtype=object)[position])
    table["transformer"] = grid.transformer_index[position]
    table.insert(0, "strategy", strategy)
    order = ["strategy", "transformer", "name", "assumption", "lower", "as_given", "higher"]
    return table[order]


def aged_again(result: StudyResult, strategy: str) -> list[HeatSeries]:
    """Return the temperatures of each solved period, (1, time, transformer), from the stored loadings."""
    options = options_of(result)
    plate = plates_of(result.network, options).model
    step_h = float(result.dataset.attrs["step_s"]) / 3600.0
    return [
        heated(options, plate, (run.oil_pu, run.winding_pu), run.air_c, step_h)
        for run in _runs(result, strategy)
    ]


def _runs(result: StudyResult, strategy: str) -> list[_Run]:
    """Return the solved periods of a result, gaps filled by what was injected."""
    data = result.dataset
    air = data["temp_air_c"].values if "temp_air_c" in data else np.array([np.nan])
    if np.isnan(air).all() or not len(result.network.grid.transformer_index):
        message = "temperatures were not studied; give the study an ambient and run it again"
        raise InputError(message)
    row = data.sel(strategy=strategy)
    loading = row["transformer_loading_percent"].values[None].astype(np.float64)
    by_phase = None
    if "transformer_phase_loading_percent" in data:
        by_phase = row["transformer_phase_loading_percent"].values[None].astype(np.float64)
    winding, oil, _ = heating_pu(loading, by_phase, _injected(result, row)[None])
    segment, counted = data["segment"].values, np.asarray(data["counted"].values, dtype=bool)
    found = []
    for number in np.unique(segment):
        at = segment == number
        found.append(_Run(oil[:, at], winding[:, at], air[at], counted[at]))
    return found


def _injected(result: StudyResult, row: Any) -> FloatArray:
    """Return apparent power behind each transformer over its rating, (time, transformer) [pu]."""
    grid = result.network.grid
    place = {kind: pd.Index(grid.bus_index).get_indexer(row[f"{kind}_bus"].values)
             for kind in ("site", "charger")}  # fmt: skip
    owner = {kind: grid.bus_transformer[at] for kind, at in place.items()}
    power: dict[str, FloatArray] = {}
    for axis, names in {
        "p_kw": (("site", "load_p_kw"), ("site", "pv_p_kw"), ("charger", "charger_p_kw")),
        "q_kvar": (("site", "load_q_kvar"), ("site", "pv_q_kvar"), ("charger", "charger_q_kvar")),
    }.items():
        total = np.zeros((row.sizes["time"], len(grid.transformer_index)))
        for kind, name in names:
            if name in row:
                values = np.nan_to_num(row[name].values)
                for k in range(total.shape[1]):
                    total[:, k] += values[:, owner[kind] == k].sum(axis=1)
        power[axis] = total
    return np.hypot(power["p_kw"], power["q_kvar"]) / grid.transformer_sn_kva
