"""Thermal data of a network's transformers under the options of a study."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.ageing import (
    ENCLOSURE_RISE_K,
    AnnexGPlate,
    AnyPlate,
    Nameplate,
    iec_plate_of,
    loss_ratio_at_tap,
    nameplates_for,
    preset_named,
)
from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.records import FloatArray, Network, Note
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal_options import (
    ANNEX_G,
    CLAUSE_7,
    IEC,
    MODELS,
    TransformerOptions,
)

DEFAULT_COOLING = "distribution_onan"
SAME_RATING = 0.01
"""Share by which the rating of a test report may differ from the network's."""


@dataclass(frozen=True)
class Plates:
    """Thermal data of all transformers."""

    lead: Nameplate
    """What assessment and controllers read: paper, loss ratio, and Clause 7."""
    model: AnyPlate
    """What the chosen model reads."""
    notes: tuple[Note, ...]


def plates_of(network: Network, options: TransformerOptions) -> Plates:
    """Return the thermal data of a network's transformers.

    Parameters
    ----------
    network : Network
        Gives ratings, loss ratios, taps and frequency.
    options : TransformerOptions
        What the study says of them.

    Raises
    ------
    InputError
        If a transformer is named that the network lacks, or a test report is missing or of another rating.
    """
    grid = network.grid
    names = [str(name) for name in grid.transformer_name]
    strangers = [
        Problem(
            f"transformer.by_name.{name}", "no such transformer", f"there are {', '.join(names)}"
        )
        for name in options.by_name
        if name not in names
    ]
    raise_problems(strangers, "transformer options")
    placed = [options.of(name, "enclosure") for name in names]
    lead, notes = nameplates_for(
        grid,
        insulation=options.insulation,
        enclosure=None if all(p is None for p in placed) else _filled(placed, options),
        preset=options.preset,
        frequency_hz=_frequency(network),
    )
    lead = _with_own_paper(lead, names, options)
    if options.tap == "in_use":
        ratio = loss_ratio_at_tap(lead.loss_ratio, tap_turns(network))
        lead = dataclasses.replace(lead, loss_ratio=ratio)
    if options.model in CLAUSE_7:
        return Plates(lead, lead, (*notes, *_told(options)))
    # The family of Clause 7 is not read by the other models.
    kept = [n for n in notes if not n.text.startswith(("rated rises", "own choice"))]
    if options.model == IEC:
        return Plates(
            lead, iec_plate_of(lead, options.cooling or DEFAULT_COOLING), (*_told(options), *kept)
        )
    reports = _reports(network, options)
    lead = dataclasses.replace(
        lead,
        insulation=tuple(r.paper for r in reports),
        insulation_known=np.ones(len(reports), dtype=np.bool_),
        enclosure_rise_k=np.array([r.enclosure_rise for r in reports]),
    )
    dropped = ("insulation paper", "no usable iron loss", "loss ratio", "air around the tank")
    kept = [n for n in kept if not n.text.startswith(dropped)]
    return Plates(lead, reports, (*_told(options), *kept, *_air_of(reports)))


def described(network: Network, options: TransformerOptions) -> dict[str, Any]:
    """Return model, data and life for the manifest, in plain data and words."""
    plates = plates_of(network, options)
    lead = plates.lead
    known = bool(lead.insulation_known.all())
    found: dict[str, Any] = {
        "model": MODELS[options.model],
        "data": _data_words(options) or ", ".join(dict.fromkeys(lead.source)),
        "insulation": ", ".join(dict.fromkeys(lead.insulation)) + ("" if known else ", assumed"),
        "enclosure_rise_k": _few(_tank_rise(plates)),
        "loss_ratio": _few(lead.loss_ratio),
        "life_h": options.life_h,
        "start": options.start,
        "tap": options.tap,
        "harmonics": dataclasses.asdict(options.harmonics),
    }
    if options.model == ANNEX_G:
        del found["loss_ratio"], found["tap"]
    if options.given:
        found["given"] = dict(options.given)
    return found


def thermal_problems(spec: StudySpec) -> Iterator[Problem]:
    """Say what of a study's transformer options does not fit its network or is not read."""
    options = spec.transformer
    if spec.ambient is None:
        if options.given:
            remedy = "give an ambient, else nothing of it is used"
            yield Problem("transformer", "needs an air temperature", remedy, severity="warning")
        return
    try:
        plates_of(spec.network, options)
    except InputError as error:
        yield from error.problems or (Problem("transformer", str(error)),)
        return
    limited = [s.name for s in spec.strategies if hasattr(s, "limit_c")]
    if limited and (options.model != "clause7" or options.start != "steady"):
        yield Problem(
            f"strategy {limited[0]}",
            "its controller follows Clause 7 from a steady start, the study's temperatures do not",
            "its limit may be passed by what the models differ",
            severity="warning",
        )


def tap_turns(network: Network) -> FloatArray:
    """Return turns of each high-voltage winding over its principal tap's, less 1, (transformer,).

    Of the tap the network stands at; 0 where the tap is on the low-voltage side or unknown.
    """
    table = network.net.trafo.loc[network.grid.transformer_index]
    count = len(table)
    if not {"tap_pos", "tap_neutral", "tap_step_percent", "tap_side"} <= set(table.columns):
        return np.zeros(count)
    steps = table["tap_pos"].astype(float) - table["tap_neutral"].astype(float)
    turns = (steps * table["tap_step_percent"].astype(float) / 100.0).to_numpy(dtype=np.float64)
    return np.where((table["tap_side"] == "hv").to_numpy(dtype=bool), np.nan_to_num(turns), 0.0)


def _filled(placed: list[str | None], options: TransformerOptions) -> list[str]:
    """Return an enclosure for each transformer; those that are not told stand as usual."""
    family = preset_named(options.preset).enclosure if options.preset else "compact_station"
    usual = options.enclosure or family
    return [usual if place is None else place for place in placed]


def _frequency(network: Network) -> float:
    """Return the frequency of a network, 50 where it holds none [Hz]."""
    return float(getattr(network.net, "f_hz", 50.0))


def _with_own_paper(plate: Nameplate, names: list[str], options: TransformerOptions) -> Nameplate:
    own = [options.by_name.get(name, {}).get("insulation") for name in names]
    if not any(own):
        return plate
    known = plate.insulation_known | np.array([paper is not None for paper in own])
    papers = tuple(o or p for o, p in zip(own, plate.insulation, strict=True))
    return dataclasses.replace(plate, insulation=papers, insulation_known=known)


def _reports(network: Network, options: TransformerOptions) -> tuple[AnnexGPlate, ...]:
    """Return the test report of each transformer."""
    grid, found, problems = network.grid, list[AnnexGPlate](), list[Problem]()
    for name, rated in zip(map(str, grid.transformer_name), grid.transformer_sn_kva, strict=True):
        report = options.of(name, "annex_g")
        place = f"transformer.by_name.{name}.annex_g"
        if report is None:
            problems.append(Problem(place, "Annex G needs a test report", "give it by name"))
        elif abs(report.rated_kva / rated - 1.0) > SAME_RATING:
            what = f"is of {report.rated_kva:g} kVA, the network has {rated:g} kVA"
            problems.append(Problem(place, what, "give a report at the network's rating"))
        else:
            found.append(_standing(report, name, options))
    raise_problems(problems, "transformer options")
    return tuple(found)


def _air_of(reports: tuple[AnnexGPlate, ...]) -> list[Note]:
    """Return what is taken for the air around the tanks of test reports, if any."""
    if not reports:
        return []
    rise = max(r.enclosure_rise for r in reports)
    words = f"up to {rise:g} K above" if rise > 0.0 else "that of"
    text = f"air around the tank is {words} outdoor air, as test report or enclosure say"
    return [Note("assumption", "transformers", text)]


def _standing(report: AnnexGPlate, name: str, options: TransformerOptions) -> AnnexGPlate:
    """Return a report with paper and enclosure of the study where it says them."""
    changes: dict[str, Any] = {}
    paper, place = options.of(name, "insulation"), options.of(name, "enclosure")
    if paper is not None:
        changes["paper"] = paper
    if place is not None:
        changes["enclosure_rise"] = ENCLOSURE_RISE_K[place]
    return report.replaced(**changes) if changes else report


def _tank_rise(plates: Plates) -> FloatArray:
    if isinstance(plates.model, tuple):
        return np.array([r.enclosure_rise for r in plates.model])
    return plates.lead.enclosure_rise_k


def _few(values: FloatArray) -> list[float]:
    """Return the values that occur, each once."""
    return sorted({round(float(v), 6) for v in values})


def _data_words(options: TransformerOptions) -> str:
    """Return where the rated data come from, "" under Clause 7."""
    if options.model == IEC:
        return f"IEC 60076-7:2018 table 4, class {options.cooling or DEFAULT_COOLING}"
    return "test report given" if options.model == ANNEX_G else ""


def _told(options: TransformerOptions) -> list[Note]:
    """Return notes on what is not the usual model or start."""
    notes = []
    if options.model != "clause7":
        text = MODELS[options.model]
        data = _data_words(options)
        notes.append(
            Note(
                "assumption",
                "transformers",
                f"temperatures after {text}" + (f"; {data}" if data else ""),
            )
        )
    if options.start != "steady":
        notes.append(Note("assumption", "transformers", f"each period starts {options.start}"))
    return notes
