"""Which PV inverters and chargers of a study answer to voltage, and what is assumed of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.powerflow.volt_var import merge_volt_var, volt_var_for
from gridimpact.records import FloatArray, Note, VoltVar
from gridimpact.study.elements import CHARGER, PV, Elements, elements_of
from gridimpact.study.spec import StudySpec

_KEYS = ("v_pu", "q_share", "s_max_per_kw")


def volt_var_of(spec: StudySpec, found: Elements) -> VoltVar | None:
    """Return what answers to voltage, None where nothing does.

    Notes
    -----
    PV counts with the highest power of its profile as rated active power. Its apparent power is
    ``s_max_per_kw`` of an own curve times that, else as much as the curve's largest share needs
    beside it. A charger counts with its own rated apparent power.

    Raises
    ------
    InputError
        If a curve is unknown or unsound, or its shares are too large for an unknown apparent power.
    """
    parts = []
    if "pv" in spec.volt_var:
        parts.append(_of_pv(spec, found))
    if "chargers" in spec.volt_var:
        given = spec.volt_var["chargers"]
        raise_problems(list(_curve_problems("chargers", given)), "Volt-VAr")
        at = found.places(CHARGER)
        owner = found.owner[at]
        power = spec.fleet.chargers["p_max_kw"].to_numpy(dtype=np.float64)[owner]
        parts.append(volt_var_for(power, at, _curve(given), _charger_kva(spec)[owner]))
    return merge_volt_var(parts)


def with_curve_of(spec: StudySpec, strategy: Any) -> StudySpec:
    """Return the study as a row of it is solved: with the Volt-VAr curve its strategy has for chargers.

    A curve that the study itself names for chargers stays.
    """
    curve = getattr(strategy, "volt_var", "")
    if not curve or "chargers" in spec.volt_var:
        return spec
    return dataclasses.replace(spec, volt_var={**spec.volt_var, "chargers": curve})


def _of_pv(spec: StudySpec, found: Elements) -> VoltVar:
    """Return the answer of PV inverters."""
    given = spec.volt_var["pv"]
    raise_problems(list(_curve_problems("pv", given)), "Volt-VAr")
    at = found.places(PV)
    peak: FloatArray = -spec.profiles.pv_p_kw.min(axis=0)[found.owner[at]]
    ratio = given.get("s_max_per_kw") if isinstance(given, Mapping) else None
    if ratio is not None:
        return volt_var_for(peak, at, _curve(given), peak * float(ratio))
    try:
        return volt_var_for(peak, at, _curve(given))
    except InputError as error:
        # A study names apparent power by its ratio, not in kVA.
        told = [
            Problem("volt_var, pv, q_share", p.what, _RATIO) if p.where == "q_share" else p
            for p in error.problems
        ]
        raise_problems(told, "Volt-VAr")
        raise


_RATIO = (
    "give s_max_per_kw beside q_share, apparent over rated active power, e.g. 1.1 "
    "(shares count on apparent power), or smaller shares"
)


def _charger_kva(spec: StudySpec) -> FloatArray:
    return spec.fleet.chargers["s_max_kva"].to_numpy(dtype=np.float64)


def _curve_problems(owner: str, given: Any) -> Iterator[Problem]:
    """Return what is wrong with the keys of a user's own curve; the points are checked with it."""
    if not isinstance(given, Mapping):
        return
    for key in given:
        if key not in _KEYS:
            yield Problem(f"volt_var, {owner}", f"names {key!r}", f"choose of {', '.join(_KEYS)}")
    ratio = given.get("s_max_per_kw")
    if ratio is None:
        return
    where = f"volt_var, {owner}, s_max_per_kw"
    if owner == "chargers":
        remedy = "leave it out; chargers have their apparent power in s_max_kva"
        yield Problem(where, "is given for chargers", remedy)
    elif isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 1 <= ratio < np.inf:
        remedy = "give apparent over rated active power, e.g. 1.1; 1 leaves none at full power"
        yield Problem(where, f"is {ratio!r}, must be a number of 1 or more", remedy)


def _curve(given: Any) -> Any:
    """Return the name of a curve, or voltages and shares of the user's own."""
    if isinstance(given, Mapping):
        return given.get("v_pu", ()), given.get("q_share", ())
    return given


def volt_var_words(given: Any) -> str:
    """Return a curve in words."""
    if not isinstance(given, Mapping):
        return str(given)
    points = zip(given.get("v_pu", ()), given.get("q_share", ()), strict=False)
    return "own curve " + ", ".join(f"{v:g} pu {q:+g}" for v, q in points)


def volt_var_study_notes(spec: StudySpec) -> list[Note]:
    """Return what answers to voltage and how large it is taken to be."""
    notes = []
    if "pv" in spec.volt_var:
        notes.append(_pv_note(spec))
    if "chargers" in spec.volt_var:
        text = (
            f"reactive power of chargers follows {volt_var_words(spec.volt_var['chargers'])} on their apparent power"
            f"{_kva_words(_charger_kva(spec))}, also while no car charges; beside it they run at power factor 1."
        )
        notes.append(Note("assumption", "Volt-VAr, chargers", text))
    return notes


def _pv_note(spec: StudySpec) -> Note:
    """Return which curve PV follows and which apparent power was taken."""
    given = spec.volt_var["pv"]
    size = _of_pv(spec, elements_of(spec, with_cars=False)).s_max_kva
    if not len(size):
        return Note("warning", "Volt-VAr, pv", "no site has PV: no inverter answers to voltage.")
    ratio = given.get("s_max_per_kw") if isinstance(given, Mapping) else None
    taken = "large enough for the curve beside it" if ratio is None else f"{ratio:g} times that"
    text = (
        f"reactive power of PV follows {volt_var_words(given)}; an inverter's rated power is the "
        f"highest of its profile, its apparent power {taken}{_kva_words(size)}."
    )
    return Note("assumption", "Volt-VAr, pv", text)


def _kva_words(size: FloatArray) -> str:
    """Return a range of apparent powers in words, nothing of none."""
    if not len(size):
        return ""
    least, most = f"{size.min():.3g}", f"{size.max():.3g}"
    return f" ({least} kVA)" if least == most else f" ({least} to {most} kVA)"
