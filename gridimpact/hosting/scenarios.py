"""One strategy at one number of cars, and how many of these are solved side by side."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from gridimpact.dispatch.strategy import Strategy
from gridimpact.hosting.draws import Draw, spec_with
from gridimpact.study.spec import StudySpec
from gridimpact.study.volt_var import with_curve_of

VALUES_AT_ONCE = 4_000_000
"""Voltages, or powers of elements, of all steps of a segment that stand in memory at once."""


@dataclass(frozen=True, order=True)
class Scenario:
    """A strategy at a number of private cars, in one draw.

    Attributes
    ----------
    strategy : int
        Position in the scan's rows.
    cars : int
    refined : bool
        Whether it was added between two levels.
    """

    strategy: int
    cars: int
    refined: bool = False


def layout_of(draw: Draw, strategy: Strategy, scenario: Scenario) -> tuple[Hashable, StudySpec]:
    """Return the study whose elements a scenario is solved with, and a key by which others share it.

    Notes
    -----
    Chargers of absent cars draw nothing and change nothing, so all scenarios share the elements of the most
    cars. Where chargers answer to voltage they do so without a car as well, so each number of cars has its own.
    """
    spec = with_curve_of(draw.spec, strategy)
    if "chargers" not in spec.volt_var:
        return "", draw.spec
    own = with_curve_of(spec_with(draw, scenario.cars), strategy)
    return (repr(spec.volt_var["chargers"]), scenario.cars), own


def batches(
    scenarios: Iterable[Scenario], keys: Sequence[Hashable], values_each: int
) -> Iterator[tuple[Hashable, tuple[Scenario, ...]]]:
    """Yield scenarios that share a layout, as many at once as memory allows, in their order.

    Parameters
    ----------
    scenarios : iterable of Scenario
    keys : sequence
        Layout of each.
    values_each : int
        Values of one array of one scenario.
    """
    most = max(VALUES_AT_ONCE // max(values_each, 1), 1)
    pairs = sorted(zip(keys, scenarios, strict=True), key=lambda pair: (repr(pair[0]), pair[1]))
    for key, group in groupby(pairs, key=lambda pair: pair[0]):
        alike = [scenario for _, scenario in group]
        for first in range(0, len(alike), most):
            yield key, tuple(alike[first : first + most])


def at_levels(strategies: int, cars: Sequence[int]) -> tuple[Scenario, ...]:
    """Return every strategy at every number of cars."""
    return tuple(Scenario(s, int(c)) for s in range(strategies) for c in cars)


def refined(strategy: int, cars: int) -> Scenario:
    """Return a scenario between two levels."""
    return replace(Scenario(strategy, cars), refined=True)
