"""What is violated before any car is added."""

from __future__ import annotations

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import FlowNotConverged
from gridimpact.hosting.evaluate import bench_of
from gridimpact.hosting.readings import KINDS, Readings
from gridimpact.records import BoolArray, ScanSettings
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


def without_cars(
    spec: StudySpec,
    settings: ScanSettings,
    strategies: tuple[Strategy, ...],
    segments: tuple[Segment, ...],
) -> dict[str, int]:
    """Return the number of elements violated without added cars, by kind of limit.

    Raises
    ------
    FlowNotConverged
        If no power flow at all has a solution.
    """
    found = bench_of(spec, settings, strategies).without_cars(segments)
    counted = sum(int(segment.counted.sum()) for segment in segments)
    if counted and int(found.failed_lanes[0]) >= counted:
        message = (
            f"none of {counted} power flows without added cars has a solution: the network cannot carry its own "
            "load; check the unit of the profiles and the ratings of the network"
        )
        raise FlowNotConverged(message)
    return violated_elements(found)


def violated_elements(found: Readings) -> dict[str, int]:
    """Return how many elements of one scenario are beyond each kind of limit, each element once."""
    by_axis: dict[tuple[str, str], BoolArray] = {}
    for name, beyond in found.beyond.items():
        place = (KINDS[name].limit, KINDS[name].axis)
        own = beyond.violated[0]
        by_axis[place] = by_axis[place] | own if place in by_axis else own
    counts: dict[str, int] = {}
    for (limit, _), violated in by_axis.items():
        counts[limit] = counts.get(limit, 0) + int(violated.sum())
    return counts
