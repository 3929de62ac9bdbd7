"""The answer in one paragraph, every sentence computed from the result.

What was not run reads "not studied"; annual figures appear only where a year was assessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.choice import Binding, Choice, binding, choose, ev_violations, is_upper_bound
from gridimpact.report.findings import (
    building_words,
    effect_words,
    line_words,
    money_words,
    peak_words,
    plural,
    sentence,
    service_words,
    thermal_words,
    transformer_words,
    voltage_words,
)
from gridimpact.report.style import NO_EV, UNCONTROLLED, display_name, family, is_number, number

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
        Headline and passages: uncontrolled, recommended, avoid, each family of strategies,
        capacity, the case without EVs, confidence.
    """
    choice = choose(result)
    passages = [_uncontrolled(result), _recommended(result, choice), _avoided(result, choice)]
    passages += [_family(result, kind, choice) for kind in ("g2v", "v2g", "v2h", "v2b", "mix")]
    passages += [
        _capacity(),
        _without(result),
        _confidence(result),
    ]
    return Answer(_headline(result, choice), tuple(p for p in passages if p is not None))


def _headline(result: StudyResult, choice: Choice) -> str:
    grid = result.network.grid
    homes = int((result.network.sites["kind"] == "home").sum())
    labels = view.strategies(result)
    counts = [view.figure(result, label, "cars") for label in labels]
    cars = int(np.nanmax([count if is_number(count) else 0.0 for count in counts]))
    units = [f"{value:g}" for value in np.asarray(grid.transformer_sn_kva)]
    rating = f"{units[0]} kVA" if len(units) == 1 else f"{len(units)} transformers"
    mark = "?" if choice.needed and choice.recommended else "."
    scope = f"{result.name}, {rating}, {plural(homes, 'home')}"
    return (
        f"{scope}: {plural(cars, 'car')}{_charger_words(result)}{mark} {_verdict(labels, choice)}"
    )


def _charger_words(result: StudyResult) -> str:
    """Return the chargers' power where all are alike."""
    chargers = result.fleet.chargers
    powers = set(chargers["p_max_kw"].round(1)) if "p_max_kw" in chargers else set()
    return f" at {powers.pop():g} kW" if len(powers) == 1 else ""


def _verdict(labels: list[str], choice: Choice) -> str:
    if UNCONTROLLED not in labels:
        return "Uncontrolled charging was not studied."
    if not choice.needed:
        return "Uncontrolled charging keeps every limit."
    if choice.recommended is None:
        return "Uncontrolled charging breaks limits; no controlled charging was studied."
    if not choice.clears:
        return "Uncontrolled charging breaks limits, and no strategy studied clears them all."
    return f"Not uncontrolled; yes with {_called(choice.recommended)}."


def _called(label: str) -> str:
    """Return a strategy's name as it stands inside a sentence."""
    return "a realistic mix" if label == "mix" else display_name(label)


def _uncontrolled(result: StudyResult) -> Passage:
    if UNCONTROLLED not in view.strategies(result):
        return Passage("Uncontrolled:", "not studied.")
    parts = [transformer_words(result, UNCONTROLLED), thermal_words(result, UNCONTROLLED)]
    parts += [line_words(result, UNCONTROLLED), voltage_words(result, UNCONTROLLED)]
    found = ev_violations(result, UNCONTROLLED)
    if is_number(found):
        parts.append(f"{sentence(plural(int(found), 'EV-caused violation'))}.")
    return Passage("Uncontrolled:", " ".join(part for part in parts if part))


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
    found = binding(result, label)
    parts = [_binding_words(found)] if found else []
    spot = view.figure(result, label, "hot_spot_max_c")
    ageing = view.figure(result, label, "ageing_equivalent")
    if is_number(spot):
        parts.append(f"hot spot {number(spot, 'degC')} °C")
    if is_number(ageing) and ageing >= 0.01:
        parts.append(f"ageing {number(ageing, 'ageing')} times normal")
    parts.append(plural(int(ev_violations(result, label)), "EV-caused violation"))
    lead = f"Avoid {name if label != UNCONTROLLED else 'uncontrolled charging'}:"
    return Passage(lead, ", ".join(parts) + ".", "verdict warn")


def _binding_words(found: Binding) -> str:
    return f"{'' if found.kind == 'bus' else f'{found.kind} '}{found.name} at {found.words}"


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
    left = ev_violations(result, label)
    if is_number(left):
        parts.append(
            "no EV-caused violation" if left == 0 else plural(int(left), "EV-caused violation")
        )
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
    text += f", transformer {number(peak, '%')} %" if is_number(peak) else ""
    return Passage("Without EVs:", text + ".", "minor")


def _confidence(result: StudyResult) -> Passage:
    profiles = result.network.profiles
    known = result.manifest.get("calibration") or (profiles.calibrated if profiles else "")
    parts = ["loads " + (known or "uncalibrated")]
    assumed = [
        note.where.replace(", ", " ")
        for note in view.all_notes(result)
        if note.kind == "assumption"
    ]
    places = list(dict.fromkeys(assumed))
    if places:
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        parts.append(f"assumed: {', '.join(places[:5])}{more} (see Assumptions)")
    if not view.is_year(result):
        parts.append(f"{view.period(result)} assessed, so no annual figures")
    parts += _busbar_words(result)
    failed, total = view.lanes(result)
    parts.append(f"{failed:,} of {total:,} steps failed")
    return Passage("Confidence:", "; ".join(parts) + f". {DISCLAIMER}", "minor")


def _busbar_words(result: StudyResult) -> list[str]:
    """Return what a lower source would do to uncontrolled charging, where that was solved."""
    found = result.manifest.get("busbar_sensitivity", {})
    own = found.get(UNCONTROLLED, {}) if isinstance(found, Mapping) else {}
    if not is_number(own.get("lower")):
        return []
    return [f"a source 0.03 pu lower takes the lowest voltage to {number(own['lower'], 'pu')} pu"]
