"""What a study may say of its transformers: model, data, life and money; read, checked, frozen."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from gridimpact.ageing import (
    COOLING_CLASSES,
    EDITION_2011,
    ENCLOSURE_RISE_K,
    INSULATIONS,
    LIFE_DEFINITIONS,
    NORMAL_LIFE_H,
    PRESETS,
    SINE,
    AnnexGPlate,
    Clause7,
    Harmonics,
    Replacement,
)
from gridimpact.errors import InputError, Problem, raise_problems

IEC, ANNEX_G = "iec_60076_7", "annex_g"
CLAUSE_7: Mapping[str, Clause7] = {
    "clause7": EDITION_2011,
    "clause7_uncorrected": Clause7(exponent_corrected=False),
    "clause7_lagged": Clause7(ambient_lagged=True),
}
MODELS: Mapping[str, str] = {
    "clause7": "IEEE C57.91-2011 Clause 7, time constant corrected for the exponent, ambient without lag",
    "clause7_uncorrected": "IEEE C57.91-2011 Clause 7, time constant as rated, ambient without lag",
    "clause7_lagged": "IEEE C57.91 Clause 7, time constant corrected for the exponent, ambient lagged",
    IEC: "IEC 60076-7:2018, differential equations solved exactly",
    ANNEX_G: "IEEE C57.91-2011 Annex G",
}
"""Thermal models by name, in words."""
STARTS = ("steady", "cold", "periodic")
TAPS = ("principal", "in_use")
OF_ONE = ("enclosure", "insulation", "age_years", "used_percent", "annex_g")
"""What may be said of one transformer by its name."""
_CHOICES: Mapping[str, Collection[str]] = {
    "model": MODELS,
    "cooling": COOLING_CLASSES,
    "preset": PRESETS,
    "insulation": INSULATIONS,
    "enclosure": ENCLOSURE_RISE_K,
    "start": STARTS,
    "tap": TAPS,
}
_RANGES = {"age_years": (0.0, 100.0), "used_percent": (0.0, 100.0)}
_PARTS: Mapping[str, type] = {
    "harmonics": Harmonics,
    "replacement": Replacement,
    "annex_g": AnnexGPlate,
}


@dataclass(frozen=True)
class TransformerOptions:
    """Thermal model, data, life and money of a study's transformers.

    Attributes
    ----------
    model : str
        A name of `MODELS`.
    cooling : str or None
        Class of `gridimpact.ageing.COOLING_CLASSES`, for ``iec_60076_7``; distribution ONAN where left out.
    preset : str or None
        Family of `gridimpact.ageing.PRESETS`, for Clause 7.
    insulation, enclosure : str or None
        Paper and what stands around the tank; by frequency and family where left out.
    life_h : float
        Normal insulation life [h]; a study may name an end point of `gridimpact.ageing.LIFE_DEFINITIONS`.
    start : str
        ``"steady"``, ``"cold"`` or ``"periodic"``, of each solved period.
    tap : str
        ``"in_use"`` moves the loss ratio to the tap the network stands at, ``"principal"`` leaves it.
    harmonics : Harmonics
        What the current's spectrum adds to losses.
    age_years, used_percent : float
        Age of the transformers [years] and share of the life used so far [%].
    replacement : Replacement or None
        Price and rate; None leaves the money of life out.
    annex_g : AnnexGPlate or None
        Test report, for ``annex_g``.
    by_name : mapping
        Own values of `OF_ONE` by transformer.
    given : mapping
        What was asked for, as plain data.
    """

    model: str = "clause7"
    cooling: str | None = None
    preset: str | None = None
    insulation: str | None = None
    enclosure: str | None = None
    life_h: float = NORMAL_LIFE_H
    start: str = "steady"
    tap: str = "principal"
    harmonics: Harmonics = SINE
    age_years: float = 0.0
    used_percent: float = 0.0
    replacement: Replacement | None = None
    annex_g: AnnexGPlate | None = None
    by_name: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def clause7(self) -> Clause7:
        """Open choices of Clause 7."""
        return CLAUSE_7.get(self.model, EDITION_2011)

    def of(self, name: str, key: str) -> Any:
        """Return a value of one transformer, its own where it has one."""
        return self.by_name.get(name, {}).get(key, getattr(self, key))


def transformer_options(given: Mapping[str, Any] | TransformerOptions | None) -> TransformerOptions:
    """Return the options that a mapping holds.

    Parameters
    ----------
    given : mapping or None
        Keys as the attributes of `TransformerOptions` but ``given``; ``harmonics``, ``replacement`` and
        ``annex_g`` are mappings themselves, ``life_h`` may be a name.

    Raises
    ------
    InputError
        With every unknown key (the nearest known one offered), every value outside its range and what a
        model still needs.

    Examples
    --------
    >>> transformer_options({"model": "iec_60076_7", "life_h": "tensile_50"}).life_h
    65000.0
    """
    if isinstance(given, TransformerOptions):
        return given
    plain = _plain(given or {})
    problems: list[Problem] = []
    known = [f.name for f in dataclasses.fields(TransformerOptions) if f.name != "given"]
    found = _values(plain, known, "transformer", problems)
    own = plain.get("by_name", {})
    if isinstance(own, Mapping):
        found["by_name"] = {
            str(name): _values(values, OF_ONE, f"transformer.by_name.{name}", problems)
            for name, values in own.items()
        }
    else:
        problems.append(Problem("transformer.by_name", "is no mapping", "give values by name"))
    problems += _clashes(plain, found)
    raise_problems(problems, "transformer options")
    return TransformerOptions(**found, given=plain)


def _plain(given: Any) -> Any:
    """Return settings as data a file can hold."""
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        return {f.name: _plain(getattr(given, f.name)) for f in dataclasses.fields(given)}
    if isinstance(given, Mapping):
        return {str(key): _plain(value) for key, value in given.items() if value is not None}
    return json.loads(json.dumps(given, default=float))


def unknown_keys(given: Mapping[str, Any], known: Collection[str], place: str) -> list[Problem]:
    """Return a problem for every key that is not known, with the nearest that is."""
    found = []
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            found.append(Problem(f"{place}.{key}", "unknown key", remedy))
    return found


def _values(
    given: Any, known: Collection[str], place: str, problems: list[Problem]
) -> dict[str, Any]:
    """Return the checked values of one section; what is wrong is added to the problems."""
    if not isinstance(given, Mapping):
        problems.append(Problem(place, f"is {given!r}, no mapping", "give keys and values"))
        return {}
    problems += unknown_keys(given, known, place)
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known or key == "by_name":
            continue
        try:
            found[key] = _value(key, value, f"{place}.{key}")
        except InputError as error:
            problems += error.problems or (Problem(f"{place}.{key}", str(error)),)
    return found


def _value(key: str, value: Any, place: str) -> Any:
    """Return one checked value."""
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            near = difflib.get_close_matches(str(value), _CHOICES[key], n=1)
            known = f"use one of {', '.join(_CHOICES[key])}"
            remedy = f"did you mean {near[0]!r}?" if near else known
            raise_problems([Problem(place, f"{value!r} is unknown", remedy)], "transformer options")
        return value
    if key in _PARTS:
        return _part(value, _PARTS[key], place)
    if key == "life_h" and isinstance(value, str):
        if value not in LIFE_DEFINITIONS:
            remedy = f"give hours or one of {', '.join(LIFE_DEFINITIONS)}"
            raise_problems([Problem(place, f"{value!r} is unknown", remedy)], "transformer options")
        return LIFE_DEFINITIONS[value]
    low, high = _RANGES.get(key, (1_000.0, 10_000_000.0))
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        what = f"is {value!r}, must be {low:g} to {high:g}"
        raise_problems([Problem(place, what)], "transformer options")
    return float(value)


def _part(value: Any, kind: type, place: str) -> Any:
    """Return harmonics, a replacement or a test report made of a mapping."""
    entries = [f for f in dataclasses.fields(kind) if f.init]
    if not isinstance(value, Mapping):
        raise_problems([Problem(place, f"is {value!r}, no mapping")], "transformer options")
    problems = unknown_keys(value, [f.name for f in entries], place)
    missing = [f.name for f in entries if f.default is dataclasses.MISSING and f.name not in value]
    if missing:
        problems.append(Problem(place, f"lacks {', '.join(missing)}", "give them all"))
    for f in entries:
        text = f.type in ("str", str)
        if f.name in value and isinstance(value[f.name], str) != text:
            what = f"is {value[f.name]!r}, must be a {'name' if text else 'number'}"
            problems.append(Problem(f"{place}.{f.name}", what))
    raise_problems(problems, "transformer options")
    return kind(**value)


def _clashes(given: Mapping[str, Any], found: Mapping[str, Any]) -> list[Problem]:
    """Return keys that the chosen model does not read."""
    model = found.get("model", "clause7")
    reads = {
        "cooling": (model == IEC, "set 'model: iec_60076_7' or leave it out"),
        "preset": (model in CLAUSE_7, "it belongs to Clause 7; leave it out"),
        "annex_g": (model == ANNEX_G, "set 'model: annex_g' or leave it out"),
    }
    problems = [
        Problem(f"transformer.{key}", f"is not read by model {model!r}", remedy)
        for key, (read, remedy) in reads.items()
        if key in given and not read
    ]
    own = found.get("by_name", {})
    named = [name for name, each in own.items() if "annex_g" in each]
    if named and model != ANNEX_G:
        place = f"transformer.by_name.{named[0]}.annex_g"
        problems.append(Problem(place, f"is not read by model {model!r}", reads["annex_g"][1]))
    reports = "annex_g" in given or bool(named)
    if model == ANNEX_G and not reports:
        fields = dataclasses.fields(AnnexGPlate)
        needed = ", ".join(f.name for f in fields if f.default is dataclasses.MISSING)
        remedy = f"give transformer.annex_g with {needed}"
        problems.append(Problem("transformer.annex_g", "Annex G needs a test report", remedy))
    return problems
