"""Solve a network's own demand once and say why it has no solution, if it has none."""

from __future__ import annotations

import copy
from typing import Any

from gridimpact.errors import Problem
from gridimpact.network.check_elements import active

_TRIED = (0.5, 0.1, 0.0)
"""Shares of the demand tried after the whole fails."""


def check_base_case(net: Any) -> list[Problem]:
    """Return the problem of a network whose own demand has no power-flow solution.

    Parameters
    ----------
    net : pandapowerNet
        Checked and mended net; not written to.

    Returns
    -------
    list of Problem
        Empty where the power flow converges; else one error that tells demand from network data.
    """
    if _converges(copy.deepcopy(net), 1.0):
        return []
    share = next((s for s in _TRIED if _converges(copy.deepcopy(net), s)), None)
    demand = 1000.0 * float((active(net, "load").p_mw * active(net, "load").scaling).sum())
    rating = 1000.0 * float((active(net, "trafo").sn_mva * active(net, "trafo").parallel).sum())
    if share is None:
        what = "the network has no power-flow solution even without demand"
        return [Problem("network", what, "check impedances, ratings, taps and lengths")]
    what = (
        f"its own demand of {demand:g} kW on transformers of {rating:g} kVA has no power-flow "
        f"solution; {100 * share:g} % of it has"
    )
    return [Problem("load, p_mw", what, "p_mw is in MW: check the unit, or lower scaling")]


def _converges(net: Any, share: float) -> bool:
    """Return whether the power flow of a share of the demand converges."""
    import pandapower

    for table in ("load", "sgen", "asymmetric_load", "asymmetric_sgen"):
        net[table]["scaling"] *= share
    for init in ("auto", "flat"):
        try:
            pandapower.runpp(net, numba=False, init=init)
        except Exception:  # whatever stops the solver: there is no solution to start from
            continue
        return bool(net["converged"])
    return False
