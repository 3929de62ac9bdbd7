"""Which elements a power flow is given, in which order, and on which phases each stands.

Order: load of every site, PV of every site that has any, every charger, and then once more the
three-phase chargers that cars of one phase use: those cars load one phase only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.fleet.seeding import content_number
from gridimpact.records import BoolArray, FloatArray, IntArray, Note
from gridimpact.study.spec import StudySpec

LOAD, PV, CHARGER, ONE_PHASE_CARS = 0, 1, 2, 3
"""Kinds of element."""
_PHASES = "abc"


@dataclass(frozen=True)
class Elements:
    """Every connected element of a study, arrays over (element,)."""

    kind: IntArray
    owner: IntArray
    """Position of the site, or of the charger."""
    phases: tuple[str, ...]

    def places(self, *kinds: int) -> IntArray:
        """Return the positions of some kinds of element, in order."""
        return np.flatnonzero(np.isin(self.kind, kinds))

    def by_owner(self, values: FloatArray, count: int, *kinds: int) -> FloatArray:
        """Return values (time, element) of some kinds added up by their owner, (time, owner)."""
        total = np.zeros((values.shape[0], count))
        for place in self.places(*kinds):
            total[:, self.owner[place]] += values[:, place]
        return total


def elements_of(spec: StudySpec, *, with_cars: bool) -> Elements:
    """Return the elements of a study, with or without its chargers."""
    at_site = [str(p) for p in spec.network.sites["phases"]]
    with_pv = np.flatnonzero(spec.profiles.pv_p_kw.min(axis=0) < 0.0)
    pv_phases = phases_of_pv(spec)
    parts = [
        (LOAD, np.arange(len(at_site)), at_site),
        (PV, with_pv, [pv_phases[k] for k in with_pv]),
    ]
    if with_cars:
        wired = [str(p) for p in spec.fleet.chargers["phases"]]
        mixed = np.flatnonzero(shared_by_one_phase_cars(spec))
        first = [first_phase(spec, int(k)) for k in mixed]
        parts += [(CHARGER, np.arange(len(wired)), wired), (ONE_PHASE_CARS, mixed, first)]
    return Elements(
        np.concatenate([np.full(len(own), kind) for kind, own, _ in parts]).astype(np.int64),
        np.concatenate([own for _, own, _ in parts]).astype(np.int64),
        tuple(text for _, _, texts in parts for text in texts),
    )


def shared_by_one_phase_cars(spec: StudySpec) -> BoolArray:
    """Return the three-phase chargers that cars of one phase use, (charger,).

    Only a study in three phases needs to tell them apart.
    """
    chargers, sessions = spec.fleet.chargers, spec.fleet.sessions
    three = chargers["phases"].astype(str).str.len().to_numpy() > 1
    if spec.power_flow != "three_phase" or not len(sessions):
        return np.zeros(len(chargers), dtype=np.bool_)
    used = _fewest_phases(spec).reindex(chargers.index)
    return np.asarray(three & (used == 1).to_numpy())


def _fewest_phases(spec: StudySpec) -> pd.Series[float]:
    """Return the fewest phases of any car that uses a charger."""
    sessions, vehicles = spec.fleet.sessions, spec.fleet.vehicles
    return sessions["vehicle_id"].map(vehicles["phases"]).groupby(sessions["charger_id"]).min()


def first_phase(spec: StudySpec, charger: int) -> str:
    """Return the phase a three-phase charger's first conductor is wired to, drawn by seed."""
    name = str(spec.fleet.chargers.index[charger])
    return _PHASES[content_number(spec.seed, "phase", name) % len(_PHASES)]


def phases_of_pv(spec: StudySpec) -> list[str]:
    """Return the phases of each site's PV, (site,): the site's, or one for a small inverter."""
    sites = [str(s) for s in spec.network.sites.index]
    at_site = [str(p) for p in spec.network.sites["phases"]]
    limit = spec.pv_single_phase_kva
    if limit is None:
        return at_site
    peak = -spec.profiles.pv_p_kw.min(axis=0)
    return [
        own[content_number(spec.seed, "pv phase", site) % len(own)] if 0 < power <= limit else own
        for site, own, power in zip(sites, at_site, peak, strict=True)
    ]


def phases_of_chargers(spec: StudySpec) -> list[str]:
    """Return the phases in use at each charger: its own, or the one its one-phase cars load."""
    wired = [str(p) for p in spec.fleet.chargers["phases"]]
    if not len(spec.fleet.sessions):
        return wired
    fewest = _fewest_phases(spec).reindex(spec.fleet.chargers.index).to_numpy()
    return [
        first_phase(spec, k) if len(own) > 1 and fewest[k] == 1 else own
        for k, own in enumerate(wired)
    ]


def phase_notes(spec: StudySpec) -> list[Note]:
    """Return by which rules customers, cars and PV stand on their phases in a three-phase study."""
    notes = []
    at_site = spec.network.sites["phases"].astype(str)
    counts = at_site.value_counts().sort_index()
    told = ", ".join(f"{count} on {phases}" for phases, count in counts.items())
    notes.append(Note("info", "phases, sites", f"{told}; as the network says."))
    shared = np.flatnonzero(shared_by_one_phase_cars(spec))
    if shared.size:
        text = (
            f"{shared.size} three-phase chargers serve cars of one phase; those cars load the phase the "
            f"charger's first conductor is wired to, drawn by charger and seed {spec.seed}."
        )
        notes.append(Note("assumption", "phases, chargers", text))
    with_pv = spec.profiles.pv_p_kw.min(axis=0) < 0.0
    limit = spec.pv_single_phase_kva
    if with_pv.any() and limit is None:
        text = f"PV of {int(with_pv.sum())} sites feeds evenly into all phases of its site."
        notes.append(Note("assumption", "phases, pv", text))
    elif with_pv.any():
        one = sum(len(p) == 1 for p, has in zip(phases_of_pv(spec), with_pv, strict=True) if has)
        text = (
            f"PV of {one} of {int(with_pv.sum())} sites feeds into one phase, drawn by site and seed "
            f"{spec.seed}: inverters up to {limit:g} kVA do."
        )
        notes.append(Note("assumption", "phases, pv", text))
    return notes
