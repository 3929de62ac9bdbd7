"""Which strategy the report recommends, which it warns of, and what binds first.

The rule: of the controlled strategies that leave no EV-caused violation, the one with the best
service, then the least cost. One that needs perfect foresight is an upper bound and is named only
where no other clears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import NO_EV, UNCONTROLLED, is_number, number
from gridimpact.report.violations import severity, worst_of_cars
from gridimpact.report.voltage import departure_words, worst_departure


@dataclass(frozen=True, slots=True)
class Choice:
    """What the figures say to do.

    Attributes
    ----------
    needed : bool
        Uncontrolled charging leaves EV-caused violations.
    recommended : str or None
        Strategy by the rule; None where no controlled strategy was run.
    clears : bool
        It leaves no EV-caused violation.
    upper_bound : bool
        It needs perfect foresight.
    avoid : str or None
        The strategy with the worst effect, where it has one.
    """

    needed: bool
    recommended: str | None
    clears: bool
    upper_bound: bool
    avoid: str | None


def ev_violations(result: StudyResult, strategy: str) -> float:
    """Return the violations EVs cause or aggravate."""
    parts = [
        view.figure(result, strategy, f"violations_{kind}") for kind in ("ev_caused", "aggravated")
    ]
    known = [part for part in parts if is_number(part)]
    return sum(known) if known else float("nan")


def is_upper_bound(result: StudyResult, strategy: str) -> bool:
    """Return whether a strategy needs perfect foresight."""
    return "perfect" in view.foresight(result, strategy).lower()


def cost_per_car(result: StudyResult, strategy: str) -> float:
    """Return the energy bill and wear per car [EUR] in the assessed time."""
    bill = view.figure(result, strategy, "ev_cost_per_car_eur")
    return bill + float(np.nan_to_num(view.figure(result, strategy, "wear_cost_per_car_eur")))


def _rank(result: StudyResult, strategy: str) -> tuple[float, ...]:
    """Return a key that sorts the best first: service to 0.1 % and 1 kWh, then cost."""

    def known(value: float, digits: int) -> float:
        return round(value, digits) if is_number(value) else float("inf")

    return (
        known(view.figure(result, strategy, "departures_below_target_percent"), 1),
        known(view.figure(result, strategy, "unmet_kwh"), 0),
        known(cost_per_car(result, strategy), 2),
    )


def choose(result: StudyResult) -> Choice:
    """Apply the rule to a result."""
    labels = view.strategies(result)
    controlled = [label for label in labels if label not in (NO_EV, UNCONTROLLED)]
    needed = UNCONTROLLED in labels and ev_violations(result, UNCONTROLLED) > 0
    clearing = [label for label in controlled if ev_violations(result, label) == 0]
    causal = [label for label in clearing if not is_upper_bound(result, label)]
    pool = causal or clearing
    if pool:
        best: str | None = min(pool, key=lambda label: _rank(result, label))
    else:
        best = min(
            controlled,
            key=lambda label: (
                np.nan_to_num(ev_violations(result, label), nan=np.inf),
                *_rank(result, label),
            ),
            default=None,
        )
    return Choice(
        needed=bool(needed),
        recommended=best,
        clears=bool(clearing),
        upper_bound=best is not None and is_upper_bound(result, best),
        avoid=_avoid(result, [label for label in labels if label not in (NO_EV, best)]),
    )


def compared(result: StudyResult) -> list[str]:
    """Return uncontrolled and recommended, as far as they were run; else the first strategy."""
    labels = view.strategies(result)
    wanted = (UNCONTROLLED, choose(result).recommended)
    found = [label for label in wanted if label is not None and label in labels]
    return found or labels[:1]


def _avoid(result: StudyResult, labels: list[str]) -> str | None:
    """Return the strategy whose cars go furthest beyond a limit, if any do."""
    guilty = [label for label in labels if ev_violations(result, label) > 0]
    if not guilty:
        return None
    # Of equals, uncontrolled comes first in the list and is the one named.
    return max(guilty, key=lambda label: round(_use(result, label), 3))


def _use(result: StudyResult, strategy: str) -> float:
    # Only what cars cause or aggravate speaks against a strategy.
    found = worst_of_cars(result, strategy)
    return severity(found) if found else 0.0


@dataclass(frozen=True, slots=True)
class Binding:
    """The element nearest to, or furthest beyond, its limit."""

    kind: str
    position: int
    name: str
    use: float
    """Share of the limit used, 1 at the limit; for voltage, of the band from nominal to the limit."""
    words: str
    """Value and limit in words."""


_CHECKS = (
    ("transformer", "transformer_loading_percent", "transformer_loading_max_percent"),
    ("line", "line_loading_percent", "line_loading_max_percent"),
)


def binding(result: StudyResult, strategy: str) -> Binding | None:
    """Return what binds first under a strategy, or None where nothing was assessed."""
    found = []
    for kind, variable, metric in _CHECKS:
        bound = view.limit(result, metric)
        worst = view.worst(result, variable, strategy)
        if worst is None or not is_number(bound):
            continue
        name = view.element_names(result, kind)[worst.position]
        words = f"{number(worst.value, '%')} %, limit {bound:g} %"
        found.append(Binding(kind, worst.position, name, worst.value / bound, words))
    bus = worst_departure(result, strategy)
    if bus is not None and is_number(bus.use):
        name = view.element_names(result, "bus")[bus.position] + view.phase_words(bus.phase)
        found.append(Binding("bus", bus.position, name, bus.use, departure_words(result, bus)))
    return max(found, key=lambda item: item.use, default=None)
