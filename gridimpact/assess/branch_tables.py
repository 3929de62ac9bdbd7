"""Tables of lines and transformers: loading at instants and on the mean, temperatures, life.

Columns: ``lines`` line name rated i_max_ka loading_max_percent loading_max_time loading_mean_h
loading_mean_max_percent loading_mean_max_end hours_over_80/100/120 longest_over_limit_h hours_known;
``transformers`` the same with sn_kva, temperatures, ageing and life, the hours over each limit of the
loading guide (hours_over_normal, _planned, _long_time_emergency, _short_time_emergency), free_bubble_h
with a hot spot at which free gas may form, and outside_model_h with a load beyond the range of the model,
whose temperatures are not to be trusted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gridimpact.ageing import NOT_LIMITING_BELOW, end_of_life_years, loss_of_life_percent
from gridimpact.assess.findings import Findings
from gridimpact.assess.guides import LEVELS, GuideFindings
from gridimpact.assess.loading import MARKS, LoadingFindings
from gridimpact.assess.period_events import phase_names


def lines_table(found: Findings) -> pd.DataFrame:
    """Return one row per line; unrated ones have no figures."""
    grid = found.context.grid
    head = {
        "line": grid.line_index,
        "name": list(grid.line_name),
        "in_service": found.lines.in_service,
        "rated": found.lines.rated,
        "i_max_ka": grid.line_i_max_ka,
    }
    table = pd.DataFrame(head | _loading_columns(found, found.lines))
    unbalance = found.unbalance
    if unbalance is None or not unbalance.neutral_a.shape[1]:
        return table
    return table.assign(
        neutral_max_a=unbalance.neutral_a[0], neutral_max_time=unbalance.neutral_time[0]
    )


def transformers_table(found: Findings) -> pd.DataFrame:
    """Return one row per transformer, with temperatures and life where they were studied."""
    grid = found.context.grid
    head: dict[str, Any] = {
        "transformer": grid.transformer_index,
        "name": list(grid.transformer_name),
        "in_service": found.transformers.in_service,
        "sn_kva": grid.transformer_sn_kva,
    }
    table = pd.DataFrame(head | _loading_columns(found, found.transformers))
    return table if found.thermal is None else table.assign(**_life_columns(found))


def transformers3w_table(found: Findings) -> dict[str, pd.DataFrame]:
    """Return the table of three-winding transformers, nothing where there are none."""
    grid, part = found.context.grid, found.transformers3w
    if not part.worst_percent.shape[1]:
        return {}
    head: dict[str, Any] = {
        "transformer3w": grid.transformer3w_index,
        "name": list(grid.transformer3w_name),
        "in_service": part.in_service,
    }
    return {"transformers3w": pd.DataFrame(head | _loading_columns(found, part))}


def _loading_columns(found: Findings, part: LoadingFindings) -> dict[str, Any]:
    """Return the columns lines and transformers share."""
    count = len(part.rated)
    longest = np.zeros(count)
    runs = part.runs[part.runs["scenario"] == 0]
    if len(runs):
        length = (runs["end"] - runs["start"]).to_numpy(dtype=np.float64) * found.dt_h
        np.maximum.at(longest, runs["element"].to_numpy(dtype=np.int64), length)
    over = np.where(part.rated, part.steps_over[:, 0] * found.dt_h, np.nan)
    marks = {f"hours_over_{mark:g}": over[k] for k, mark in enumerate(MARKS)}
    phase = {}
    if (part.worst_phase >= 0).any():
        phase = {"loading_max_phase": phase_names(part.worst_phase[0])}
    mean: dict[str, Any] = {}
    if part.mean is not None and part.mean.worst_percent.shape[1]:
        mean = {
            "loading_mean_h": part.mean.window_h,
            "loading_mean_max_percent": part.mean.worst_percent[0],
            "loading_mean_max_end": part.mean.worst_end[0],
        }
    return {
        "loading_max_percent": part.worst_percent[0],
        "loading_max_time": part.worst_time[0],
        **phase,
        **mean,
        **marks,
        "longest_over_limit_h": np.where(part.rated, longest, np.nan),
        "hours_known": part.steps_known[0] * found.dt_h,
    }


def _life_columns(found: Findings) -> dict[str, Any]:
    """Return temperature, ageing and life of each transformer."""
    thermal, context = found.thermal, found.context
    if thermal is None:
        return {}
    equivalent = thermal.equivalent[0]
    hours = thermal.steps_known[0] * found.dt_h
    loss = loss_of_life_percent(equivalent, 1.0, life_h=context.life_h) * hours
    years = end_of_life_years(equivalent, life_h=context.life_h)
    needs_year = np.full(len(equivalent), "", dtype=object)
    needs_year[equivalent >= NOT_LIMITING_BELOW] = "limiting"
    needs_year[equivalent < NOT_LIMITING_BELOW] = "life is not limiting"
    columns: dict[str, Any] = {
        "top_oil_max_c": thermal.top_oil_c[0],
        "top_oil_max_time": thermal.top_oil_time[0],
        "hot_spot_max_c": thermal.hot_spot_c[0],
        "hot_spot_max_time": thermal.hot_spot_time[0],
        "hot_spot_hours_over_limit": thermal.steps_over[0] * found.dt_h,
        "ageing_equivalent": equivalent,
        "loss_of_life_percent": loss,
        "end_of_life_years": years if found.is_year else np.full(len(equivalent), np.nan),
        "life": needs_year if found.is_year else np.full(len(equivalent), "needs a year"),
    }
    columns |= _guide_columns(found, thermal.guide)
    for law, each in thermal.equivalent_by_law.items():
        columns[f"ageing_equivalent_{law}"] = each[0]
    if context.plate is not None:
        columns["insulation"] = list(context.plate.insulation)
        columns["insulation_known"] = context.plate.insulation_known
        columns["loss_ratio"] = context.plate.loss_ratio
    return columns


def _guide_columns(found: Findings, guide: GuideFindings) -> dict[str, Any]:
    """Return the hours over each limit of the loading guide, NaN where the guide has none."""
    hours = {
        f"hours_over_{level}": np.where(guide.given[k], guide.steps_over[k, 0] * found.dt_h, np.nan)
        for k, level in enumerate(LEVELS)
    }
    return {
        "loading_guide": list(guide.names),
        **hours,
        "free_bubble_h": guide.steps_bubble[0] * found.dt_h,
        "outside_model_h": guide.steps_outside[0] * found.dt_h,
        "outside_model": guide.steps_outside[0] > 0,
    }
