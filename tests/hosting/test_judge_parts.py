"""Means and weeks followed for many scenarios are those a study follows, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gridimpact as gi
from gridimpact.assess import Chunk
from gridimpact.assess.limits import EN_50160
from gridimpact.assess.moving import MovingMean
from gridimpact.assess.weeks import WeekBand
from gridimpact.conventions import Status
from gridimpact.hosting.judge_parts import HighestPart, MeansPart, WeeksPart
from gridimpact.hosting.readings import places_of
from tests.assess.case import flow as quiet_flow
from tests.assess.case import street

ALL = slice(None)


def chunk_of(timeline, counted, status, first=0, number=0):
    flow = quiet_flow(status.shape[1], scenarios=len(status), status=status)
    return Chunk(number, timeline, counted, first, flow)


@given(st.integers(0, 9_999), st.sampled_from([0.1, 0.4, 2.0, 3.0]), st.integers(1, 299))
@settings(max_examples=8, derandomize=True, deadline=None)
def test_means_and_the_hours_over_them_have_the_bits_of_a_study(seed, hours, cut):
    rng = np.random.default_rng(seed)
    line = gi.Timeline.days("2016-01-11", 3, step="10min", zone="UTC").part(0, 300)
    part = MeansPart(2, np.array([True, False, True, True]), hours, 55.0)
    study = MovingMean("mean", hours, 55.0)
    for number in range(2):
        counted = rng.random(300) > 0.01
        status = np.where(rng.random((2, 300)) < 0.03, Status.NOT_CONVERGED, Status.OK)
        values = rng.uniform(0, 100, (2, 300, 4))
        values[:, rng.random(300) < 0.02, 2] = np.nan
        part.begin(line)
        for first, last in ((0, cut), (cut, 300)):
            own = chunk_of(line, counted, status[:, first:last].astype(np.int8), first, number)
            piece, usable = values[:, first:last], own.usable
            marks = np.broadcast_to(own.counted, usable.shape)
            part.take(piece, usable, marks, first, ALL)
            rated = np.array([True, False, True, True])
            study.update(own, np.where(usable[:, :, None] & rated, piece, np.nan))
    found = study.finish()
    assert np.array_equal(part.value, found.worst_percent, equal_nan=True)
    beyond, runs = part.beyond(1.0 / 6.0), found.runs
    steps = np.zeros((2, 4))
    np.add.at(
        steps,
        (runs["scenario"].astype(int), runs["element"].astype(int)),
        runs["end"] - runs["start"],
    )
    assert np.array_equal(beyond.hours, steps * (1.0 / 6.0))
    assert np.array_equal(beyond.violated, steps > 0)
    deepest = np.zeros((2, 4))
    np.maximum.at(
        deepest, (runs["scenario"].astype(int), runs["element"].astype(int)), runs["excess"]
    )
    assert np.array_equal(beyond.depth, deepest)


@given(st.integers(0, 9_999), st.sampled_from(["5min", "10min", "1h"]), st.sampled_from([1, 3]))
@settings(max_examples=6, derandomize=True, deadline=None)
def test_whole_weeks_have_the_shares_of_a_study(seed, step, phases):
    rng = np.random.default_rng(seed)
    line = gi.Timeline.days("2016-01-11", 16, step=step, zone="UTC")
    counted = np.ones(line.count, dtype=bool)
    counted[: line.steps_per_day] = False
    share = 0.9
    profile = dataclasses.replace(EN_50160, week_min_pu=0.95, week_max_pu=1.05, week_share=share)
    study = WeekBand(profile, 0.95, 1.05, np.ones(2, dtype=bool))
    part = WeeksPart(2, np.ones(2, dtype=bool), 2 * phases, (0.95, 1.05, share), margins=True)
    part.begin(line, counted)
    spread = rng.uniform(0.015, 0.035, (2, 1, 2, phases))
    volts = 1.0 + spread * rng.standard_normal((2, line.count, 2, phases))
    volts = volts[..., 0] if phases == 1 else volts
    status = np.where(rng.random((2, line.count)) < 0.05, Status.NOT_CONVERGED, Status.OK)
    edges = np.sort(rng.integers(1, line.count, 3))
    for first, last in zip([0, *edges], [*edges, line.count], strict=True):
        if last == first:
            continue
        own = chunk_of(line, counted, status[:, first:last].astype(np.int8), int(first))
        piece, usable = volts[:, first:last], own.usable
        part.take(piece, usable, int(first), ALL)
        mask = usable.reshape(*usable.shape, *[1] * (piece.ndim - 2))
        study.update(own, np.where(mask, piece, np.nan))
    part.end()
    found = study.finish().share
    broken = found < share
    assert len(found) == 2
    beyond = part.beyond()
    assert np.array_equal(beyond.hours, 168.0 * broken.sum(axis=0))
    depth = np.where(broken, np.abs(100.0 * found - 100.0 * share), 0.0).max(axis=0)
    assert np.array_equal(beyond.depth, depth)
    assert np.array_equal(part.margin < 0.0, broken.any(axis=0))


def test_the_highest_value_is_over_a_limit_only_beyond_its_leeway():
    part = HighestPart(1, np.array([True, True, False]), 10.0, 0.5)
    values = np.array([[[10.4, 10.6, 99.0], [np.nan, 12.0, 99.0], [10.2, 50.0, 99.0]]])
    part.take(values, np.array([[True, True, False]]))
    beyond = part.beyond(0.25)
    assert part.value[0, :2].tolist() == [10.4, 12.0]
    assert np.isnan(part.value[0, 2])
    assert beyond.hours.tolist() == [[0.0, 0.5, 0.0]]
    assert beyond.depth.tolist() == [[0.0, 2.0, 0.0]]


def test_a_line_belongs_to_the_feeder_of_its_far_end():
    grid = street()
    found = places_of(grid, np.ones(5, dtype=bool), np.array([2, 3, 4, 4]))
    assert found.feeders.tolist() == [0, 1, 2]
    assert found.line_feeder.tolist() == [1, 1, 2]
    assert found.site_feeder.tolist() == [1, 1, 2, 2]
    turned = dataclasses.replace(grid, line_from=grid.line_to, line_to=grid.line_from)
    assert places_of(turned, np.ones(5, dtype=bool), np.array([2])).line_feeder.tolist() == [
        1,
        1,
        2,
    ]
    tie = dataclasses.replace(grid, line_from=np.array([1, 2, 4]), line_to=np.array([2, 3, 3]))
    assert places_of(tie, np.ones(5, dtype=bool), np.array([2])).line_feeder.tolist() == [1, 1, 1]
