"""The answer in one paragraph, every sentence computed from the result.

What was not run reads "not studied"; annual figures appear only where a year was assessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.choice import Binding, Choice, binding, choose, ev_violations
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
    scope = f"{result.name}: {rating}, {homes} homes, {_plural(cars, 'car')}."
    return f"{scope} {_verdict(labels, choice)}"


def _verdict(labels: list[str], choice: Choice) -> str:
    if UNCONTROLLED not in labels:
        return "Uncontrolled charging was not studied."
    if not choice.needed:
        return "Uncontrolled charging keeps every limit."
    if choice.recommended is None:
        return "Uncontrolled charging breaks limits; no controlled charging was studied."
    if not choice.clears:
        return "Uncontrolled charging breaks limits, and no strategy studied clears them all."
    return f"Not uncontrolled; yes with {display_name(choice.recommended)}."


def _uncontrolled(result: StudyResult) -> Passage:
    if UNCONTROLLED not in view.strategies(result):
        return Passage("Uncontrolled:", "not studied.")
    parts = [_transformer_words(result, UNCONTROLLED), _thermal_words(result, UNCONTROLLED)]
    parts += [_line_words(result, UNCONTROLLED), _voltage_words(result, UNCONTROLLED)]
    found = ev_violations(result, UNCONTROLLED)
    if is_number(found):
        parts.append(f"{_plural(int(found), 'EV-caused violation')}.")
    return Passage("Uncontrolled:", " ".join(part for part in parts if part))


def _transformer_words(result: StudyResult, label: str) -> str:
    worst = view.worst(result, "transformer_loading_percent", label)
    if worst is None:
        return "Transformer loading not assessed."
    bound = view.limit(result, "transformer_loading_max_percent")
    names = view.element_names(result, "transformer")
    name = "transformer" if len(names) == 1 else f"transformer {names[worst.position]}"
    limit = f" (limit {bound:g})" if is_number(bound) else ""
    stamp = result.dataset["time"].values[worst.step]
    when = view.moment(stamp, view.zone(result))
    over = view.figure(result, label, "transformer_hours_over_100")
    hours = f", {number(over, 'h')} h {view.period(result)} over 100 %" if is_number(over) else ""
    return f"{name} {number(worst.value, '%')} %{limit}, {when}{hours};"


def _thermal_words(result: StudyResult, label: str) -> str:
    spot = view.figure(result, label, "hot_spot_max_c")
    if not is_number(spot):
        return "transformer temperature not assessed."
    ageing = view.figure(result, label, "ageing_equivalent")
    text = f"hot spot {number(spot, 'degC')} °C"
    if is_number(ageing):
        text += f", ageing {number(ageing, 'ageing')} of normal{_life_words(result, ageing)}"
    return text + "."


def _life_words(result: StudyResult, ageing: float) -> str:
    """Say what the ageing means; below a hundredth of normal, life limits nothing."""
    bound = view.limit(result, "ageing_equivalent")
    bound = bound if is_number(bound) else 1.0
    if ageing > bound:
        return ": life is used faster than allowed"
    return ": life is not limiting" if ageing < 0.01 else ""


def _line_words(result: StudyResult, label: str) -> str:
    worst = view.worst(result, "line_loading_percent", label)
    unrated = view.figure(result, label, "lines_unrated")
    missing = (
        f" {_plural(int(unrated), 'line')} unrated, not assessed."
        if is_number(unrated) and unrated > 0
        else ""
    )
    if worst is None:
        return f"Line loading not assessed.{missing}"
    name = view.element_names(result, "line")[worst.position]
    return f"Highest line loading {number(worst.value, '%')} %, {name}.{missing}"


def _voltage_words(result: StudyResult, label: str) -> str:
    if not is_number(view.figure(result, label, "vm_min_pu")):
        return "Voltage not assessed."
    worst = view.worst(result, "vm_pu", label, lowest=True)
    if worst is None:
        return "Voltage not assessed."
    grid = result.network.grid
    feeder = int(grid.bus_feeder[worst.position])
    place = view.element_names(result, "bus")[worst.position]
    place += f", feeder {feeder}" if feeder > 0 else ""
    bound = view.limit(result, "vm_min_pu")
    limit = f" (limit {bound:.3f})" if is_number(bound) else ""
    text = f"Lowest voltage {worst.value:.3f} pu{limit}, {place}."
    hours = view.figure(result, label, "voltage_hours_outside")
    if is_number(hours) and hours > 0:
        text += f" {number(hours, 'h')} h outside the band."
    return text


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
    parts = [_effect_words(result, label), _service_words(result, label)]
    if choice.upper_bound:
        parts.append("It assumes perfect foresight: an upper bound.")
    role = "verdict" if choice.clears or not choice.needed else "verdict warn"
    return Passage(lead, " ".join(part for part in parts if part), role)


def _effect_words(result: StudyResult, label: str) -> str:
    peak = view.figure(result, label, "transformer_loading_max_percent")
    over = view.figure(result, label, "transformer_hours_over_100")
    low = view.figure(result, label, "vm_min_pu")
    left = ev_violations(result, label)
    parts = []
    if is_number(peak):
        parts.append(f"Transformer peak {number(peak, '%')} %")
    if is_number(over):
        parts.append(f"{number(over, 'h')} h over 100 %")
    if is_number(low):
        parts.append(f"lowest voltage {low:.3f} pu")
    if is_number(left):
        parts.append(f"{_plural(int(left), 'EV-caused violation')}")
    cars = view.cars_controlled(result, label)
    scope = f" It controls {cars} cars." if cars != "-" else ""
    return (", ".join(parts) + "." if parts else "Effect not assessed.") + scope


def _service_words(result: StudyResult, label: str) -> str:
    late = view.figure(result, label, "departures_below_target_percent")
    unmet = view.figure(result, label, "unmet_kwh")
    if not is_number(late):
        return "Service to drivers not assessed."
    text = f"{100 - late:.1f} % of departures on target"
    if is_number(unmet):
        text += f", {number(unmet, 'kWh')} kWh {view.period(result)} unmet"
    return text + "."


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
    parts.append(_plural(int(ev_violations(result, label)), "EV-caused violation"))
    lead = f"Avoid {name if label != UNCONTROLLED else 'uncontrolled charging'}:"
    return Passage(lead, ", ".join(parts) + ".", "verdict warn")


def _binding_words(found: Binding) -> str:
    if found.kind == "bus":
        return f"{found.value:.3f} pu at {found.name} (limit {found.bound:.3f})"
    return f"{found.kind} {found.name} at {number(found.value, '%')} % (limit {found.bound:g})"


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
    scope = f"{name} ({cars} cars)" if cars != "-" else name
    parts = [_peak_words(result, label)]
    parts.append(_money_words(result, label))
    if family(label) in ("v2b", "mix"):
        parts.append(_building_words(result, label))
    left = ev_violations(result, label)
    if is_number(left):
        parts.append(
            "no EV-caused violation" if left == 0 else _plural(int(left), "EV-caused violation")
        )
    return f"{scope}: {', '.join(part for part in parts if part)}."


def _peak_words(result: StudyResult, label: str) -> str:
    metric = "transformer_loading_max_percent"
    peak = view.figure(result, label, metric)
    change = peak - view.figure(result, UNCONTROLLED, metric)
    if not is_number(change):
        return f"transformer peak {number(peak, '%')} %" if is_number(peak) else ""
    if abs(change) < 0.5:
        return f"no effect on the transformer's peak ({number(peak, '%')} %)"
    way = "lower" if change < 0 else "higher"
    size = f"{abs(change):.0f}"
    return f"transformer peak {size} {'point' if size == '1' else 'points'} {way} ({number(peak, '%')} %)"


def _money_words(result: StudyResult, label: str) -> str:
    metric = "ev_cost_per_car_eur"
    saved = view.figure(result, UNCONTROLLED, metric) - view.figure(result, label, metric)
    if not is_number(saved):
        return ""
    verb = "saved" if saved >= 0 else "paid more"
    text = f"{abs(saved):.2f} EUR a car {verb} {view.period(result)}"
    wear = view.figure(result, label, "wear_cost_per_car_eur")
    return text + (f" before {wear:.2f} EUR of wear" if is_number(wear) and wear >= 0.005 else "")


def _building_words(result: StudyResult, label: str) -> str:
    metric = "building_peak_kw"
    change = view.figure(result, label, metric) - view.figure(result, UNCONTROLLED, metric)
    if not is_number(change) or abs(change) < 0.05:
        return ""
    return f"building peak {number(abs(change), 'kW')} kW {'lower' if change < 0 else 'higher'}"


def _capacity() -> Passage:
    return Passage("Capacity at 5 % risk:", "not studied. Reinforcement: not studied.", "minor")


def _without(result: StudyResult) -> Passage:
    if NO_EV not in view.strategies(result):
        return Passage("Without EVs:", "not studied.")
    count = view.figure(result, NO_EV, "violations")
    if not is_number(count):
        return Passage("Without EVs:", "not assessed.")
    peak = view.figure(result, NO_EV, "transformer_loading_max_percent")
    text = "no violation" if count == 0 else _plural(int(count), "violation")
    text += f", transformer {number(peak, '%')} %" if is_number(peak) else ""
    return Passage("Without EVs:", text + ".", "minor")


def _confidence(result: StudyResult) -> Passage:
    profiles = result.network.profiles
    known = result.manifest.get("calibration") or (profiles.calibrated if profiles else "")
    parts = [f"loads {known or 'uncalibrated'}"]
    assumed = [note.where for note in view.all_notes(result) if note.kind == "assumption"]
    places = list(dict.fromkeys(assumed))
    if places:
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        parts.append(f"assumed: {', '.join(places[:5])}{more} (see Assumptions)")
    if not view.is_year(result):
        parts.append(f"{view.period(result).removeprefix('in ')}, so no annual figures")
    failed, total = view.lanes(result)
    parts.append(f"{failed:,} of {total:,} steps failed")
    return Passage("Confidence:", "; ".join(parts) + f". {DISCLAIMER}", "minor")


def _plural(count: int, noun: str) -> str:
    if count == 0:
        return f"no {noun}"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
