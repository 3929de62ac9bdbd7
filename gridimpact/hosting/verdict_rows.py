"""Readings beside those without cars: which limits are broken and count, by scenario and by feeder."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.assess.violations import TOLERANCE_H
from gridimpact.errors import InputError
from gridimpact.hosting.readings import KINDS, Beyond, Readings, Service
from gridimpact.records import (
    FEEDER_DTYPE,
    LIMIT_BIT,
    PREEXISTING,
    SCENARIO_DTYPE,
    BoolArray,
    FloatArray,
    IntArray,
    ScanSettings,
)

POWER_FLOW = "power_flow"
_FIGURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "unbalance": ("unbalance_percent", "unbalance_bus"),
        "line_loading": ("line_percent", "line_mean_percent", "line"),
        "transformer_loading": (
            "transformer_percent",
            "transformer_mean_percent",
            "transformer",
        ),
        "hot_spot": ("hot_spot_c",),
        "ageing": ("ageing_equivalent",),
        "connection": ("fuse_percent", "site"),
    }
)
"""Figures of each kind of limit that are not told where nothing was held against it."""


def rows_of(
    readings: Readings, base: Readings, service: Service, settings: ScanSettings
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the verdict on every scenario and on every feeder of it.

    Parameters
    ----------
    readings : Readings
        Of scenarios with cars.
    base : Readings
        Of one scenario without cars, on the same homes and days.
    service : Service
        Of the same scenarios.
    settings : ScanSettings
        Which limits count, and what of those that were broken without cars.

    Returns
    -------
    tuple of numpy.ndarray
        (scenario,) of `SCENARIO_DTYPE` with ``draw strategy cars refined`` left zero, and (scenario, feeder) of
        `FEEDER_DTYPE`.

    Raises
    ------
    InputError
        If `base` holds more than one scenario, or `settings.preexisting` is none of `PREEXISTING`.

    Notes
    -----
    What was broken before is paired by kind of violation and element, as
    `gridimpact.assess.compare_with_base` pairs it: under "worse" a violation counts where the element kept
    this limit without cars, or now lies further beyond it, or beyond it for more than 1 h longer; under
    "ignore" only the former; under "count" always. Power flows without a solution count wherever there are more of
    them than without cars, also under "ignore" and whatever `settings.limits` names: they have no voltage that could
    pass. `broken` holds those of `settings.limits`, `broken_any` every violation there is. ``voltage_margin_pu`` is NaN where a balanced power flow cannot pass single-phase
    connections, unless it is negative; see `Readings` for its meaning under a weekly band. A three-winding
    transformer's loading speaks in ``transformer_percent`` with -1 as its place.
    Figures of a kind of limit that nothing was held against are NaN, but for ``export_percent``: so ageing
    of less than a year, unbalance without a whole week to judge its share in, fuses no profile asks about.
    Feeder 0 holds busbars, what lies above them and transformers. A power flow that counts as failed is one in
    every feeder, as none can be said to pass; service belongs to no feeder.
    """
    if base.scenarios != 1:
        message = f"the case without cars has {base.scenarios} scenarios, one is needed"
        raise InputError(message)
    counting = {
        name: counts(name, part, base.beyond.get(name), settings.preexisting)
        for name, part in readings.beyond.items()
    }
    rows = np.zeros(readings.scenarios, dtype=SCENARIO_DTYPE)
    asked = np.uint16(sum(LIMIT_BIT[name] for name in {*settings.limits, POWER_FLOW}))
    unserved = np.zeros(readings.scenarios, dtype=np.bool_)
    if settings.unmet_percent is not None:
        unserved = np.asarray(service.unmet_percent > settings.unmet_percent)
    bit = np.where(unserved, LIMIT_BIT["service"], 0).astype(np.uint16)
    rows["broken"] = (_mask(counting, readings.scenarios) | bit) & asked
    there = {name: part.violated for name, part in readings.beyond.items()}
    rows["broken_any"] = _mask(there, readings.scenarios) | bit
    _put_figures(rows, readings)
    _put_places(rows, readings, counting)
    for name in (
        "unmet_kwh",
        "unmet_percent",
        "below_target_percent",
        "charged_kwh",
        "fed_kwh",
    ):
        rows[name] = getattr(service, name)
    return rows, _feeders(readings, counting, asked)


def counts(name: str, now: Beyond, base: Beyond | None, preexisting: str) -> BoolArray:
    """Return which violations of one kind count, (scenario, element).

    Raises
    ------
    InputError
        If `preexisting` is none of `PREEXISTING`.
    """
    if preexisting not in PREEXISTING:
        message = f"preexisting is {preexisting!r}, choose one of {', '.join(PREEXISTING)}"
        raise InputError(message)
    if base is None or preexisting == "count":
        return now.violated
    if KINDS[name].limit == POWER_FLOW:
        # Steps that cars leave without a solution have no voltage that could pass: one is too many.
        return np.asarray(now.depth > base.depth)
    fresh = now.violated & ~base.violated
    if preexisting == "ignore":
        return np.asarray(fresh)
    # Rounded against noise, as a study does.
    deeper = np.round(now.depth - base.depth, 9) > KINDS[name].tolerance
    longer = np.round(now.hours - base.hours, 9) > TOLERANCE_H
    return np.asarray(fresh | (now.violated & (deeper | longer)))


def _mask(found: Mapping[str, BoolArray], scenarios: int) -> NDArray[np.uint16]:
    """Return the bits of the limits broken at any element, (scenario,)."""
    mask = np.zeros(scenarios, dtype=np.uint16)
    for name, broken in found.items():
        mask |= np.where(broken.any(axis=1), LIMIT_BIT[KINDS[name].limit], 0).astype(np.uint16)
    return mask


def highest(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the highest of (scenario, element) values and its place, NaN and -1 where none is known.

    Examples
    --------
    >>> highest(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]))
    (array([ 3., nan]), array([ 2, -1]))
    """
    if not values.shape[1]:
        return np.full(len(values), np.nan), np.full(len(values), -1)
    filled = np.where(np.isnan(values), -np.inf, values)
    place = filled.argmax(axis=1)
    value = np.take_along_axis(filled, place[:, None], axis=1)[:, 0]
    none = np.isinf(value)
    return np.where(none, np.nan, value), np.where(none, -1, place)


def _judged_margin(readings: Readings) -> FloatArray:
    """Return the distance of each bus to its bounds, NaN where it is not assessed, (scenario, bus)."""
    margin = np.where(readings.places.judged, readings.margin_pu, np.nan)
    if readings.voltage_passes:
        return margin
    return np.where(margin < 0.0, margin, np.nan)


def _put_figures(rows: NDArray[Any], readings: Readings) -> None:
    """Write the worst figures of every scenario and where they are."""
    lowest, bus = highest(-_judged_margin(readings))
    rows["voltage_margin_pu"], rows["voltage_bus"] = -lowest, bus
    places = readings.places
    seen = places.judged if places.judged.any() else places.supplied
    rows["vm_min_pu"] = -highest(-readings.vm_min_pu[:, seen])[0]
    rows["vm_max_pu"] = highest(readings.vm_max_pu[:, seen])[0]
    for name, place, values in (
        ("unbalance_percent", "unbalance_bus", readings.unbalance_percent),
        ("line_percent", "line", readings.line_percent),
        ("fuse_percent", "site", readings.fuse_percent),
        ("transformer_percent", "transformer", readings.transformer_percent),
    ):
        rows[name], rows[place] = highest(values)
    three = highest(readings.transformer3w_percent)[0]
    leads = three > np.nan_to_num(rows["transformer_percent"], nan=-np.inf)
    rows["transformer_percent"] = np.where(leads, three, rows["transformer_percent"])
    rows["transformer"] = np.where(leads, -1, rows["transformer"])
    mean = [
        highest(part)[0]
        for part in (readings.transformer_mean_percent, readings.transformer3w_mean_percent)
    ]
    rows["transformer_mean_percent"] = np.fmax(*mean)
    for name, values in (
        ("line_mean_percent", readings.line_mean_percent),
        ("hot_spot_c", readings.hot_spot_c),
        ("ageing_equivalent", readings.ageing_equivalent),
        ("export_percent", readings.export_percent),
    ):
        rows[name] = highest(values)[0]
    rows["failed_lanes"] = readings.failed_lanes
    for kind, names in _FIGURES.items():
        if kind not in readings.judged:
            for name in names:
                rows[name] = np.nan if rows[name].dtype.kind == "f" else -1


def _put_places(rows: NDArray[Any], readings: Readings, counting: Mapping[str, BoolArray]) -> None:
    """Name the worst of the elements whose violation counts: what was there before may be worse but does not bind."""
    for place, limit, values in (
        ("voltage_bus", "voltage", -_judged_margin(readings)),
        ("unbalance_bus", "unbalance", readings.unbalance_percent),
        ("line", "line_loading", readings.line_percent),
        ("site", "connection", readings.fuse_percent),
        # The last of these that is broken names the transformer.
        ("transformer", "export", readings.export_percent),
        ("transformer", "ageing", readings.ageing_equivalent),
        ("transformer", "hot_spot", readings.hot_spot_c),
        ("transformer", "transformer_loading", readings.transformer_percent),
    ):
        binds = np.zeros(values.shape, dtype=np.bool_)
        for name, broken in counting.items():
            if KINDS[name].limit == limit and KINDS[name].axis != "network":
                binds |= broken
        if values.shape[1]:
            worst = np.where(
                binds, np.nan_to_num(values, nan=np.finfo(np.float64).min), -np.inf
            ).argmax(axis=1)
            rows[place] = np.where(binds.any(axis=1), worst, rows[place])


def _feeders(
    readings: Readings, counting: Mapping[str, BoolArray], asked: np.uint16
) -> NDArray[Any]:
    """Return the verdict on every feeder, (scenario, feeder)."""
    places = readings.places
    feeders = np.zeros((readings.scenarios, len(places.feeders)), dtype=FEEDER_DTYPE)
    feeders["feeder"] = places.feeders
    for name, broken in counting.items():
        kind = KINDS[name]
        owner = places.feeder_of(kind.axis)
        if kind.limit == POWER_FLOW:
            inside = np.ones((1, len(places.feeders)), dtype=np.bool_)
        elif owner is None:
            # Three-winding transformers stand beside those that have an axis of their own.
            inside = np.broadcast_to(places.feeders == 0, (broken.shape[1], len(places.feeders)))
        else:
            inside = owner[:, None] == places.feeders
        bit = LIMIT_BIT[kind.limit]
        found = (broken[:, :, None] & inside).any(axis=1)
        feeders["broken"] |= np.where(found, bit, 0).astype(np.uint16) & asked
    margin = _judged_margin(readings)
    for k, number in enumerate(places.feeders):
        own = margin[:, places.bus_feeder == number]
        feeders["voltage_margin_pu"][:, k] = -highest(-own)[0]
        lines = readings.line_percent[:, places.line_feeder == number]
        feeders["line_percent"][:, k] = highest(lines)[0]
    return feeders
