"""Named limit profiles with edition and source, and how a user makes an own one.

A profile holds numbers only; judging against them is done by the reducers.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gridimpact.assess.limit_fields import LV_MAX_KV, MV_MAX_KV, RANGES, LimitProfile
from gridimpact.errors import InputError, Problem, raise_problems

__all__ = [
    "ALWAYS_MAX_PU",
    "ALWAYS_MIN_PU",
    "EN_50160",
    "EU_LV_PLANNING",
    "LIMIT_PROFILES",
    "LV_MAX_KV",
    "MV_MAX_KV",
    "LimitProfile",
    "limit_profile",
]

ALWAYS_MIN_PU = 0.85
ALWAYS_MAX_PU = 1.10
"""Outermost band of EN 50160, never to be left."""

EN_50160 = LimitProfile(
    name="en_50160",
    title="EN 50160 supply voltage",
    edition="EN 50160:2010+A3:2019",
    source="5.2 and 4.2.2: 10 min means within +-10 % of nominal in 95 % of each week, "
    "never outside +10/-15 %; the low- and the medium-voltage clause ask the same here; 4.2.4 and "
    "5.2.4: negative over positive sequence voltage within 2 % in 95 % of each week",
    vm_min_pu=ALWAYS_MIN_PU,
    vm_max_pu=ALWAYS_MAX_PU,
    mv_min_pu=ALWAYS_MIN_PU,
    mv_max_pu=ALWAYS_MAX_PU,
    week_min_pu=0.90,
    week_max_pu=1.10,
    week_share=0.95,
    unbalance_percent=2.0,
    unbalance_share=0.95,
)

EU_LV_PLANNING = LimitProfile(
    name="eu_lv_planning",
    title="European low-voltage planning",
    edition="planning practice; rise after VDE-AR-N 4105:2018",
    source="EN 50160's 10 % shared between voltage levels: drop 5 %, rise 3 % from the busbar; "
    "its unbalance of 2 % in 95 % of a week; normal cyclic transformer loading to 150 % and 120 degC hot spot (IEC 60076-7:2018)",
    drop_pu=0.05,
    rise_pu=0.03,
    unbalance_percent=2.0,
    unbalance_share=0.95,
)

_TABLE = (
    EU_LV_PLANNING,
    dataclasses.replace(
        EU_LV_PLANNING,
        name="eu_lv_dso",
        title="European low-voltage planning, transformer at 100 %",
        transformer_loading_percent=100.0,
    ),
    EN_50160,
    LimitProfile(
        name="ansi_c84_1",
        title="ANSI C84.1 range A service voltage",
        edition="ANSI C84.1-2020",
        source="table 1, range A: +-5 % up to 600 V, +5/-2.5 % above; its annex on polyphase unbalance: 3 %",
        unbalance_nema_percent=3.0,
        vm_min_pu=0.95,
        vm_max_pu=1.05,
        mv_min_pu=0.975,
        mv_max_pu=1.05,
        loading_guide="ieee",
    ),
    LimitProfile(
        name="ansi_c84_1_b",
        title="ANSI C84.1 range B service voltage",
        edition="ANSI C84.1-2020",
        source="table 1, range B: 110 to 127 V on 120 V, +5.8/-5 % above 600 V; its annex on polyphase unbalance: 3 %",
        unbalance_nema_percent=3.0,
        vm_min_pu=110.0 / 120.0,
        vm_max_pu=127.0 / 120.0,
        mv_min_pu=0.95,
        mv_max_pu=1.058,
        loading_guide="ieee",
    ),
    LimitProfile(
        name="uk_esqcr",
        title="United Kingdom, statutory voltage and planning practice",
        edition="ESQCR 2002 (SI 2002/2665); ENA EREC P28 issue 2 (2018), P29 (1990)",
        source="ESQCR regulation 27: 230 V +10/-6 %, high voltage below 132 kV +-6 %; practice: P28's general "
        "limit of 3 % for a step of voltage, P29's 1.3 % of unbalance below 33 kV at every step, as its "
        "higher value for a minute is shorter than a step",
        vm_min_pu=0.94,
        vm_max_pu=1.10,
        mv_min_pu=0.94,
        mv_max_pu=1.06,
        unbalance_percent=1.3,
        step_change_pu=0.03,
        step_change_mv_pu=0.03,
    ),
    LimitProfile(
        name="ieee_1547",
        title="IEEE 1547 beside ANSI C84.1 range A",
        edition="IEEE Std 1547-2018; ANSI C84.1-2020",
        source="IEEE 1547-2018, 7.2.2: rapid voltage change 3 % of nominal at medium, 5 % at low voltage; ANSI "
        "C84.1 table 1, range A, service voltage, and its annex on polyphase unbalance: 3 %; trips, ride-through "
        "and current distortion of IEEE 1547 are not assessed",
        unbalance_nema_percent=3.0,
        vm_min_pu=0.95,
        vm_max_pu=1.05,
        mv_min_pu=0.975,
        mv_max_pu=1.05,
        step_change_pu=0.05,
        step_change_mv_pu=0.03,
        loading_guide="ieee",
    ),
    LimitProfile(
        name="vde_ar_n_4100",
        title="VDE-AR-N 4100, consumers' connections, EN 50160 behind",
        edition="VDE-AR-N 4100:2019-04",
        source="5.5: at most 4.6 kVA between two phases of a connection; practice of its clause 5.4 on network "
        "disturbances: a rapid voltage change of 3 %; voltage and unbalance of EN 50160; main fuses at 100 %",
        vm_min_pu=0.90,
        vm_max_pu=1.10,
        unbalance_percent=2.0,
        unbalance_share=0.95,
        step_change_pu=0.03,
        single_phase_kva=4.6,
        fuse_percent=100.0,
        transformer_loading_percent=100.0,
    ),
    LimitProfile(
        name="vde_ar_n_4105",
        title="VDE-AR-N 4105 rise by generation, EN 50160 below",
        edition="VDE-AR-N 4105:2018-11, VDE-AR-N 4100:2019-04",
        source="5.4.1: rise by all generation at most 3 %; taken from the busbar, which is the "
        "smaller of the two where load runs at the same time; unbalance of EN 50160",
        vm_min_pu=0.90,
        vm_max_pu=1.10,
        rise_pu=0.03,
        unbalance_percent=2.0,
        unbalance_share=0.95,
        transformer_loading_percent=100.0,
    ),
)

LIMIT_PROFILES: Mapping[str, LimitProfile] = MappingProxyType({p.name: p for p in _TABLE})
"""Every packaged limit profile by name."""


def limit_profile(wanted: str | LimitProfile | Mapping[str, Any] | object) -> LimitProfile:
    """Return a limit profile by name, or one of the user's own numbers.

    Parameters
    ----------
    wanted : str, LimitProfile or mapping
        A name of `LIMIT_PROFILES`; a profile, returned as it is; or a mapping with an optional
        ``base`` (a name, ``eu_lv_planning`` by default) and the fields that differ from it.

    Returns
    -------
    LimitProfile
        The profile.

    Raises
    ------
    InputError
        If a name or a field is unknown (the nearest known one is offered) or a number is
        implausible; all problems at once.

    Examples
    --------
    >>> limit_profile("eu_lv_planning").drop_pu
    0.05
    >>> limit_profile({"name": "ours", "drop_pu": 0.04}).rise_pu
    0.03
    """
    if isinstance(wanted, LimitProfile):
        return wanted
    if isinstance(wanted, str):
        return _named(wanted)
    if not isinstance(wanted, Mapping):
        message = f"limits: {wanted!r} is neither a name, a mapping nor a LimitProfile"
        raise InputError(message)
    changes: dict[str, Any] = dict(wanted)
    base = _named(str(changes.pop("base", EU_LV_PLANNING.name)))
    fields = [field.name for field in dataclasses.fields(LimitProfile)]
    problems = []
    for key, value in changes.items():
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(fields)}"
            problems.append(Problem(f"limits {key}", "is no limit", remedy))
        elif key in RANGES and not (value is None or _is_number(value)):
            problems.append(Problem(f"limits {key}", f"is {value!r}, must be a number or none"))
    raise_problems(problems, "limits")
    numbers = {k: float(v) if k in RANGES and v is not None else v for k, v in changes.items()}
    own: dict[str, Any] = {
        "name": f"user ({base.name})",
        "source": f"user, from {base.name}",
    } | numbers
    return dataclasses.replace(base, **own)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(name: str) -> LimitProfile:
    """Return a packaged profile; hyphens and upper case do not matter."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_").replace(".", "_")
    if plain in LIMIT_PROFILES:
        return LIMIT_PROFILES[plain]
    near = difflib.get_close_matches(plain, LIMIT_PROFILES, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"limit profile {name!r} is unknown, known are {', '.join(LIMIT_PROFILES)}{hint}"
    raise InputError(message)
