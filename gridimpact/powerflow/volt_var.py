"""Which elements answer to voltage with reactive power, by which curve, and whether that is sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import Problem, raise_problems
from gridimpact.powerflow.volt_var_curves import (
    CURVE_NAMES,
    CURVES,
    NamedCurve,
    curve_problems,
    volt_var_curve,
)
from gridimpact.records import FloatArray, Injections, Note, VoltVar

__all__ = [
    "CURVES",
    "CURVE_NAMES",
    "NamedCurve",
    "check_volt_var",
    "merge_volt_var",
    "volt_var",
    "volt_var_curve",
    "volt_var_for",
    "volt_var_notes",
]

_SMALL_KVA = 4.6
"""Largest apparent power of a generating plant that VDE-AR-N 4105 asks only cos phi 0.95 of."""

_LARGEST_FREE = 0.8
"""Largest share whose apparent power may follow from active power; beyond, ``P / sqrt(1 - q^2)`` soars."""

_SHOWN = 20


def volt_var(
    elements: ArrayLike,
    s_max_kva: ArrayLike,
    curve: str | tuple[ArrayLike, ArrayLike] = "ieee_1547_b",
    s_ref_kva: ArrayLike | None = None,
) -> VoltVar:
    """Let elements answer to voltage by one curve.

    Parameters
    ----------
    elements : array_like
        (answering,) positions in the element axis of the injections.
    s_max_kva : array_like
        Apparent power that is never exceeded, one value or one an element; active power goes first.
    curve : str or tuple
        A name of `CURVE_NAMES`, or voltages [pu] and shares of a curve of one's own.
    s_ref_kva : array_like, optional
        What shares count on; `s_max_kva` where left out.

    Raises
    ------
    InputError
        With everything that is wrong.
    """
    element = np.atleast_1d(np.asarray(elements, dtype=np.int64))
    given = (s_max_kva, s_max_kva if s_ref_kva is None else s_ref_kva)
    s_max, s_ref = (
        np.array(np.broadcast_to(np.asarray(size, dtype=np.float64), element.shape))
        for size in given
    )
    number = np.zeros(len(element), dtype=np.int64)
    if isinstance(curve, str):
        names = _names(curve)
        number = np.where(s_max <= _SMALL_KVA, 0, len(names) - 1)
        tables = [(np.array(CURVES[name].v_pu), np.array(CURVES[name].q_share)) for name in names]
    else:
        tables = [volt_var_curve(*curve)]
    v, q = np.stack([v for v, _ in tables]), np.stack([q for _, q in tables])
    found = VoltVar(element, s_max, s_ref, number.astype(np.int64), v, q)
    raise_problems(_problems(found), "Volt-VAr")
    return found


def _names(curve: str) -> tuple[str, ...]:
    """Return the curves a name stands for, that of small elements first."""
    if curve == "vde_ar_n_4105":
        return ("vde_ar_n_4105_095", "vde_ar_n_4105_090")
    if curve not in CURVES:
        problem = Problem("curve", f"is {curve!r}", f"give one of {', '.join(CURVE_NAMES)}")
        raise_problems([problem], "Volt-VAr")
    return (curve,)


def volt_var_for(
    p_rated_kw: ArrayLike,
    elements: ArrayLike,
    curve: str | tuple[ArrayLike, ArrayLike] = "ieee_1547_b",
    s_max_kva: ArrayLike | None = None,
) -> VoltVar:
    """Let elements answer whose active power is known, with the apparent power their curve asks for.

    Parameters
    ----------
    p_rated_kw : array_like
        Rated active power, one value or one an element [kW].
    elements : array_like
        (answering,) positions in the element axis of the injections.
    curve : str or tuple
        As `volt_var`.
    s_max_kva : array_like, optional
        Rated apparent power where known.

    Notes
    -----
    Where it is not known, apparent power is taken so large that the curve's largest share is free
    beside rated active power: ``P / sqrt(1 - q^2)``. This is what VDE-AR-N 4105 asks for (P / 0.90 above
    4.6 kVA, P / 0.95 below) and what lets a category B inverter of IEEE 1547 give its 44 % at full
    sun (1.11 P). An inverter without that reserve gives less: name its `s_max_kva`. A curve of one's own
    may so ask for up to 0.8 (1.67 P); steeper ones need `s_max_kva`.

    Raises
    ------
    InputError
        As `volt_var`, and where a share over 0.8 comes without `s_max_kva`.
    """
    if s_max_kva is not None:
        return volt_var(elements, s_max_kva, curve)
    p_kw = np.abs(np.asarray(p_rated_kw, dtype=np.float64))
    if isinstance(curve, str):
        shares = [np.abs(CURVES[name].q_share).max() for name in _names(curve)]
    else:
        shares = [np.abs(volt_var_curve(*curve)[1]).max()]
    if max(shares) > _LARGEST_FREE + 1e-9:
        what = (
            f"reaches {max(shares):g}, over {_LARGEST_FREE:g} no apparent power follows from active power: "
            "an inverter that large is not built"
        )
        remedy = "give s_max_kva (shares count on apparent power), or a curve of smaller shares"
        raise_problems([Problem("q_share", what, remedy)], "Volt-VAr")
    sizes = [p_kw / np.sqrt(1.0 - share**2) for share in shares]
    return volt_var(elements, np.where(sizes[0] <= _SMALL_KVA, sizes[0], sizes[-1]), curve)


def merge_volt_var(parts: Sequence[VoltVar]) -> VoltVar | None:
    """Return several groups of elements as one, each with its own curves; None of none.

    Raises
    ------
    InputError
        Where an element is in more than one.
    """
    filled = [part for part in parts if len(part.element)]
    if not filled:
        return None
    points = max(part.v_pu.shape[1] for part in filled)
    first = np.cumsum([0, *(len(part.v_pu) for part in filled)])
    merged = VoltVar(
        element=np.concatenate([part.element for part in filled]),
        s_max_kva=np.concatenate([part.s_max_kva for part in filled]),
        s_ref_kva=np.concatenate([part.s_ref_kva for part in filled]),
        curve=np.concatenate([part.curve + k for part, k in zip(filled, first[:-1], strict=True)]),
        v_pu=np.concatenate([_longer(part.v_pu, points, 1.0) for part in filled]),
        q_share=np.concatenate([_longer(part.q_share, points, 0.0) for part in filled]),
    )
    raise_problems(_problems(merged), "Volt-VAr")
    return merged


def _longer(table: FloatArray, points: int, step: float) -> FloatArray:
    """Return curves with points added beyond their end, where they are constant."""
    more = table[:, -1:] + step * np.arange(1, points - table.shape[1] + 1)
    return np.concatenate([table, more], axis=1)


def check_volt_var(injections: Injections) -> None:
    """Refuse what answers to voltage where it is unsound, naming every place.

    Active power above `s_max_kva` is no error: it stays, and leaves no room for reactive power.

    Raises
    ------
    InputError
        Where positions, sizes or curves are wrong.
    """
    if injections.volt_var is not None:
        raise_problems(_problems(injections.volt_var, len(injections.bus)), "Volt-VAr")


def _problems(given: VoltVar, count: int | None = None) -> list[Problem]:
    sizes = {
        name: len(getattr(given, name)) for name in ("element", "s_max_kva", "s_ref_kva", "curve")
    }
    if len(set(sizes.values())) > 1 or given.v_pu.shape != given.q_share.shape:
        what = f"arrays do not match: {sizes}, curves {given.v_pu.shape} and {given.q_share.shape}"
        return [Problem("volt_var", what, "build it by volt_var()")]
    found = _element_problems(given, count)
    for name in ("s_max_kva", "s_ref_kva"):
        size: FloatArray = getattr(given, name)
        found += [
            Problem(f"{name} of element {given.element[k]}", f"is {size[k]}, must be above 0")
            for k in np.flatnonzero(~((size > 0) & np.isfinite(size)))[:_SHOWN]
        ]
    wrong = np.flatnonzero((given.curve < 0) | (given.curve >= len(given.v_pu)))
    found += [
        Problem(
            f"curve of element {given.element[k]}",
            f"is {given.curve[k]}, must be a row from 0 to {len(given.v_pu) - 1}",
        )
        for k in wrong[:_SHOWN]
    ]
    for row in range(len(given.v_pu)):
        found += curve_problems(f"curve {row}", given.v_pu[row], given.q_share[row])
    return found


def _element_problems(given: VoltVar, count: int | None) -> list[Problem]:
    last = "" if count is None else f" to {count - 1}"
    outside = given.element < 0
    if count is not None:
        outside |= given.element >= count
    found = [
        Problem("element", f"is {element}, must be a position from 0{last}")
        for element in given.element[outside][:_SHOWN]
    ]
    named, times = np.unique(given.element, return_counts=True)
    found += [
        Problem(f"element {element}", "is named more than once", "give each element one curve")
        for element in named[times > 1][:_SHOWN]
    ]
    return found


def volt_var_notes(injections: Injections) -> tuple[Note, ...]:
    """Say so where active power alone exceeds the apparent power of what answers to voltage."""
    given = injections.volt_var
    if given is None or not len(given.element):
        return ()
    over = np.abs(injections.p_kw[:, :, given.element]) > given.s_max_kva * (1 + 1e-9)
    if not over.any():
        return ()
    text = (
        f"{int(over.any(axis=(0, 1)).sum())} elements with a Volt-VAr curve draw or feed more active power than "
        f"their apparent power, in {int(over.any(axis=2).sum())} power flows; there they give no reactive power."
    )
    return (Note("warning", "Volt-VAr", text),)
