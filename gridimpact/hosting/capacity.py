"""How many cars the network hosts: three numbers for each strategy and limit, with what binds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.hosting.binding import binding_table, most_binding
from gridimpact.hosting.cautions import scan_notes
from gridimpact.hosting.draw_capacity import (
    ALL,
    assessed_kinds,
    draw_capacities,
    first_failures,
    limit_mask,
    rows_under,
)
from gridimpact.hosting.named_elements import ElementAxis, element_axes
from gridimpact.hosting.pairs import pairs_table
from gridimpact.hosting.risk import feeder_table, risk_table
from gridimpact.hosting.scenario_frame import scenario_frame
from gridimpact.hosting.stopping import at_risk, enough, look_confidence, planned_looks
from gridimpact.records import CAPACITY_COLUMNS, Network, ScanSettings

__all__ = [
    "binding_table",
    "capacity_table",
    "enough",
    "feeder_table",
    "look_confidence",
    "pairs_table",
    "planned_looks",
    "risk_table",
    "scan_notes",
    "scenario_frame",
]


def capacity_table(
    rows: NDArray[Any], settings: ScanSettings, network: Network, draws_failed: int = 0
) -> pd.DataFrame:
    """Return the three capacities of every strategy, managed and firm, under all limits and each alone.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of all draws solved, in any order; draws that failed left out.
    settings : ScanSettings
        `managed` and `firm` name the solved row of each strategy.
    network : Network
        Names the elements that bind.
    draws_failed : int
        Draws that could not be solved, told in the table.

    Returns
    -------
    DataFrame
        `CAPACITY_COLUMNS`: one row by strategy, control and limit ("all", then each assessed kind alone, on
        the numbers of cars that were evaluated; where the scan does not refine, a capacity is known to the
        levels around it, and its interval says so).
        ``first_violation`` and ``last_passing`` are NaN where no draw fails. ``at_risk`` is then, as wherever
        `reached` is False, the highest number scanned: "not reached up to". ``high`` is NaN where it was not
        reached. Intervals hold at `look_confidence`.
    """
    axes = element_axes(network)
    limits = (ALL, *assessed_kinds(rows, settings))
    table = [
        (
            strategy,
            control,
            limit,
            *_numbers(rows_under(rows, settings, label), limit, settings, axes),
        )
        for control, solved in (("managed", settings.managed), ("firm", settings.firm))
        for strategy, label in solved.items()
        for limit in limits
    ]
    frame = pd.DataFrame(table, columns=[c for c in CAPACITY_COLUMNS if c != "draws_failed"])
    return frame.assign(draws_failed=draws_failed)[list(CAPACITY_COLUMNS)]


def _numbers(
    rows: NDArray[Any], limit: str, settings: ScanSettings, axes: dict[str, ElementAxis]
) -> tuple[Any, ...]:
    """Return the columns of one strategy and limit from `first_violation` on, `draws_failed` left out."""
    mask = limit_mask(limit, settings)
    found = draw_capacities(rows, mask)
    risk = at_risk(found, settings.risk, look_confidence(settings))
    fails = bool((~found.beyond).any())
    kinds = assessed_kinds(rows, settings) if limit == ALL else (limit,)
    binding = most_binding(first_failures(rows, mask), kinds, axes)
    return (
        float(found.first_failing.min()) if fails else np.nan,
        risk.value,
        risk.low,
        risk.high,
        risk.reached,
        float(found.hosted.max()) if fails else np.nan,
        risk.draws,
        int(found.reversed.sum()),
        binding.limit,
        binding.percent,
        binding.element,
    )
