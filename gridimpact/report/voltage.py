"""Voltages against the band of the limit profile, absolute or counted from the busbar.

A planning profile asks for a drop and a rise from the busbar that supplies a bus, at the same
step; others ask for a band around nominal. Both are read as one share: 1 is at the limit. In three
phases each phase is read by itself, from the same phase of its busbar.
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
    phase: int = -1
    """0, 1 or 2; -1 where the three are one."""


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


def busbar_voltage(result: StudyResult, strategy: str, steps: slice = slice(None)) -> FloatArray:
    """Return the voltage of the busbar that supplies each bus, shape (time, bus[, phase]) [pu].

    A bus without a supplying transformer is counted from the set-point of the source.
    """
    return _of_busbar(result, view.values(result, "vm_pu", strategy, steps))


def _of_busbar(result: StudyResult, vm: FloatArray) -> FloatArray:
    """Return the voltage of each bus's busbar, shaped as `vm`."""
    grid = result.network.grid
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


def _uses(
    result: StudyResult, strategy: str, steps: slice
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the shares used of the lower and the upper side, and the voltage; counted steps."""
    limits = band(result)
    vm = view.values(result, "vm_pu", strategy, steps).copy()
    busbar = _of_busbar(result, vm)
    vm[~view.counted(result)[steps]] = np.nan
    vm[:, ~view.network_buses(result)] = np.nan
    away = vm - busbar
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


_AT_ONCE = 4_000_000
"""Voltages looked at together: a year of a large network is read part by part."""


def _find_sides(result: StudyResult, strategy: str) -> _Sides:
    total = result.dataset.sizes["time"]
    width = max(int(np.prod(view.values(result, "vm_pu", strategy, slice(0, 1)).shape)), 1)
    block = max(_AT_ONCE // width, 1)
    best: list[tuple[float, tuple[int, ...]] | None] = [None, None]
    extreme: list[tuple[float, tuple[int, ...]] | None] = [None, None]
    steps_beyond = [0, 0]
    for first in range(0, total, block):
        low, high, vm = _uses(result, strategy, slice(first, first + block))
        for side, (use, instead) in enumerate(((low, -vm), (high, vm))):
            best[side] = _higher(best[side], use, first)
            extreme[side] = _higher(extreme[side], instead, first)
            steps_beyond[side] += int((use > 1.0).reshape(len(use), -1).any(axis=1).sum())
    hours = [count * view.step_h(result) for count in steps_beyond]
    found = [best[side] or extreme[side] for side in (0, 1)]
    low_at, high_at = found
    if low_at is None or high_at is None:
        return _Sides(None, None, *hours)
    uses = [one[0] if (one := best[side]) else float("nan") for side in (0, 1)]
    return _Sides(
        _departure(result, strategy, low_at[1], uses[0], lower=True),
        _departure(result, strategy, high_at[1], uses[1], lower=False),
        *hours,
    )


def _higher(
    before: tuple[float, tuple[int, ...]] | None, values: FloatArray, first: int
) -> tuple[float, tuple[int, ...]] | None:
    """Return the higher of what was found before and in a part, with step, bus and phase."""
    if not np.isfinite(values).any():
        return before
    place = np.unravel_index(np.nanargmax(values), values.shape)
    value = float(values[place])
    if before is not None and before[0] >= value:
        return before
    step, *rest = (int(k) for k in place)
    return value, (step + first, *rest)


def _departure(
    result: StudyResult, strategy: str, at: tuple[int, ...], use: float, *, lower: bool
) -> Departure:
    step, *rest = at
    vm = view.values(result, "vm_pu", strategy, slice(step, step + 1))
    busbar = float(_of_busbar(result, vm)[(0, *rest)])
    bounds = band(result).bounds(busbar)
    return Departure(
        rest[0], step, float(vm[(0, *rest)]), busbar, bounds[0 if lower else 1], use,
        rest[1] if len(rest) > 1 else -1,
    )  # fmt: skip


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
        Values (time, bus), each phase a step of its own, NaN where not counted; the band in the same measure (``low`` and
        ``high`` only); and the words for a scale.
    """
    limits = band(result)
    vm = view.counted_values(result, "vm_pu", strategy)
    if not limits.relative:
        return _phases_as_steps(vm), limits, "voltage furthest from nominal [pu]"
    away = (vm - busbar_voltage(result, strategy)) * 100
    nothing = float("nan")
    percent = Band(-limits.drop * 100, limits.rise * 100, nothing, nothing)
    return _phases_as_steps(away), percent, "voltage furthest from its busbar's [%]"


def _phases_as_steps(values: FloatArray) -> FloatArray:
    """Return (time x phase, bus) of (time, bus, phase): a map asks for extremes only."""
    if values.ndim == 2:
        return values
    return np.ascontiguousarray(values.transpose(0, 2, 1)).reshape(-1, values.shape[1])
