"""One day or one week of the timeline by draw, so that the weather of the year is among what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.errors import InputError
from gridimpact.fleet.seeding import generator
from gridimpact.timeline import Timeline

RANDOM_DAYS = {"random_day": 1, "random_week": 7}
"""Days counted in each draw, by the word that asks for them."""


def choices_of_days(timeline: Timeline, kind: str) -> tuple[str, ...]:
    """Return every day, or every week from Monday to Sunday, that a draw may take.

    Parameters
    ----------
    timeline : Timeline
        Of the study.
    kind : str
        "random_day" or "random_week".

    Returns
    -------
    tuple of str
        Local dates, or ranges of dates, as `gridimpact.study.segments.choose_segments` reads them. All lie whole
        inside the timeline, and with a day before and after that no result counts, where any such day or week
        is left.

    Raises
    ------
    InputError
        If the timeline holds none.
    """
    length = RANDOM_DAYS[kind]
    whole, first_date = _whole_days(timeline), timeline.local[0].tz_localize(None).normalize()
    days = pd.DatetimeIndex(first_date + pd.to_timedelta(np.arange(len(whole)), unit="D"))
    first = [
        d
        for d in range(len(whole) - length + 1)
        if whole[d : d + length].all() and (length == 1 or days[d].dayofweek == 0)
    ]
    if not first:
        message = (
            f"days {kind!r}: the timeline {timeline} holds no whole {'day' if length == 1 else 'week'} "
            f"{'' if length == 1 else 'from Monday to Sunday '}; give a longer timeline or name days"
        )
        raise InputError(message)
    settled = [d for d in first if d > 0 and d + length < len(whole)]
    chosen = settled or first
    dates = [(days[d].date(), days[d + length - 1].date()) for d in chosen]
    return tuple(str(a) if a == b else f"{a}/{b}" for a, b in dates)


def day_of_draw(choices: tuple[str, ...], seed: int, draw: int) -> str:
    """Return the choice of a draw, all equally likely."""
    return choices[int(generator(seed, "days", draw).random() * len(choices))]


def _whole_days(timeline: Timeline) -> np.ndarray:
    """Return which local days the timeline covers from midnight to midnight, (day,)."""
    whole = np.ones(int(timeline.local_day[-1]) + 1, dtype=np.bool_)
    whole[0] = timeline.local[0] == timeline.local[0].normalize()
    after = timeline.local[-1] + pd.Timedelta(seconds=timeline.step_s)
    whole[-1] &= after == after.normalize()
    return whole
