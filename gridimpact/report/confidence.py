"""How far to trust the answer: calibration, what was assumed, days, set-point, failed steps."""

from __future__ import annotations

from collections.abc import Mapping

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import UNCONTROLLED, is_number, number

_ZERO = "zero-sequence data"
_PLAIN = (
    (_ZERO, ("zero sequence",)),
    ("reactive power", ("volt-var",)),
    ("source voltage", ("ext_grid", "busbar", "source")),
    ("cable ratings", ("line",)),
    ("main fuses", ("sites, fuse", "fuse", "main fuse")),
    ("load profiles", ("household", "building", "heat pump", "load", "home")),
    ("PV", ("pv", "sgen", "gen", "static_gen")),
    ("cars and their use", ("fleet", "cars", "vehicle", "session", "charger", "driver")),
    ("cars' places", ("place",)),
    ("thermal data", ("transformer", "thermal", "insulation")),
    ("transformer taps", ("trafo",)),
    ("phases", ("phase", "power flow", "unbalance")),
    ("prices", ("price", "tariff", "money")),
    ("weather", ("weather", "temperature", "ambient", "air")),
)
"""What was assumed in plain words, by how the place of a note begins."""


def confidence_words(result: StudyResult) -> str:
    """Return how far the answer may be trusted, as the parts of one sentence."""
    profiles = result.network.profiles
    known = result.manifest.get("calibration") or (profiles.calibrated if profiles else "")
    parts = ["loads " + (known or "uncalibrated")]
    assumed = assumed_words(result)
    if assumed:
        parts.append(f"assumed: {', '.join(assumed)} (see Assumptions)")
    if not view.is_year(result):
        parts.append(f"{view.dates(result)} assessed, so no annual figures")
    parts += _busbar_words(result)
    failed, total = view.lanes(result)
    parts.append(f"{failed:,} of {total:,} assessed steps failed")
    return "; ".join(parts) + "."


def assumed_words(result: StudyResult) -> list[str]:
    """Return what was assumed, each kind once and in plain words."""
    places = [note.where for note in view.all_notes(result) if note.kind == "assumption"]
    kinds = [_plain(place) for place in places]
    told = [kind for kind, _ in _PLAIN if kind in kinds]
    return told + (["other data"] if "" in kinds else [])


def _plain(place: str) -> str:
    """Return the plain words for the place of a note, "" where there are none."""
    begin = place.lower()
    if "zero sequence" in begin:
        return _ZERO
    return next((kind for kind, heads in _PLAIN if begin.startswith(heads)), "")


def _busbar_words(result: StudyResult) -> list[str]:
    """Return what a lower source would do to uncontrolled charging, where that was solved."""
    found = result.manifest.get("busbar_sensitivity", {})
    own = found.get(UNCONTROLLED, {}) if isinstance(found, Mapping) else {}
    if not is_number(own.get("lower")):
        return []
    return [f"a source 0.03 pu lower takes the lowest voltage to {number(own['lower'], 'pu')} pu"]
