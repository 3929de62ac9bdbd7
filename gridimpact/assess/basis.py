"""How many steps each figure rests on, and how many of them failed.

Figures of the power flow leave failed steps out; temperatures are carried across them by the power
injected; what cars and meters do follows from the plan and needs no power flow.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gridimpact.conventions import METRICS

FLOW, HEAT, PLAN, OWN, COUNT = "power flow", "temperatures", "plan", "switching", "count"
COLUMNS = ["figure", "value", "rests_on", "steps_known", "steps_failed", "steps_counted", "words"]
_HEAT = (
    "top_oil_max_c",
    "hot_spot_max_c",
    "hot_spot_hours_over_limit",
    "ageing_equivalent",
    "loss_of_life_percent",
)
_FLOW = (
    "transformer_loading_max_percent",
    "transformer_hours_over_80",
    "transformer_hours_over_100",
    "transformer_hours_over_120",
    "line_loading_max_percent",
    "line_hours_over_100",
    "vm_min_pu",
    "vm_max_pu",
    "voltage_hours_outside",
    "voltage_buses_outside",
    "unbalance_max_percent",
    "neutral_current_max_a",
    "losses_kwh",
    "energy_import_kwh",
    "energy_export_kwh",
    "violations",
    "violations_ev_caused",
    "violations_aggravated",
    "violations_relieved",
)
_COUNT = ("cars", "cars_controlled", "hours_assessed", "lines_unrated", "lanes", "lanes_failed")


def rests_on(metric: str) -> str:
    """Return what a figure rests on.

    Examples
    --------
    >>> rests_on("vm_min_pu"), rests_on("unmet_kwh")
    ('power flow', 'plan')
    """
    if metric in _FLOW:
        return FLOW
    if metric in _HEAT:
        return HEAT
    if metric == "voltage_step_max_percent":
        return OWN
    return COUNT if metric in _COUNT else PLAN


def basis_table(
    summary: Mapping[str, float | None], before: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return, for every figure of the summary, how many of the counted steps it rests on.

    Parameters
    ----------
    summary : mapping
        Figures by names of METRICS.
    before : pandas.DataFrame, optional
        Basis of the figures told so far; what rests on something of its own is kept from it.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; `steps_known` and `steps_failed` add up to `steps_counted`, except for
        temperatures, which know every step.
    """
    lanes, failed = (int(summary.get(name) or 0) for name in ("lanes", "lanes_failed"))
    rows = []
    for metric in METRICS:
        value, kind = summary.get(metric), rests_on(metric)
        if value is None or kind in (COUNT, OWN):
            continue
        lost = failed if kind in (FLOW, HEAT) else 0
        known = lanes - failed if kind == FLOW else lanes
        rows.append((metric, value, kind, known, lost, lanes, words(kind, lost, lanes)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    if before is None or not (before["rests_on"] == OWN).any():
        return table
    return pd.concat([table, before[before["rests_on"] == OWN]], ignore_index=True)


def words(kind: str, failed: int, lanes: int) -> str:
    """Return how many steps failed, and what became of them.

    Examples
    --------
    >>> words(FLOW, 3, 96)
    '3 of 96 steps failed'
    >>> words(HEAT, 3, 96)
    'carried across 3 of 96 steps that failed'
    >>> words(FLOW, 0, 96)
    'all 96 steps'
    """
    if not failed:
        return f"all {lanes} steps"
    share = f"{failed} of {lanes} steps"
    return f"carried across {share} that failed" if kind == HEAT else f"{share} failed"
