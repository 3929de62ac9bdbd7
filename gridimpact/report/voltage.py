"""Voltages against the band of the limit profile, absolute or counted from the busbar.

A planning profile asks for a drop and a rise from the busbar that supplies a bus, at the same
step; others ask for a band around nominal. Both are read as one share: 1 is at the limit.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np

from gridimpact.records import FloatArray, StudyResult
from gridimpact.report import view
from gridimpact.report.style import is_number


@dataclass(frozen=True, slots=True)
class Band:
    """Limits of the buses shown; NaN where nothing is asked."""

    low: float
    high: float
    drop: float
    rise: float

    @property
    def relative(self) -> bool:
        """Whether voltages are judged from the busbar only."""
        absolute = is_number(self.low) or is_number(self.high)
        return not absolute and (is_number(self.drop) or is_number(self.rise))

    def bounds(self, reference: float) -> tuple[float, float]:
        """Return lower and upper limit [pu] where the busbar has a voltage; NaN for none."""
        low = np.fmax(self.low, reference - self.drop)
        high = np.fmin(self.high, reference + self.rise)
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Departure:
    """The voltage that uses most of one side of the band: bus, step, values in pu."""

    position: int
    step: int
    vm_pu: float
    busbar_pu: float
    bound_pu: float
    """NaN where no limit is set on this side."""
    use: float
    """Share of the band used, 1 at the limit; NaN where no limit is set."""


def band(result: StudyResult) -> Band:
    """Return the limits of the buses shown, those of medium voltage where there is no lower one."""
    grid = result.network.grid
    shown = view.network_buses(result)
    low_voltage = bool((np.asarray(grid.bus_vn_kv)[shown] <= 1.0).any())
    profile = view.limits(result)

    def read(key: str) -> float:
        value = profile.get(key)
        return float(value) if is_number(value) and value is not None else float("nan")

    if not low_voltage:
        return Band(read("mv_min_pu"), read("mv_max_pu"), float("nan"), float("nan"))
    return Band(read("vm_min_pu"), read("vm_max_pu"), read("drop_pu"), read("rise_pu"))


def busbar_voltage(result: StudyResult, strategy: str) -> FloatArray:
    """Return the voltage of the busbar that supplies each bus, shape (time, bus) [pu].

    A bus without a supplying transformer is counted from the set-point of the source.
    """
    grid = result.network.grid
    vm = view.values(result, "vm_pu", strategy)
    supply = np.asarray(grid.bus_transformer)
    slack = np.abs(np.asarray(grid.admittance.slack_vm_pu))
    reference = np.full_like(vm, float(slack[0]) if slack.size else 1.0)
    served = np.flatnonzero(supply >= 0)
    low, high = grid.transformer_lv[supply[served]], grid.transformer_hv[supply[served]]
    # A transformer may feed upward; its supplied side has the bus's own nominal voltage.
    level = np.asarray(grid.bus_vn_kv)
    upward = np.abs(level[high] - level[served]) < np.abs(level[low] - level[served])
    reference[:, served] = vm[:, np.where(upward, high, low)]
    return reference


def _uses(result: StudyResult, strategy: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the shares used of the lower and the upper side, and the voltage; counted steps."""
    limits = band(result)
    vm = view.counted_values(result, "vm_pu", strategy)
    vm[:, ~view.network_buses(result)] = np.nan
    away = vm - busbar_voltage(result, strategy)
    low = np.fmax((1 - vm) / (1 - limits.low), -away / limits.drop)
    high = np.fmax((vm - 1) / (limits.high - 1), away / limits.rise)
    return low, high, vm


def departures(result: StudyResult, strategy: str) -> tuple[Departure | None, Departure | None]:
    """Return the lowest and the highest voltage by the share of the band they use.

    Returns
    -------
    tuple of Departure or None
        Lower and upper side; None where no voltage was assessed. Without a limit on a side it is
        the lowest or highest voltage.
    """
    found = _sides(result, strategy)
    return found.low, found.high


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both sides of the band under one strategy."""

    low: Departure | None
    high: Departure | None
    hours_low: float
    hours_high: float


_KNOWN: dict[tuple[int, str], tuple[weakref.ref[StudyResult], _Sides]] = {}
_KNOWN_MOST = 64


def _sides(result: StudyResult, strategy: str) -> _Sides:
    """Return both sides, looked up once per result and strategy: a record never changes."""
    key = (id(result), strategy)
    known = _KNOWN.get(key)
    if known is not None and known[0]() is result:
        return known[1]
    found = _find_sides(result, strategy)
    if len(_KNOWN) >= _KNOWN_MOST:
        _KNOWN.clear()
    _KNOWN[key] = (weakref.ref(result), found)
    return found


def _find_sides(result: StudyResult, strategy: str) -> _Sides:
    low, high, vm = _uses(result, strategy)
    hours = [float((use > 1.0).any(axis=1).sum()) * view.step_h(result) for use in (low, high)]
    if not np.isfinite(vm).any():
        return _Sides(None, None, *hours)
    return _Sides(
        _departure(result, strategy, low, -vm, lower=True),
        _departure(result, strategy, high, vm, lower=False),
        *hours,
    )


def _departure(
    result: StudyResult, strategy: str, use: FloatArray, instead: FloatArray, *, lower: bool
) -> Departure:
    rank = use if np.isfinite(use).any() else instead
    step, position = np.unravel_index(np.nanargmax(rank), rank.shape)
    vm = float(view.values(result, "vm_pu", strategy)[step, position])
    busbar = float(busbar_voltage(result, strategy)[step, position])
    bounds = band(result).bounds(busbar)
    return Departure(
        int(position), int(step), vm, busbar, bounds[0 if lower else 1], float(use[step, position])
    )


def worst_departure(result: StudyResult, strategy: str) -> Departure | None:
    """Return the voltage nearest to, or furthest beyond, either limit; the lowest without limits."""
    low, high = departures(result, strategy)
    if low is None or high is None:
        return None
    return high if np.nan_to_num(high.use) > np.nan_to_num(low.use) else low


def departure_words(result: StudyResult, found: Departure) -> str:
    """Return a voltage and its limit in words, from the busbar where it is judged so."""
    limits = band(result)
    lower = found.vm_pu < found.busbar_pu
    share = limits.drop if lower else limits.rise
    if limits.relative and is_number(share):
        away = abs(found.vm_pu - found.busbar_pu) * 100
        side = "below" if lower else "above"
        return f"{away:.1f} % {side} its busbar, limit {share * 100:g} %"
    limit = f", limit {found.bound_pu:.3f}" if is_number(found.bound_pu) else ""
    return f"{found.vm_pu:.3f} pu{limit}"


def hours_outside(result: StudyResult, strategy: str, *, lower: bool) -> float:
    """Return the counted time [h] with any bus beyond one side of the band."""
    found = _sides(result, strategy)
    return found.hours_low if lower else found.hours_high


def shown_voltage(result: StudyResult, strategy: str) -> tuple[FloatArray, Band, str]:
    """Return what a map colours buses by: voltage [pu], or percent from the busbar.

    Returns
    -------
    tuple
        Values (time, bus), NaN where not counted; the band in the same measure (``low`` and
        ``high`` only); and the words for a scale.
    """
    limits = band(result)
    vm = view.counted_values(result, "vm_pu", strategy)
    if not limits.relative:
        return vm, limits, "voltage furthest from nominal [pu]"
    away = (vm - busbar_voltage(result, strategy)) * 100
    nothing = float("nan")
    percent = Band(-limits.drop * 100, limits.rise * 100, nothing, nothing)
    return away, percent, "voltage furthest from its busbar's [%]"
