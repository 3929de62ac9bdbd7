"""Ageing of thousands of transformer years without keeping a temperature: block by block, on all cores."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.ageing.annex_g_plate import AnnexGPlate
from gridimpact.ageing.iec_plate import IecPlate
from gridimpact.ageing.insulation import NORMAL_LIFE_H, loss_of_life_percent
from gridimpact.ageing.limits import FREE_BUBBLE_C, LoadingGuide, loading_guide
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.thermal_state import EDITION_2011, Clause7
from gridimpact.ageing.unequal import HeatSeries, heat_series
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, FloatArray

WORKERS = os.cpu_count() or 1
"""Threads; the numbers do not depend on how many."""

BLOCK_CELLS = 1 << 20
"""Steps times scenarios times transformers held by one worker at once."""


@dataclass(frozen=True)
class AgeingSummary:
    """What is left of a transformer's temperatures, arrays (scenario, transformer).

    Attributes
    ----------
    equivalent_ageing : numpy.ndarray
        Mean ageing rate of the counted steps, 1 is normal [1].
    hot_spot_max_c, top_oil_max_c, loading_max_pu : numpy.ndarray
        Highest values of the counted steps.
    hours : float
        Length of the counted steps [h].
    hours_over : dict of str to numpy.ndarray
        Hours in which hot spot, top oil or loading pass a limit of the guide, by its name [h].
    free_bubble_h : numpy.ndarray
        Hours with a hot spot at which free gas may form [h].
    outside_model_h : numpy.ndarray
        Hours with a load beyond the range of the model; their temperatures are not to be trusted [h].
    guide : str
        Name of the loading guide.
    """

    equivalent_ageing: FloatArray
    hot_spot_max_c: FloatArray
    top_oil_max_c: FloatArray
    loading_max_pu: FloatArray
    hours: float
    hours_over: dict[str, FloatArray]
    free_bubble_h: FloatArray
    outside_model_h: FloatArray
    guide: str

    def loss_of_life_percent(self, life_h: float = NORMAL_LIFE_H) -> FloatArray:
        """Return the share of the insulation's life used in the counted steps [%]."""
        return loss_of_life_percent(self.equivalent_ageing, self.hours, life_h=life_h)


def age(
    loading_pu: ArrayLike | Iterable[FloatArray],
    ambient_c: ArrayLike,
    plate: Nameplate | IecPlate | AnnexGPlate,
    dt_h: float,
    *,
    start: str = "steady",
    model: Clause7 = EDITION_2011,
    guide: str = "ieee_distribution",
    counted: BoolArray | None = None,
) -> AgeingSummary:
    """Return the ageing of many scenarios; temperatures are made and dropped block by block.

    Parameters
    ----------
    loading_pu : array_like or iterable of numpy.ndarray
        (scenario, time, transformer) current over rated current [pu], or blocks of it along the
        scenarios that need not stand in memory together.
    ambient_c : array_like
        (time,) or (time, transformer) outdoor air [degC].
    plate : Nameplate, IecPlate or AnnexGPlate
        Thermal data; its kind chooses the model.
    dt_h : float
        Step [h].
    start : str
        ``"steady"``, ``"cold"`` or ``"periodic"``.
    model : Clause7
        Open choices, for a `Nameplate`.
    guide : str
        A name of `gridimpact.ageing.LOADING_GUIDES`.
    counted : numpy.ndarray, optional
        (time,) steps that count; all by default.

    Returns
    -------
    AgeingSummary
        In the order of the scenarios.

    Raises
    ------
    InputError
        As the model's series function, or if the guide is unknown.

    Examples
    --------
    >>> found = age(np.ones((3, 96, 1)), np.full(96, 30.0), Nameplate.preset("ieee_65c"), 0.25)
    >>> found.equivalent_ageing.ravel().round(6)
    array([1., 1., 1.])
    """
    chosen = loading_guide(guide)
    air = np.asarray(ambient_c, dtype=np.float64)
    plates = (plate,) if isinstance(plate, AnnexGPlate) else plate

    def one(block: FloatArray) -> _Block:
        load = np.asarray(block, dtype=np.float64)
        series = heat_series(load, load, air, plates, dt_h, start=start, model=model)
        return _reduced(block, series, chosen, dt_h, counted)

    with ThreadPoolExecutor(WORKERS) as pool:
        parts = list(_in_order(pool, one, _blocks(loading_pu), 2 * WORKERS))
    if not parts:
        message = "loading_pu holds no scenario"
        raise InputError(message)
    joined = np.concatenate([part.values for part in parts], axis=1)
    over = {limit.name: joined[6 + k] for k, limit in enumerate(chosen.limits)}
    return AgeingSummary(
        equivalent_ageing=joined[0],
        hot_spot_max_c=joined[1],
        top_oil_max_c=joined[2],
        loading_max_pu=joined[3],
        hours=parts[0].hours,
        hours_over=over,
        free_bubble_h=joined[4],
        outside_model_h=joined[5],
        guide=guide,
    )


@dataclass(frozen=True)
class _Block:
    """Figures of one block, (figure, scenario, transformer)."""

    values: FloatArray
    hours: float


def _in_order(
    pool: ThreadPoolExecutor, task: Any, blocks: Iterator[FloatArray], ahead: int
) -> Iterator[_Block]:
    """Yield the results of all blocks in order, with only a few blocks in memory."""
    waiting: list[Any] = []
    for block in blocks:
        waiting.append(pool.submit(task, block))
        if len(waiting) > ahead:
            yield waiting.pop(0).result()
    for job in waiting:
        yield job.result()


def _blocks(loading_pu: Any) -> Iterator[FloatArray]:
    """Yield the loading in blocks of bounded size."""
    whole = isinstance(loading_pu, np.ndarray | list | tuple)
    for given in [np.asarray(loading_pu)] if whole else loading_pu:
        if given.ndim != 3:
            message = f"loading_pu has shape {given.shape}, must be (scenario, time, transformer)"
            raise InputError(message)
        size = max(BLOCK_CELLS // max(given.shape[1] * given.shape[2], 1), 1)
        for first in range(0, given.shape[0], size):
            yield given[first : first + size]


def _reduced(
    loading: FloatArray,
    series: HeatSeries,
    guide: LoadingGuide,
    dt_h: float,
    counted: BoolArray | None,
) -> _Block:
    """Return the figures of one block."""
    keep = slice(None) if counted is None else np.asarray(counted, dtype=np.bool_)
    load = np.asarray(loading, dtype=np.float64)[:, keep]
    hot, oil, rate = (
        values[:, keep] for values in (series.hot_spot_c, series.top_oil_c, series.ageing_rate)
    )
    if load.shape[1] == 0:
        message = "no step is counted; give at least one"
        raise InputError(message)
    rows = [rate.mean(axis=1), hot.max(axis=1), oil.max(axis=1), load.max(axis=1)]
    rows.append((hot > FREE_BUBBLE_C).sum(axis=1) * dt_h)
    rows.append((load > guide.highest_loading_pu).sum(axis=1) * dt_h)
    for limit in guide.limits:
        passed = (hot > limit.hot_spot_c) | (oil > limit.top_oil_c) | (load > limit.loading_pu)
        rows.append(passed.sum(axis=1) * dt_h)
    return _Block(np.stack(rows), load.shape[1] * dt_h)
