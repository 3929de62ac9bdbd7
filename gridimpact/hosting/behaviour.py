"""Whose behaviour each car of a draw has: a car of the study's, drawn or in order, or one made anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.fleet import join_fleets, synthesize_fleet
from gridimpact.fleet.seeding import content_number, generator
from gridimpact.hosting.pool import Pool, pool_of, touching
from gridimpact.records import Ambient, Fleet, IntArray
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.timeline import Timeline

SET_BY_SCAN = ("count", "timeline", "seed", "kind", "ambient")
"""Arguments of `synthesize_fleet` that a draw sets itself."""


def cars_of_draw(pool: Pool, behaviour: str, cars: int, seed: int, draw: int) -> IntArray:
    """Return which car of the pool each car of a draw is, (car,).

    Parameters
    ----------
    behaviour : str
        "resample": drawn with replacement, all equally likely; "given": each in its order.
    cars : int
        Most cars; more cars leave the first ones as they are.
    seed, draw : int
        Of the scan, and the number of the draw.
    """
    if behaviour == "given":
        return np.arange(cars)
    # One number of the stream per car, so that the first cars are the same however many follow.
    drawn = generator(seed, "behaviour", draw).random(cars)
    return np.minimum((drawn * len(pool.car)).astype(np.int64), len(pool.car) - 1)


def synthetic_pool(
    spec: StudySpec,
    fixed: Fleet,
    behaviour: Mapping[str, Any],
    order: tuple[int, int, int],
    segments: Sequence[Segment] | None,
) -> Pool:
    """Return a pool of private cars made for one draw; car k of the draw is its car k.

    Parameters
    ----------
    spec : StudySpec
        Its air temperature goes into consumption.
    fixed : Fleet
        What stands in every scenario.
    behaviour : mapping
        Arguments of `gridimpact.fleet.synthesize_fleet`.
    order : (int, int, int)
        Cars, seed of the scan, number of the draw.
    segments : sequence of Segment or None
        Sessions are made for these only; None makes them for the whole timeline.

    Notes
    -----
    Days go by date, so that both ways give a car the same trips; whether a driver plugs in depends on the
    battery, which starts full some two weeks before the days asked for. `daily_kwh` is a mean over the
    timeline and takes all of it.
    """
    cars, seed, draw = order
    options = dict(behaviour) | {"seed": content_number(seed, "behaviour", draw) % 2**63}
    if segments is None or behaviour.get("daily_kwh") is not None:
        made = synthesize_fleet(cars, spec.timeline, ambient=spec.ambient, **options)
    else:
        windows = _windows(segments, spec.timeline)
        pieces = [
            synthesize_fleet(
                cars, spec.timeline.part(a, b - a), ambient=_cut(spec.ambient, a, b), **options
            )
            for a, b in windows
        ]
        made = dataclasses.replace(
            pieces[0], sessions=_joined(pieces, spec.timeline, windows, segments)
        )
    return pool_of(join_fleets(fixed, _renamed(made)), by_id=False)


def _renamed(made: Fleet) -> Fleet:
    """Return new cars under ids that no car of a study has."""
    cars = {name: f"new@{name}" for name in made.vehicles.index}
    plugs = {
        name: f"charger_{car}" for name, car in zip(made.chargers.index, cars.values(), strict=True)
    }
    sessions = made.sessions
    return dataclasses.replace(
        made,
        vehicles=made.vehicles.rename(index=cars),
        chargers=made.chargers.rename(index=plugs),
        sessions=sessions.assign(
            vehicle_id=sessions["vehicle_id"].map(cars),
            charger_id=sessions["charger_id"].map(plugs),
        ),
    )


def _windows(segments: Sequence[Segment], timeline: Timeline) -> list[tuple[int, int]]:
    """Return first and last step of what segments cover, joined where less than two days lie between."""
    near = 2 * timeline.steps_per_day
    found: list[tuple[int, int]] = []
    for segment in sorted(segments, key=lambda s: s.first):
        begin, end = segment.first, segment.steps.stop
        if found and begin - found[-1][1] < near:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _joined(
    pieces: Sequence[Fleet],
    timeline: Timeline,
    windows: Sequence[tuple[int, int]],
    segments: Sequence[Segment],
) -> pd.DataFrame:
    """Return the sessions of all windows; a stay that outlasts its window ends where the next begins."""
    begins = [timeline.times[a] for a, _ in windows]
    tables = []
    for number, piece in enumerate(pieces):
        table = piece.sessions
        if number + 1 < len(begins):
            ends = np.minimum(table["plug_out"].to_numpy(), begins[number + 1])
            table = table.assign(plug_out=ends.astype("datetime64[ns]"))
        inside = [s for s in segments if windows[number][0] <= s.first < windows[number][1]]
        tables.append(table[touching(table, inside)])
    return pd.concat(tables)


def _cut(ambient: Ambient | None, begin: int, end: int) -> Ambient | None:
    """Return the air temperature of a part of the timeline."""
    if ambient is None:
        return None
    return dataclasses.replace(ambient, temp_air_c=ambient.temp_air_c[begin:end])
