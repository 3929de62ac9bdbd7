"""Reactive power of sites: from the profiles, else the network's own Q/P, else a power factor."""

from __future__ import annotations

import numpy as np

from gridimpact.records import FloatArray
from gridimpact.study.spec import StudySpec


def site_reactive_kvar(spec: StudySpec, steps: slice) -> FloatArray:
    """Return the reactive load of each site in some steps [kvar], (time, site), positive lagging.

    Notes
    -----
    A site whose profile has reactive power keeps it. Else the ratio of the network's own load at
    the site holds at every step, and where the network gives none, the study's power factor.
    """
    if spec.profiles.load_q_kvar is not None:
        return spec.profiles.load_q_kvar[steps]
    reactive: FloatArray = np.abs(spec.profiles.load_p_kw[steps]) * reactive_ratio(spec)
    return reactive


def reactive_ratio(spec: StudySpec) -> FloatArray:
    """Return Q/P of each site, (site,)."""
    sites = spec.network.sites
    active = sites["load_p_kw"].to_numpy(dtype=np.float64)
    reactive = sites["load_q_kvar"].to_numpy(dtype=np.float64)
    default = float(np.tan(np.arccos(spec.site_power_factor)))
    given = (np.abs(active) > 0.0) & (np.abs(reactive) > 0.0)
    ratio = np.full(len(sites), default)
    np.divide(reactive, active, out=ratio, where=given)
    return ratio


def sites_without_reactive(spec: StudySpec) -> int:
    """Return how many sites take the default power factor."""
    if spec.profiles.load_q_kvar is not None:
        return 0
    return int((spec.network.sites["load_q_kvar"].to_numpy(dtype=np.float64) == 0.0).sum())
