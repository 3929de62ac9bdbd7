"""Money and energy of the cars a strategy controls, told per car it controls.

The figures of the comparison are means over all cars of the study; a strategy that controls few
of them is judged by those few.
"""

from __future__ import annotations

import numpy as np

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import NO_EV, UNCONTROLLED, display_name, family, is_number, number

LITTLE_FED_BACK = 0.01
"""Share of the energy drawn below which feeding back is told as managed charging."""


def _scale(result: StudyResult, strategy: str) -> float:
    """Return cars per controlled car, NaN where none is controlled."""
    cars = view.figure(result, strategy, "cars")
    own = view.figure(result, strategy, "cars_controlled")
    return cars / own if is_number(own) and own > 0 else float("nan")


def saved_per_controlled_car(result: StudyResult, strategy: str) -> float:
    """Return what a controlled car's bill is lower than uncontrolled [EUR], NaN where unknown."""
    metric = "ev_cost_per_car_eur"
    change = view.figure(result, UNCONTROLLED, metric) - view.figure(result, strategy, metric)
    return change * _scale(result, strategy)


def wear_per_controlled_car(result: StudyResult, strategy: str) -> float:
    """Return the battery wear of a controlled car [EUR], NaN where unknown."""
    return view.figure(result, strategy, "wear_cost_per_car_eur") * _scale(result, strategy)


def money_words(result: StudyResult, strategy: str) -> str:
    """Return what a controlled car saves or pays against uncontrolled charging, and its wear."""
    saved = saved_per_controlled_car(result, strategy)
    if not is_number(saved):
        return ""
    text = f"{abs(saved):.2f} EUR per controlled car {'saved' if saved >= 0 else 'paid more'}"
    text = "no change of the bill" if abs(saved) < 0.005 else f"{text} {view.within(result)}"
    wear = wear_per_controlled_car(result, strategy)
    if not (is_number(wear) and wear >= 0.005):
        return text
    return f"{text} {'before' if saved >= 0.005 else 'and'} {wear:.2f} EUR of wear"


def money_rows(result: StudyResult) -> list[tuple[str, str]]:
    """Return name and words of every strategy whose controlled cars' money is known."""
    labels = [label for label in view.strategies(result) if label not in (NO_EV, UNCONTROLLED)]
    rows = [(display_name(label), money_words(result, label)) for label in labels]
    return [(name, words) for name, words in rows if words]


def money_notes(result: StudyResult) -> list[str]:
    """Return what the study notes of its bills."""
    return list(dict.fromkeys(n.text for n in view.all_notes(result) if n.where == "money"))


def fed_back_words(result: StudyResult, strategy: str) -> str:
    """Return the energy fed back by strategies that may; what is next to none is named as such."""
    energy = view.figure(result, strategy, "ev_discharge_kwh")
    if family(strategy) not in ("v2g", "v2h", "v2b", "mix") or not is_number(energy):
        return ""
    drawn = view.figure(result, strategy, "ev_energy_kwh") + energy
    own = drawn / _scale(result, strategy)
    amount = f"{number(energy, 'kWh')} kWh" if energy > 0 else "nothing"
    if energy <= LITTLE_FED_BACK * np.nan_to_num(own):
        return f"{'only ' if energy > 0 else ''}{amount} fed back: in effect managed charging"
    return f"{amount} fed back {view.within(result)}"
