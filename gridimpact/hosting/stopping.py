"""When enough draws are solved: looks planned beforehand, each at a confidence corrected for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.errors import InputError
from gridimpact.hosting.draw_capacity import (
    ALL,
    DrawCapacities,
    draw_capacities,
    limit_mask,
    rows_under,
)
from gridimpact.hosting.intervals import quantile_ranks, risk_rank
from gridimpact.records import ScanSettings

_GROWTH = 1.5
_LEAST_GROWTH = 1.2
_UNIT = 50


@dataclass(frozen=True)
class AtRisk:
    """Capacity at risk of one strategy under one limit."""

    draws: int
    value: float
    """Highest number of cars at which at most the risk's share of draws has failed; NaN without draws."""
    reached: bool
    """False where it is the highest number scanned or more."""
    low: float
    high: float
    """Interval of the value the network truly has; NaN where `high` was not reached."""
    width: float
    """Of the interval as far as more draws can narrow it, 0 where it is settled that the capacity lies at or
    beyond the highest number scanned; inf where `high` was not reached."""


def at_risk(found: DrawCapacities, risk: float, confidence: float) -> AtRisk:
    """Return the capacity at risk with its distribution-free interval.

    Parameters
    ----------
    found : DrawCapacities
        What each draw hosts, C.
    risk : float
        Share eps of draws that may fail.
    confidence : float
        Least probability that the interval holds the true value, at one look at the draws.

    Returns
    -------
    AtRisk
        The order statistic of C of rank ``floor(eps N) + 1`` (`risk_rank`), and those of `quantile_ranks` as
        interval of ``sup{n : P(C < n) <= eps}``. The low end is 0, no added cars, where too few draws speak.

    Notes
    -----
    Where a draw was not refined, its capacity is known to lie between `hosted` and `ceiling`: value and low
    end take the one, the high end the other, so the interval holds the true capacity at either resolution.
    A draw that never fails counts at the highest number scanned; an end that falls on one is not reached.
    """
    count = len(found.draw)
    if not count:
        return AtRisk(0, np.nan, False, np.nan, np.nan, np.inf)
    hosted, ceiling = np.sort(found.hosted), np.sort(found.ceiling)
    low_rank, high_rank = quantile_ranks(count, risk, confidence)
    rank = risk_rank(count, risk)
    low = float(hosted[low_rank - 1]) if low_rank else 0.0
    high = float(ceiling[high_rank - 1]) if high_rank <= count else np.inf
    settled = low_rank > 0 and bool(np.isinf(ceiling[low_rank - 1]))
    width = float(hosted[high_rank - 1]) - low if np.isfinite(high) else np.inf
    return AtRisk(
        draws=count,
        value=float(hosted[rank - 1]),
        reached=bool(np.isfinite(ceiling[rank - 1])),
        low=low,
        high=high if np.isfinite(high) else np.nan,
        width=0.0 if settled else width,
    )


def planned_looks(draws: tuple[int, int]) -> tuple[int, ...]:
    """Return the numbers of draws at which the scan asks whether it has enough.

    They grow by about one half, rounded to 50 from a hundred on, so that a scan that needs N draws solves
    few more, and the correction for looking often stays small. A last step below a fifth is left out.

    Raises
    ------
    InputError
        If not ``1 <= least <= most``.

    Examples
    --------
    >>> planned_looks((200, 1000)), planned_looks((4, 9)), planned_looks((300, 300))
    ((200, 300, 450, 700, 1000), (4, 6, 9), (300,))
    """
    least, most = draws
    if not 1 <= least <= most:
        message = f"draws: is {draws}, must be (least, most) with 1 <= least <= most"
        raise InputError(message)
    looks = [least]
    while looks[-1] < most:
        wanted = _GROWTH * looks[-1]
        unit = _UNIT if wanted >= 2 * _UNIT else 1
        following = max(looks[-1] + 1, unit * round(wanted / unit))
        looks.append(most if most < _LEAST_GROWTH * following else following)
    return tuple(looks)


def look_confidence(settings: ScanSettings) -> float:
    """Return the confidence of the interval at each look.

    With J planned looks and each interval wrong with probability at most ``(1 - confidence) / J``, all of
    them together are wrong with at most ``1 - confidence`` (Bonferroni). So the interval is valid at whatever
    look the scan stops, however the stop was chosen.
    """
    return 1.0 - (1.0 - settings.confidence) / len(planned_looks(settings.draws))


def strategy_at_risk(rows: NDArray[Any], settings: ScanSettings, label: str) -> AtRisk:
    """Return the capacity at risk of one solved row under all counted limits together."""
    found = draw_capacities(rows_under(rows, settings, label), limit_mask(ALL, settings))
    return at_risk(found, settings.risk, look_confidence(settings))


def enough(rows: NDArray[Any], settings: ScanSettings, look: int) -> bool:
    """Return whether the scan may stop at a look.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of at least draws ``0 .. planned_looks(settings.draws)[look] - 1``, failed draws left out;
        those of later draws are not looked at, so the answer does not depend on what else is solved.
    settings : ScanSettings
    look : int
        Position in `planned_looks`, from 0.

    Returns
    -------
    bool
        Whether the interval of every managed strategy is at most `precision_cars` wide, or its low end
        says that the capacity is not reached by the numbers scanned. Always at the last look.

    Raises
    ------
    InputError
        If there is no such look.
    """
    looks = planned_looks(settings.draws)
    if not 0 <= look < len(looks):
        message = f"look: is {look}, must be 0..{len(looks) - 1}"
        raise InputError(message)
    if look == len(looks) - 1:
        return True
    seen = rows[rows["draw"] < looks[look]]
    labels = sorted(set(settings.managed.values()))
    return all(
        strategy_at_risk(seen, settings, label).width <= settings.precision_cars for label in labels
    )
