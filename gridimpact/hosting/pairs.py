"""Strategies compared draw by draw: the same cars at the same homes, charged otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.hosting.draw_capacity import (
    ALL,
    UNCONTROLLED,
    DrawCapacities,
    draw_capacities,
    limit_mask,
    rows_under,
)
from gridimpact.hosting.intervals import mean_interval
from gridimpact.hosting.stopping import look_confidence
from gridimpact.records import ScanSettings

PAIR_COLUMNS = (
    "strategy",
    "against",
    "draws",
    "mean",
    "low",
    "high",
    "median",
    "better_percent",
    "equal_percent",
    "worse_percent",
    "both_beyond_percent",
    "at_least",
    "at_most",
)
"""Columns of `pairs_table`."""


def pairs_table(rows: NDArray[Any], settings: ScanSettings) -> pd.DataFrame:
    """Return how many more cars each solved row hosts than uncontrolled charging does in the same draw.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of all draws solved.
    settings : ScanSettings

    Returns
    -------
    DataFrame
        `PAIR_COLUMNS`, one row by solved row but the reference itself; empty where uncontrolled charging was
        not solved. Differences are of `DrawCapacities.hosted` under all counted limits together, over the
        draws solved under both. ``low`` and ``high`` hold their mean by Student's t at `look_confidence`. A draw
        that never fails counts at the highest number scanned: where only the strategy does, the difference
        is a lower bound (`at_least` counts these draws), where only the reference does, an upper one
        (`at_most`); where both do, nothing is known of their order (`both_beyond_percent`).
    """
    against = reference_label(settings)
    if against is None:
        return pd.DataFrame(columns=list(PAIR_COLUMNS))
    mask, confidence = limit_mask(ALL, settings), look_confidence(settings)
    base = draw_capacities(rows_under(rows, settings, against), mask)
    table = [
        (
            label,
            against,
            *_compared(draw_capacities(rows_under(rows, settings, label), mask), base, confidence),
        )
        for label in settings.labels
        if label != against
    ]
    return pd.DataFrame(table, columns=list(PAIR_COLUMNS))


def _compared(own: DrawCapacities, base: DrawCapacities, confidence: float) -> tuple[Any, ...]:
    """Return the columns of one row from `draws` on."""
    both, at_base, at_own = np.intersect1d(base.draw, own.draw, return_indices=True)
    more = own.hosted[at_own] - base.hosted[at_base]
    beyond, beyond_base = own.beyond[at_own], base.beyond[at_base]
    unknown = beyond & beyond_base
    shares = (more > 0, (more == 0) & ~unknown, more < 0, unknown)
    return (
        len(both),
        *mean_interval(more, confidence),
        float(np.median(more)) if len(more) else np.nan,
        *(100.0 * float(share.mean()) if len(share) else np.nan for share in shares),
        int((beyond & ~beyond_base).sum()),
        int((~beyond & beyond_base).sum()),
    )


def reference_label(settings: ScanSettings) -> str | None:
    """Return the solved row of uncontrolled charging, None where there is none."""
    label = settings.managed.get(UNCONTROLLED, UNCONTROLLED)
    return label if label in settings.labels else None
