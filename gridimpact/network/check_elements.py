"""Check the values of single elements: ranges, units mistaken by a thousand, swapped sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import Problem
from gridimpact.network.columns import rows_text
from gridimpact.records import BoolArray, FloatArray

LOW_VOLTAGE_KV = 1.0
"""Buses below this are low voltage [kV]."""
SHORTEST_KM = 1e-5
"""Lines shorter than this are warned about [km]."""
SMALLEST_PU = 1e-6
"""Least line impedance on 1 MVA [pu]."""


@dataclass(frozen=True)
class Rule:
    """What must hold for one column: `bad` marks the rows that break it."""

    table: str
    column: str
    bad: Callable[[FloatArray], BoolArray]
    must: str
    remedy: str
    severity: str = "error"


def _outside(low: float, high: float) -> Callable[[FloatArray], BoolArray]:
    """Return a test for values outside a closed range, NaN included."""
    return lambda values: ~((values >= low) & (values <= high))


def _not_above(low: float, high: float) -> Callable[[FloatArray], BoolArray]:
    """Return a test for values outside ``(low, high]``, NaN included."""
    return lambda values: ~((values > low) & (values <= high))


_FINITE = (_outside(-1e12, 1e12), "must be a finite number", "give the value")
_PERCENT = (_outside(0.0, 100.0), "must lie in 0 to 100 %", "correct the share")
_RULES = (
    Rule("bus", "vn_kv", _not_above(0.0, 800.0), "must be above 0, at most 800 kV", "give it in kV, not in V"),
    Rule("line", "length_km", _not_above(0.0, 1000.0), "must be above 0, at most 1000 km", "a line of no length is a closed bus-bus switch"),
    Rule("line", "length_km", lambda v: (v > 0.0) & (v < SHORTEST_KM), "is below 1 cm", "a bus-bus switch would do", "warning"),
    Rule("line", "r_ohm_per_km", _outside(0.0, 1e6), "must be 0 or more", "give the resistance in ohm/km"),
    Rule("line", "x_ohm_per_km", _outside(0.0, 1e6), "must be 0 or more", "give the reactance in ohm/km"),
    Rule("line", "c_nf_per_km", _outside(0.0, 1e7), "must be 0 or more", "give the capacitance in nF/km"),
    Rule("line", "max_i_ka", lambda v: ~np.isnan(v) & ~((v > 0.0) & np.isfinite(v)), "must be above 0 and finite", "give the ampacity in kA, or leave it empty for unrated"),
    Rule("line", "parallel", _outside(1, 100), "must be 1 or more", "correct the number of systems"),
    Rule("line", "df", _not_above(0.0, 2.0), "must be above 0, at most 2", "correct the derating factor"),
    Rule("trafo", "sn_mva", _not_above(0.0, 5000.0), "must be above 0", "give the rating in MVA"),
    Rule("trafo", "vn_hv_kv", _not_above(0.0, 800.0), "must be above 0, at most 800 kV", "give it in kV"),
    Rule("trafo", "vn_lv_kv", _not_above(0.0, 800.0), "must be above 0, at most 800 kV", "give it in kV"),
    Rule("trafo", "vk_percent", _not_above(0.0, 100.0), "must be above 0, at most 100 %", "give the short-circuit voltage in percent"),
    Rule("trafo", "vkr_percent", _outside(0.0, 100.0), "must lie in 0 to 100 %", "give its resistive part in percent"),
    Rule("trafo", "pfe_kw", _outside(0.0, 1e5), "must be 0 or more", "give the iron losses in kW"),
    Rule("trafo", "i0_percent", _outside(0.0, 100.0), "must lie in 0 to 100 %", "give the no-load current in percent"),
    Rule("trafo", "shift_degree", _outside(-360.0, 360.0), "must lie in -360 to 360", "correct the phase shift"),
    Rule("trafo", "parallel", _outside(1, 100), "must be 1 or more", "correct the number of units"),
    Rule("trafo", "df", _not_above(0.0, 2.0), "must be above 0, at most 2", "correct the derating factor"),
    *(Rule("trafo3w", f"{q}_{side}_{u}", _not_above(0.0, high), f"must be above 0, at most {high:g}", "correct the value")
      for side in ("hv", "mv", "lv") for q, u, high in (("sn", "mva", 5000.0), ("vn", "kv", 800.0), ("vk", "percent", 100.0))),
    *(Rule("trafo3w", f"vkr_{side}_percent", _outside(0.0, 100.0), "must lie in 0 to 100 %", "correct the value") for side in ("hv", "mv", "lv")),
    Rule("ext_grid", "vm_pu", _outside(0.8, 1.2), "must lie in 0.8 to 1.2 pu", "give the set-point per unit"),
    Rule("ext_grid", "va_degree", _outside(-360.0, 360.0), "must lie in -360 to 360", "correct the angle"),
    *(Rule("impedance", column, *_FINITE) for column in ("rft_pu", "xft_pu", "rtf_pu", "xtf_pu")),
    Rule("impedance", "sn_mva", _not_above(0.0, 1e6), "must be above 0", "give the base in MVA"),
    *(Rule("shunt", column, *_FINITE) for column in ("p_mw", "q_mvar")),
    Rule("load", "p_mw", *_FINITE),
    Rule("load", "q_mvar", *_FINITE),
    Rule("load", "p_mw", lambda v: v < 0.0, "is negative: a load that feeds in", "give generation as sgen", "warning"),
    Rule("load", "scaling", _outside(0.0, 1000.0), "must lie in 0 to 1000", "correct the factor"),
    *(Rule("load", f"const_{kind}_{power}_percent", *_PERCENT) for kind in "zi" for power in "pq"),
    Rule("sgen", "p_mw", *_FINITE),
    Rule("sgen", "q_mvar", *_FINITE),
    Rule("sgen", "p_mw", lambda v: v < 0.0, "is negative: a generator that draws", "give demand as load", "warning"),
    Rule("sgen", "scaling", _outside(0.0, 1000.0), "must lie in 0 to 1000", "correct the factor"),
    *(Rule(table, f"{power}_{phase}_{unit}", *_FINITE)
      for table in ("asymmetric_load", "asymmetric_sgen") for phase in "abc" for power, unit in (("p", "mw"), ("q", "mvar"))),
    *(Rule(table, "scaling", _outside(0.0, 1000.0), "must lie in 0 to 1000", "correct the factor") for table in ("asymmetric_load", "asymmetric_sgen")),
    Rule("motor", "pn_mech_mw", _outside(0.0, 1e4), "must be 0 or more", "give the shaft power in MW"),
    Rule("motor", "cos_phi", _not_above(0.0, 1.0), "must be above 0, at most 1", "give the power factor"),
    Rule("motor", "efficiency_percent", _not_above(0.0, 100.0), "must be above 0, at most 100 %", "give the efficiency in percent"),
    Rule("motor", "loading_percent", _outside(0.0, 1000.0), "must lie in 0 to 1000 %", "give the loading in percent"),
    Rule("motor", "scaling", _outside(0.0, 1000.0), "must lie in 0 to 1000", "correct the factor"),
    *(Rule(table, column, *_FINITE) for table in ("ward", "xward") for column in ("ps_mw", "qs_mvar", "pz_mw", "qz_mvar")),
    *(Rule("xward", column, *_FINITE) for column in ("r_ohm", "x_ohm")),
    *(Rule(table, column, _outside(0.8, 1.2), "must lie in 0.8 to 1.2 pu", "give the set-point per unit")
      for table, columns in (("gen", ("vm_pu",)), ("xward", ("vm_pu",)), ("dcline", ("vm_from_pu", "vm_to_pu")), ("svc", ("set_vm_pu",)), ("ssc", ("set_vm_pu",)))
      for column in columns),
    *(Rule(table, "p_mw", *_FINITE) for table in ("gen", "dcline")),
    *(Rule("dcline", column, _outside(0.0, 1e5), "must be 0 or more", "give the loss as a magnitude") for column in ("loss_mw", "loss_percent")),
    *(Rule(table, column, *_FINITE) for table in ("svc", "tcsc") for column in ("x_l_ohm", "x_cvar_ohm")),
)  # fmt: skip


def check_elements(net: Any) -> list[Problem]:
    """Return values of elements in service that cannot be or are likely a slip.

    Parameters
    ----------
    net : pandapowerNet
        Net whose bus numbers have been checked.
    """
    problems = []
    for rule in _RULES:
        frame = active(net, rule.table) if rule.table in net else pd.DataFrame()
        if len(frame) and rule.column in frame:
            values = frame[rule.column].to_numpy(dtype=np.float64)
            problems += broken(frame, rule, rule.bad(values))
    problems += _line_impedance(net)
    problems += _transformers(net)
    problems += _reactive_limits(net)
    return problems


def _reactive_limits(net: Any) -> list[Problem]:
    """Return generators whose lowest reactive power lies above their highest."""
    gen = active(net, "gen")
    low, high = (gen[c].to_numpy(np.float64) for c in ("min_q_mvar", "max_q_mvar"))
    must = "is above max_q_mvar"
    rule = Rule("gen", "min_q_mvar", _outside(0, 1), must, "give the lower limit first")
    return broken(gen, rule, low > high)


def active(net: Any, table: str) -> pd.DataFrame:
    """Return the rows of a table that are in service."""
    frame = net[table]
    found: pd.DataFrame = (
        frame[frame["in_service"].astype(bool)] if "in_service" in frame else frame
    )
    return found


def broken(frame: pd.DataFrame, rule: Rule, bad: BoolArray) -> list[Problem]:
    """Return one problem that names the rows of a mask with their values."""
    if not bad.any():
        return []
    rows = rows_text(frame.index[bad].tolist(), frame[rule.column][bad].tolist())
    where = f"{rule.table}, {rule.column}"
    return [Problem(where, f"{rows}: {rule.must}", rule.remedy, rule.severity)]


def _line_impedance(net: Any) -> list[Problem]:
    """Return lines whose impedance is too small to solve, or of an unlikely angle."""
    line = active(net, "line")
    if line.empty:
        return []
    r, x = (line[c].to_numpy(np.float64) for c in ("r_ohm_per_km", "x_ohm_per_km"))
    vn_kv = net.bus.vn_kv.loc[line.from_bus].to_numpy(np.float64)
    z_pu = np.hypot(r, x) * line.length_km.to_numpy(np.float64) / vn_kv**2
    tiny = Rule(
        "line",
        "length_km",
        _outside(0, 1),
        f"impedance is below {SMALLEST_PU:g} pu on 1 MVA",
        "replace it by a closed bus-bus switch",
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(x > 0.0, r / x, np.inf)
    odd = ((ratio > 100.0) | (ratio < 0.01)) & (np.hypot(r, x) > 0.0)
    slip = Rule(
        "line",
        "r_ohm_per_km",
        _outside(0, 1),
        "r/x lies outside 0.01 to 100",
        "check the line's data",
        "warning",
    )
    # A length of zero or below already has its own problem.
    return broken(line, tiny, (z_pu < SMALLEST_PU) & (line.length_km.to_numpy() > 0)) + broken(
        line, slip, odd
    )


def _transformers(net: Any) -> list[Problem]:
    """Return transformers with swapped sides, ratios off the buses', kVA as MVA, or taps off range."""
    trafo = active(net, "trafo")
    problems: list[Problem] = []
    if len(trafo):
        hv = net.bus.vn_kv.loc[trafo.hv_bus].to_numpy(np.float64)
        lv = net.bus.vn_kv.loc[trafo.lv_bus].to_numpy(np.float64)
        columns = ("sn_mva", "vk_percent", "vkr_percent", "vn_hv_kv", "vn_lv_kv")
        sn, vk, vkr, vn_hv, vn_lv = (trafo[c].to_numpy(np.float64) for c in columns)
        swapped = (hv < lv) | (vn_hv < vn_lv)
        off_hv, off_lv = np.abs(vn_hv / hv - 1.0) > 0.2, np.abs(vn_lv / lv - 1.0) > 0.2
        for column, bad, must, remedy in (
            (
                "hv_bus",
                swapped,
                "the high-voltage side has the lower voltage",
                "swap hv_bus and lv_bus",
            ),
            (
                "vn_hv_kv",
                off_hv & ~swapped,
                "is off its bus's vn_kv by more than 20 %",
                "correct the rated or the bus voltage",
            ),
            (
                "vn_lv_kv",
                off_lv & ~swapped,
                "is off its bus's vn_kv by more than 20 %",
                "correct the rated or the bus voltage",
            ),
            (
                "sn_mva",
                (sn >= 100.0) & (lv < LOW_VOLTAGE_KV),
                "is 100 MVA or more on low voltage",
                "give the rating in MVA, not in kVA",
            ),
            (
                "vkr_percent",
                vkr > vk,
                "is above vk_percent",
                "vkr_percent is the resistive part of vk_percent",
            ),
        ):
            problems += broken(trafo, Rule("trafo", column, _outside(0, 1), must, remedy), bad)
    for table in ("trafo", "trafo3w"):
        problems += _taps(active(net, table), table)
    return problems


def _taps(frame: pd.DataFrame, table: str) -> list[Problem]:
    """Return taps outside their range, and taps that move nothing."""
    if frame.empty:
        return []
    pos, low, high, step, neutral = (
        frame[c].to_numpy(np.float64)
        for c in ("tap_pos", "tap_min", "tap_max", "tap_step_percent", "tap_neutral")
    )
    outside = (pos < low) | (pos > high)
    rule = Rule(
        table,
        "tap_pos",
        _outside(0, 1),
        "lies outside tap_min to tap_max",
        "correct the tap position",
    )
    unkind = frame["tap_changer_type"].isna().to_numpy()
    idle = unkind & (np.abs(pos - neutral) > 0.0) & (np.abs(step) > 0.0)
    still = Rule(
        table,
        "tap_pos",
        _outside(0, 1),
        "has no effect, because tap_changer_type is empty",
        "set it to 'Ratio' if the tap shall act",
        "warning",
    )
    return broken(frame, rule, outside) + broken(frame, still, idle)


def check_demand(net: Any) -> list[Problem]:
    """Return demand that looks like kW given as MW, MW given as kW, or one customer given twice."""
    problems = []
    load = active(net, "load")
    low = load[net.bus.vn_kv.loc[load.bus].to_numpy() < LOW_VOLTAGE_KV]
    drawn = (low.p_mw * low.scaling).abs()
    drawn = drawn[drawn > 0.0]
    if len(drawn) and drawn.median() > 0.1:
        what = f"the median low-voltage load is {1000.0 * drawn.median():g} kW, above 100 kW"
        problems.append(Problem("load, p_mw", what, "p_mw is in MW: divide by 1000 if it holds kW"))
    if len(drawn) and drawn.median() < 1e-6:
        what = f"the median low-voltage load is {1e6 * drawn.median():g} W, below 1 W"
        remedy = "p_mw is in MW: multiply if it holds a larger unit"
        problems.append(Problem("load, p_mw", what, remedy, "warning"))
    both = active(net, "asymmetric_load")
    both = both[both.bus.isin(load.bus)]
    if len(both):
        what = (
            f"{rows_text(both.index.tolist(), both.bus.tolist())}: the bus has a symmetric load too"
        )
        remedy = "check that no customer is counted twice"
        problems.append(Problem("asymmetric_load, bus", what, remedy, "warning"))
    if len(load):
        for power in "pq":
            total = load[f"const_z_{power}_percent"] + load[f"const_i_{power}_percent"]
            rule = Rule(
                "load",
                f"const_z_{power}_percent",
                _outside(0, 1),
                "with constant current is above 100 %",
                "correct the shares",
            )
            problems += broken(load, rule, (total > 100.0 + 1e-9).to_numpy())
    return problems
