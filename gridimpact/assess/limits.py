"""Named limit profiles with edition and source, and how a user makes an own one.

A profile holds numbers only; judging against them is done by the reducers.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gridimpact.errors import InputError, Problem, raise_problems

LV_MAX_KV = 1.0
"""Low voltage ends here (EN 50160) [kV]."""
MV_MAX_KV = 36.0
"""Medium voltage ends here (EN 50160) [kV]."""


@dataclass(frozen=True, slots=True)
class LimitProfile:
    """What a network must keep; None where nothing is asked.

    Attributes
    ----------
    name, title, edition, source : str
        What it is called, and which text says so.
    vm_min_pu, vm_max_pu : float or None
        Voltage of low-voltage buses at every step, over nominal.
    drop_pu, rise_pu : float or None
        Departure of low-voltage buses from the busbar that supplies them, at the same step.
    mv_min_pu, mv_max_pu : float or None
        Voltage of medium-voltage buses; None leaves them unjudged, limits for low voltage are
        never applied to them.
    week_min_pu, week_max_pu, week_share : float or None
        Band to be kept in this share of every whole week, by means over ten minutes.
    unbalance_percent : float or None
        Negative over positive sequence voltage, in `unbalance_share` of the ten-minute means of
        every whole week; three-phase power flows only.
    unbalance_share : float or None
        Share asked for; None asks for it at every step.
    unbalance_nema_percent : float or None
        Largest deviation of a phase-to-phase voltage from their mean over it, at every step.
    transformer_loading_percent, line_loading_percent : float or None
        Current over rated current [%].
    hot_spot_c : float or None
        Hot-spot temperature [degC].
    ageing_equivalent : float or None
        Equivalent ageing over a year, 1 is normal; judged only where a year is assessed.
    """

    name: str
    title: str = ""
    edition: str = ""
    source: str = ""
    vm_min_pu: float | None = None
    vm_max_pu: float | None = None
    drop_pu: float | None = None
    rise_pu: float | None = None
    mv_min_pu: float | None = None
    mv_max_pu: float | None = None
    week_min_pu: float | None = None
    week_max_pu: float | None = None
    week_share: float | None = None
    unbalance_percent: float | None = None
    unbalance_share: float | None = None
    unbalance_nema_percent: float | None = None
    transformer_loading_percent: float | None = 150.0
    line_loading_percent: float | None = 100.0
    hot_spot_c: float | None = 120.0
    ageing_equivalent: float | None = 1.0

    def __post_init__(self) -> None:
        """Check ranges and order of every number, all problems at once."""
        raise_problems(_problems(self), f"limit profile {self.name!r}")

    @property
    def week(self) -> tuple[float, float, float] | None:
        """Lower and upper end of the weekly band and the share asked for, None without one."""
        low, high, share = self.week_min_pu, self.week_max_pu, self.week_share
        if low is None or high is None or share is None:
            return None
        return low, high, share

    @property
    def judges_mv(self) -> bool:
        """Whether medium-voltage buses have limits."""
        return self.mv_min_pu is not None or self.mv_max_pu is not None

    @property
    def judges_lv(self) -> bool:
        """Whether low-voltage buses have limits at every step."""
        limits = (self.vm_min_pu, self.vm_max_pu, self.drop_pu, self.rise_pu)
        return any(limit is not None for limit in limits)


_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "vm_min_pu": (0.5, 1.0),
        "vm_max_pu": (1.0, 1.5),
        "drop_pu": (0.0, 0.5),
        "rise_pu": (0.0, 0.5),
        "mv_min_pu": (0.5, 1.0),
        "mv_max_pu": (1.0, 1.5),
        "week_min_pu": (0.5, 1.0),
        "week_max_pu": (1.0, 1.5),
        "week_share": (0.0, 1.0),
        "unbalance_percent": (0.1, 50.0),
        "unbalance_share": (0.0, 1.0),
        "unbalance_nema_percent": (0.1, 50.0),
        "transformer_loading_percent": (1.0, 400.0),
        "line_loading_percent": (1.0, 400.0),
        "hot_spot_c": (60.0, 250.0),
        "ageing_equivalent": (0.0, 1000.0),
    }
)


def _problems(profile: LimitProfile) -> list[Problem]:
    """Return every number that lies outside its plausible range."""
    found = []
    for field, (low, high) in _RANGES.items():
        value = getattr(profile, field)
        if value is not None and not low <= value <= high:
            unit = "per unit, 0.05 is 5 %" if field.endswith("_pu") else "see the field's unit"
            what = f"is {value}, must lie in {low:g} to {high:g}"
            found.append(Problem(f"limits {field}", what, unit))
    week = (profile.week_min_pu, profile.week_max_pu, profile.week_share)
    if any(part is None for part in week) and any(part is not None for part in week):
        remedy = "give week_min_pu, week_max_pu and week_share together"
        found.append(Problem("limits week_*", "is given in part", remedy))
    return found


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
    "its unbalance of 2 % in 95 % of a week; short-time transformer loading to 150 % and 120 degC hot spot (IEC 60076-7:2018 table 1)",
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
        elif key in _RANGES and not (value is None or _is_number(value)):
            problems.append(Problem(f"limits {key}", f"is {value!r}, must be a number or none"))
    raise_problems(problems, "limits")
    numbers = {k: float(v) if k in _RANGES and v is not None else v for k, v in changes.items()}
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
