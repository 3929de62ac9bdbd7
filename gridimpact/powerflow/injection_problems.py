"""What may be wrong with the values of injections, place by place."""

from __future__ import annotations

import numpy as np

from gridimpact.errors import Problem
from gridimpact.records import FloatArray, Injections

SHOWN = 20
"""Problems of one kind listed one by one before they are only counted."""


def non_finite(injections: Injections, name: str) -> list[Problem]:
    """Return where power is not finite.

    Parameters
    ----------
    injections : Injections
        Never written to.
    name : str
        ``"p_kw"`` or ``"q_kvar"``.
    """
    values: FloatArray = getattr(injections, name)
    # A sum is finite unless a value is not, or the values overflow: one cheap pass first.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return []
    places = np.argwhere(~np.isfinite(values))
    problems = [
        Problem(
            f"{name} scenario {scenario}, step {step}, element {element}",
            f"is {values[scenario, step, element]}",
            "fill the gap or mend the source",
        )
        for scenario, step, element in places[:SHOWN]
    ]
    if len(places) > SHOWN:
        problems.append(Problem(name, f"{len(places) - SHOWN} more values are not finite"))
    return problems


def wrong_shares(injections: Injections) -> list[Problem]:
    """Return which elements have impossible shares of impedance, current or phase."""
    problems = []
    for name in ("zip_p", "zip_q"):
        share: FloatArray = getattr(injections, name)
        wrong = ~((share >= 0).all(axis=1) & (share.sum(axis=1) <= 1 + 1e-9))
        problems += [
            Problem(
                f"{name} of element {element}",
                f"is {share[element].tolist()}",
                "shares of constant impedance and current lie in 0..1 and sum to at most 1",
            )
            for element in np.flatnonzero(wrong)[:SHOWN]
        ]
    share = injections.phase_share
    wrong = ~((share >= 0).all(axis=1) & (np.abs(share.sum(axis=1) - 1) <= 1e-9))
    problems += [
        Problem(f"phase_share of element {element}", f"is {share[element].tolist()}, must sum to 1")
        for element in np.flatnonzero(wrong)[:SHOWN]
    ]
    return problems
