"""The answer in one paragraph, every sentence computed from the result.

What was not run reads "not studied"; annual figures appear only where a year was assessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.choice import Choice, choose, ev_violations, is_upper_bound
from gridimpact.report.confidence import confidence_words
from gridimpact.report.findings import (
    ageing_words,
    building_words,
    effect_words,
    line_words,
    peak_words,
    plural,
    preexisting,
    sentence,
    service_words,
    thermal_words,
    transformer_words,
    violations_words,
    voltage_words,
)
from gridimpact.report.money import fed_back_words, money_words
from gridimpact.report.phases import unbalance_words, worst_phase
from gridimpact.report.style import NO_EV, UNCONTROLLED, display_name, family, is_number, number
from gridimpact.report.verdicts import voltage_reason_words, voltage_unassessed
from gridimpact.report.violations import violation_words, worst_of_cars

DISCLAIMER = "A planning study, not a connection approval."


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage of the answer: an emphasised lead, the text that follows, and how it is set.

    ``role`` is ``"main"``, ``"verdict"``, ``"verdict warn"`` or ``"minor"``.
    """

    lead: str
    text: str
    role: str = "main"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer a planner reads first: one headline, then passages."""

    headline: str
    passages: tuple[Passage, ...]

    def __str__(self) -> str:
        """Return the answer as plain text."""
        return "\n".join([self.headline, *(f"{p.lead} {p.text}".strip() for p in self.passages)])


def answer(result: StudyResult) -> Answer:
    """Return the answer to "what do the cars do, and what helps?".

    Parameters
    ----------
    result : StudyResult
        A finished study.

    Returns
    -------
    Answer
        Headline and passages: uncontrolled, recommended, voltage where it was not assessed,
        avoid, each family of strategies, capacity, the case without EVs, confidence.
    """
    if not _cars(result):
        return _without_cars(result)
    choice = choose(result)
    passages = [_uncontrolled(result), _recommended(result, choice), _voltage(result)]
    passages.append(_avoided(result, choice))
    passages += [_family(result, kind, choice) for kind in ("g2v", "v2g", "v2h", "v2b", "mix")]
    passages += [
        _capacity(),
        _without(result),
        Passage("Confidence:", f"{confidence_words(result)} {DISCLAIMER}", "minor"),
    ]
    return Answer(_headline(result, choice), tuple(p for p in passages if p is not None))


def _headline(result: StudyResult, choice: Choice | None) -> str:
    grid = result.network.grid
    homes = int((result.network.sites["kind"] == "home").sum())
    units = [f"{value:g}" for value in np.asarray(grid.transformer_sn_kva)]
    rating = f"{units[0]} kVA" if len(units) == 1 else f"{len(units)} transformers"
    cars = _cars(result)
    scope = f"{result.name}, {rating}, {plural(homes, 'home')}: {plural(cars, 'car')}"
    if choice is None:
        return f"{scope}."
    mark = "?" if choice.needed and choice.recommended else "."
    return f"{scope}{_charger_words(result)}{mark} {_verdict(result, choice)}"


def _cars(result: StudyResult) -> int:
    """Return the cars of the study, 0 where it has none."""
    counts = [view.figure(result, label, "cars") for label in view.strategies(result)]
    return int(max((count for count in counts if is_number(count)), default=0.0))


def _without_cars(result: StudyResult) -> Answer:
    """Return the answer of a study that has no cars: how the network stands."""
    passages = [Passage("No car is in the study:", "nothing is asked of charging.")]
    labels = view.strategies(result)
    if labels:
        label = NO_EV if NO_EV in labels else labels[0]
        count = view.figure(result, label, "violations")
        found = f" {sentence(plural(int(count), 'violation'))}." if is_number(count) else ""
        passages.append(Passage("The network as it is:", _state_words(result, label) + found))
    passages += [p for p in (_voltage(result),) if p is not None]
    text = f"{confidence_words(result)} {DISCLAIMER}"
    return Answer(_headline(result, None), (*passages, Passage("Confidence:", text, "minor")))


def _state_words(result: StudyResult, label: str) -> str:
    """Return transformer, heat, lines and voltage under one strategy."""
    parts = [transformer_words(result, label), thermal_words(result, label)]
    parts += [line_words(result, label), voltage_words(result, label)]
    parts.append(unbalance_words(result, label))
    return " ".join(part for part in parts if part)


def _charger_words(result: StudyResult) -> str:
    """Return the chargers' power where all are alike."""
    chargers = result.fleet.chargers
    known = chargers["p_max_kw"].astype(float) if "p_max_kw" in chargers else pd.Series(dtype=float)
    powers = set(known.dropna().round(1))
    return f" at {powers.pop():g} kW" if len(powers) == 1 else ""


def _verdict(result: StudyResult, choice: Choice) -> str:
    if UNCONTROLLED not in view.strategies(result):
        return "Uncontrolled charging was not studied."
    told = choice.recommended if choice.needed and choice.recommended else UNCONTROLLED
    open_question = "; voltage is not assessed" if voltage_unassessed(result, told) else ""
    before = preexisting(result, told) > 0
    if not choice.needed:
        keeps = "breaks no limit that holds without cars" if before else "keeps every limit"
        if open_question and not before:
            keeps += " that was assessed"
        return f"Uncontrolled charging {keeps}{open_question}."
    if choice.recommended is None:
        return "Uncontrolled charging breaks limits; no controlled charging was studied."
    if not choice.clears:
        return "Uncontrolled charging breaks limits, and no strategy studied clears them all."
    kept = " for what cars cause" if before else ""
    return f"Not uncontrolled; yes{kept} with {_called(choice.recommended)}{open_question}."


def _called(label: str) -> str:
    """Return a strategy's name as it stands inside a sentence."""
    return "a realistic mix" if label == "mix" else display_name(label)


def _uncontrolled(result: StudyResult) -> Passage:
    if UNCONTROLLED not in view.strategies(result):
        return Passage("Uncontrolled:", "not studied.")
    text = _state_words(result, UNCONTROLLED)
    if is_number(ev_violations(result, UNCONTROLLED)):
        text += f" {sentence(violations_words(result, UNCONTROLLED))}."
    return Passage("Uncontrolled:", text)


def _voltage(result: StudyResult) -> Passage | None:
    """Say plainly where voltage was not assessed; what was not assessed was not passed."""
    reason = voltage_reason_words(result)
    return Passage("Voltage not assessed:", f"{reason}.", "verdict warn") if reason else None


def _recommended(result: StudyResult, choice: Choice) -> Passage | None:
    if choice.recommended is None:
        return Passage("Recommended:", "controlled charging was not studied.")
    label = choice.recommended
    name = display_name(label)
    if not choice.needed:
        lead = f"No control is needed for the limits; best of the controlled: {name}."
    elif choice.clears:
        lead = f"Recommended: {name}."
    else:
        lead = f"Nothing studied clears every violation; nearest: {name}."
    parts = [effect_words(result, label), service_words(result, label)]
    if choice.upper_bound:
        parts.append("It needs perfect foresight: an upper bound.")
    role = "verdict" if choice.clears or not choice.needed else "verdict warn"
    return Passage(lead, " ".join(part for part in parts if part), role)


def _avoided(result: StudyResult, choice: Choice) -> Passage | None:
    if choice.avoid is None:
        return None
    label = choice.avoid
    name = display_name(label)
    found = worst_of_cars(result, label)
    parts = [violation_words(found)] if found else []
    spot = view.figure(result, label, "hot_spot_max_c")
    ageing = view.figure(result, label, "ageing_equivalent")
    if is_number(spot) and (found is None or found.get("kind") != "hot_spot"):
        parts.append(f"hot spot {number(spot, 'degC')} °C")
    if is_number(ageing) and ageing >= 0.01:
        parts.append(ageing_words(ageing))
    parts.append(violations_words(result, label))
    lead = f"Avoid {name if label != UNCONTROLLED else 'uncontrolled charging'}:"
    return Passage(lead, ", ".join(parts) + ".", "verdict warn")


_FAMILY_WORDS = {"g2v": "G2V", "v2g": "V2G", "v2h": "V2H", "v2b": "V2B", "mix": "Mix"}


def _family(result: StudyResult, kind: str, choice: Choice) -> Passage | None:
    """Say what each strategy of one kind does against uncontrolled charging."""
    labels = [label for label in view.strategies(result) if family(label) == kind]
    name = _FAMILY_WORDS[kind]
    if not labels:
        return None if kind == "mix" else Passage(f"{name}:", "not studied.", "minor")
    told = [label for label in labels if label != choice.recommended]
    if not told:
        return None
    return Passage(f"{name}:", " ".join(_against(result, label) for label in told), "minor")


def _against(result: StudyResult, label: str) -> str:
    name = display_name(label)
    for prefix in ("G2V ", "V2G ", "V2H ", "V2B "):
        name = name.removeprefix(prefix)
    cars = view.cars_controlled(result, label)
    known = [f"{cars} cars"] if cars != "-" else []
    known += ["upper bound"] if is_upper_bound(result, label) else []
    scope = sentence(name) + (f" ({', '.join(known)})" if known else "")
    parts = [peak_words(result, label)]
    parts.append(money_words(result, label))
    if family(label) in ("v2b", "mix"):
        parts.append(building_words(result, label))
    parts.append(fed_back_words(result, label))
    if is_number(ev_violations(result, label)):
        parts.append(violations_words(result, label))
    return f"{scope}: {', '.join(part for part in parts if part)}."


def _capacity() -> Passage:
    return Passage("Capacity at 5 % risk:", "not studied. Reinforcement: not studied.", "minor")


def _without(result: StudyResult) -> Passage:
    if NO_EV not in view.strategies(result):
        return Passage("Without EVs:", "not studied.")
    count = view.figure(result, NO_EV, "violations")
    if not is_number(count):
        return Passage("Without EVs:", "not assessed.")
    peak = view.figure(result, NO_EV, "transformer_loading_max_percent")
    text = "no violation" if count == 0 else plural(int(count), "violation")
    text += (
        f", transformer {number(peak, '%')} %{worst_phase(result, ' (', ')')}"
        if is_number(peak)
        else ""
    )
    return Passage("Without EVs:", text + ".", "minor")
