"""Which PV inverters and chargers of a study answer to voltage, and what is assumed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gridimpact.powerflow.volt_var import merge_volt_var, volt_var_for
from gridimpact.records import Note, VoltVar
from gridimpact.study.elements import CHARGER, PV, Elements
from gridimpact.study.spec import StudySpec


def volt_var_of(spec: StudySpec, found: Elements) -> VoltVar | None:
    """Return what answers to voltage, None where nothing does.

    Notes
    -----
    PV counts with the highest power of its profile, a charger with its rated apparent power.

    Raises
    ------
    InputError
        If a curve is unknown or unsound.
    """
    parts = []
    if "pv" in spec.volt_var:
        at = found.places(PV)
        peak = -spec.profiles.pv_p_kw.min(axis=0)[found.owner[at]]
        parts.append(volt_var_for(peak, at, _curve(spec.volt_var["pv"])))
    if "chargers" in spec.volt_var:
        at = found.places(CHARGER)
        size = spec.fleet.chargers["s_max_kva"].to_numpy(dtype=np.float64)[found.owner[at]]
        power = spec.fleet.chargers["p_max_kw"].to_numpy(dtype=np.float64)[found.owner[at]]
        parts.append(volt_var_for(power, at, _curve(spec.volt_var["chargers"]), size))
    return merge_volt_var(parts)


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
        text = (
            f"reactive power of PV follows {volt_var_words(spec.volt_var['pv'])}; an inverter's rated power is the "
            "highest of its profile, its apparent power large enough for the curve beside it."
        )
        notes.append(Note("assumption", "Volt-VAr, pv", text))
    if "chargers" in spec.volt_var:
        text = (
            f"reactive power of chargers follows {volt_var_words(spec.volt_var['chargers'])} on their apparent power, "
            "also while no car charges; beside it they run at power factor 1."
        )
        notes.append(Note("assumption", "Volt-VAr, chargers", text))
    return notes
