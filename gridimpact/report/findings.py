"""Single findings in words: transformer, heat, lines, voltage, service, each from the data."""

from __future__ import annotations

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.choice import ev_violations
from gridimpact.report.money import fed_back_words
from gridimpact.report.phases import loaded_phase, worst_phase
from gridimpact.report.style import UNCONTROLLED, is_number, number
from gridimpact.report.verdicts import voltage_unassessed
from gridimpact.report.voltage import band, departure_words, departures


def transformer_words(result: StudyResult, label: str) -> str:
    """Return the highest transformer loading, when it is reached and the hours over 100 %."""
    worst = view.worst(result, "transformer_loading_percent", label)
    if worst is None:
        return "Transformer loading not assessed."
    bound = view.limit(result, "transformer_loading_max_percent")
    names = view.element_names(result, "transformer")
    name = "transformer" if len(names) == 1 else f"transformer {names[worst.position]}"
    known = [loaded_phase(result, label, worst)] + ([f"limit {bound:g}"] * is_number(bound))
    scope = "; ".join(part for part in known if part)
    stamp = result.dataset["time"].values[worst.step]
    when = view.moment(stamp, view.zone(result))
    over = view.figure(result, label, "transformer_hours_over_100")
    text = f"{name} {number(worst.value, '%')} %{f' ({scope})' if scope else ''}, {when}"
    if is_number(over):
        text += f", over 100 % for {number(over, 'h')} h {view.within(result)}"
    return text + ";"


def thermal_words(result: StudyResult, label: str) -> str:
    """Return hot spot and ageing of the worst transformer."""
    spot = view.figure(result, label, "hot_spot_max_c")
    if not is_number(spot):
        return "transformer temperature not assessed."
    ageing = view.figure(result, label, "ageing_equivalent")
    text = f"hot spot {number(spot, 'degC')} °C"
    if is_number(ageing):
        text += f", {ageing_words(ageing)}{_life_words(result, ageing)}"
    return text + "."


def ageing_words(ageing: float) -> str:
    """Return the ageing against normal; beyond a thousand only that it is."""
    size = number(ageing, "ageing").replace("> ", "over ")
    return f"ageing {size} {'of' if ageing < 1 else 'times'} normal"


def _life_words(result: StudyResult, ageing: float) -> str:
    """Say what the ageing means; below a hundredth of normal, life limits nothing."""
    bound = view.limit(result, "ageing_equivalent")
    bound = bound if is_number(bound) else 1.0
    if ageing > bound:
        return ": life is used faster than " + ("allowed" if view.is_year(result) else "normal")
    return ": life is not limiting" if ageing < 0.01 else ""


def line_words(result: StudyResult, label: str) -> str:
    """Return the highest line loading and the lines without ampacity."""
    worst = view.worst(result, "line_loading_percent", label)
    unrated = view.figure(result, label, "lines_unrated")
    few = is_number(unrated) and unrated > 0
    if worst is None:
        why = f": {plural(int(unrated), 'line')} without ampacity" if few else ""
        return f"Line loading not assessed{why}."
    missing = f"; {int(unrated)} unrated, not assessed" if few else ""
    name = view.element_names(result, "line")[worst.position]
    return (
        f"Lines at most {number(worst.value, '%')} % ({name}{worst_phase(result, ', ')}){missing}."
    )


def voltage_words(result: StudyResult, label: str) -> str:
    """Return the lowest voltage against its limit, where it is, and the hours outside the band."""
    if not is_number(view.figure(result, label, "vm_min_pu")):
        return "Voltage not assessed."
    worst = departures(result, label)[0]
    if worst is None:
        return "Voltage not assessed."
    feeder = int(result.network.grid.bus_feeder[worst.position])
    place = view.element_names(result, "bus")[worst.position]
    place += f", feeder {feeder}" if feeder > 0 else ""
    place += view.phase_words(worst.phase)
    if band(result).relative:
        low = number(view.figure(result, label, "vm_min_pu"), "pu")
        text = f"Lowest voltage {low} pu; deepest drop at {place}: {departure_words(result, worst)}"
    else:
        text = f"Lowest voltage {departure_words(result, worst)}, {place}"
    hours = view.figure(result, label, "voltage_hours_outside")
    if is_number(hours) and hours > 0:
        text += f"; outside the band for {number(hours, 'h')} h"
    return text + (" (not assessed)." if voltage_unassessed(result, label) else ".")


def effect_words(result: StudyResult, label: str) -> str:
    """Return peak, hours, voltage and violations left under a strategy, and the cars it controls."""
    peak = view.figure(result, label, "transformer_loading_max_percent")
    over = view.figure(result, label, "transformer_hours_over_100")
    low = view.figure(result, label, "vm_min_pu")
    parts = []
    if is_number(peak):
        parts.append(f"Transformer peak {number(peak, '%')} %{worst_phase(result, ' (', ')')}")
    if is_number(over):
        parts.append(f"{number(over, 'h')} h over 100 %")
    if is_number(low):
        open_question = " (not assessed)" if voltage_unassessed(result, label) else ""
        parts.append(f"lowest voltage {low:.3f} pu{open_question}")
    if is_number(ev_violations(result, label)):
        parts.append(violations_words(result, label))
    fed = fed_back_words(result, label)
    if fed:
        parts.append(fed)
    cars = view.cars_controlled(result, label)
    scope = f" It controls {cars} cars." if cars != "-" else ""
    return (", ".join(parts) + "." if parts else "Effect not assessed.") + scope


def violations_words(result: StudyResult, label: str) -> str:
    """Return the violations by origin: EV-caused, aggravated, and there before."""
    counts = (view.figure(result, label, f"violations_{k}") for k in ("ev_caused", "aggravated"))
    caused, worse = (int(count) if is_number(count) else 0 for count in counts)
    if caused and worse:
        text = f"{caused:,} EV-caused and {plural(worse, 'aggravated violation')}"
    elif worse:
        text = plural(worse, "aggravated violation")
    else:
        text = plural(caused, "EV-caused violation")
    before = preexisting(result, label)
    return text + (f" ({before:,} there before)" if before else "")


def preexisting(result: StudyResult, label: str) -> int:
    """Return the violations that were there without cars and are no worse with them."""
    found = result.assessments.get(label)
    if found is None or "origin" not in found.violations:
        return 0
    return int((found.violations["origin"] == "preexisting").sum())


def service_words(result: StudyResult, label: str) -> str:
    """Return the share of departures on target and the energy missing."""
    late = view.figure(result, label, "departures_below_target_percent")
    unmet = view.figure(result, label, "unmet_kwh")
    if not is_number(late):
        return "Service to drivers not assessed."
    text = f"{100 - late:.1f} % of departures on target"
    if is_number(unmet):
        text += f", {number(unmet, 'kWh')} kWh unmet {view.within(result)}"
    return text + "."


def peak_words(result: StudyResult, label: str) -> str:
    """Return the change of the transformer's peak against uncontrolled charging."""
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


def building_words(result: StudyResult, label: str) -> str:
    """Return the change of the building's peak against uncontrolled charging."""
    metric = "building_peak_kw"
    change = view.figure(result, label, metric) - view.figure(result, UNCONTROLLED, metric)
    if not is_number(change) or abs(change) < 0.05:
        return ""
    return f"building peak {number(abs(change), 'kW')} kW {'lower' if change < 0 else 'higher'}"


def sentence(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """Return a count with its noun; none is "no ..."."""
    if count == 0:
        return f"no {noun}"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
