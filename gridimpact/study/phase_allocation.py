"""Which phase a single-phase charger stands on: drawn by seed, taken in turn, kept or given."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.fleet.seeding import content_number
from gridimpact.records import IntArray, Note

_PHASES = ("a", "b", "c")
PHASE_RULES = ("allocate", "rotate", "keep", *_PHASES)
"""What `phases` may be."""


def allocate_phases(
    chargers: pd.DataFrame,
    one_phase: pd.Series[bool],
    sites: pd.DataFrame,
    rule: tuple[str, int],
    notes: list[Note],
) -> pd.DataFrame:
    """Return placed chargers with phases that their sites have, and the power that comes with them.

    Parameters
    ----------
    chargers : pandas.DataFrame
        As `gridimpact.records.Fleet`, with known sites; its powers may be written over.
    one_phase : pandas.Series of bool
        By charger: every car that uses it charges on one phase.
    sites : pandas.DataFrame
        Of the network.
    rule : (str, int)
        ``phases`` and ``seed`` as in `place`.
    notes : list of Note
        What is assumed is added here.

    Raises
    ------
    InputError
        If the rule is unknown or a phase is not at the site.
    """
    phases, seed = rule
    if phases not in PHASE_RULES:
        message = (
            f"phases {phases!r} is unknown; write 'allocate', 'rotate', 'keep', 'a', 'b' or 'c'"
        )
        raise InputError(message)
    at_site = sites["phases"].astype(str)
    at_site.index = at_site.index.astype(str)
    there = chargers["site_id"].map(at_site)
    single = (chargers["phases"].str.len() == 1) | one_phase
    turn = _turns(chargers["site_id"], at_site.index)
    names, problems = [], []
    for charger, offered, own, one, k in zip(
        chargers.index, there, chargers["phases"], single, turn, strict=True
    ):
        if not one:
            names.append(own if len(offered) >= len(own) else offered)
            continue
        phase = own[0] if phases == "keep" else phases
        if phases == "allocate":
            phase = offered[content_number(seed, "phase", charger) % len(offered)]
        elif phases == "rotate":
            phase = offered[k % len(offered)]
        if phase not in offered:
            what = f"is on phase {phase}, its site has {offered}"
            problems.append(Problem(f"chargers, {charger}", what, "phases='allocate'"))
        names.append(phase)
    raise_problems(problems, "place")
    if phases == "allocate" and bool(single.any()):
        text = (
            f"{int(single.sum())} chargers charge on one phase, drawn by charger and seed {seed}."
        )
        notes.append(Note("assumption", "place", text))
    columns = ["p_max_kw", "p_discharge_max_kw", "s_max_kva"]
    # One phase of a three-phase charger gives a third of its power.
    third = single & (chargers["phases"].str.len() == len(_PHASES))
    if third.any():
        chargers.loc[third, columns] = chargers.loc[third, columns] / len(_PHASES)
    reduced = ~single & (there.str.len() < chargers["phases"].str.len())
    if reduced.any():
        text = f"{int(reduced.sum())} three-phase chargers at sites with fewer phases give their share."
        notes.append(Note("assumption", "place", text))
        share = (there.str.len() / 3.0)[reduced]
        chargers.loc[reduced, columns] = chargers.loc[reduced, columns].mul(share, axis=0)
    return chargers.assign(phases=names)


def _turns(site_id: pd.Series[str], sites: pd.Index[str]) -> IntArray:
    """Return the row of each charger's site plus how many chargers the site has before it."""
    before = site_id.groupby(site_id, sort=False).cumcount().to_numpy(dtype=np.int64)
    return np.asarray(sites.get_indexer(pd.Index(site_id)) + before, dtype=np.int64)
