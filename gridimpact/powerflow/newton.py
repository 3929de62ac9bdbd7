"""Newton's method in polar coordinates for the few lanes a fixed point does not bring home."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.records import Admittance, ComplexArray, IntArray

_HALVINGS = 8

_SLOW, _PATIENCE = 0.9, 3
"""A lane is given up when the power missing falls by less than a tenth three steps in a row."""


def solve_newton(
    admittance: Admittance,
    node: IntArray,
    drawn: ComplexArray,
    start: ComplexArray,
    limits: tuple[float, int],
) -> ComplexArray | None:
    """Return the voltages of one lane, None where the method fails.

    Parameters
    ----------
    admittance : Admittance
        Never written to.
    node : numpy.ndarray
        (unknown,) nodes to solve for; all other supplied nodes are sources.
    drawn : numpy.ndarray
        (3, unknown) power drawn at one per unit voltage [pu]: constant power, constant current,
        constant impedance.
    start : numpy.ndarray
        (unknown,) voltages to begin with.
    limits : tuple
        Largest step [pu or rad] of the last iteration, and steps before the lane is given up.

    Notes
    -----
    A step that does not lessen the power missing is halved, at most eight times. The
    method fails where that does not help or helps little three times in a row, where the Jacobian
    is singular, or at the last step allowed. Even at the point of collapse, where the Jacobian is
    singular, the power missing falls to a quarter with each step.
    """
    return Newton(admittance, node).solve(drawn, start, limits)


class Newton:
    """Newton's method for the lanes of one network, whose matrices are cut out once.

    Parameters
    ----------
    admittance : Admittance
        Never written to.
    node : numpy.ndarray
        (unknown,) nodes to solve for; all other supplied nodes are sources.
    """

    def __init__(self, admittance: Admittance, node: IntArray) -> None:
        matrix = admittance.y_bus.tocsr()[node]
        self._inner = matrix[:, node].tocsr()
        fed = matrix[:, admittance.slack_node] @ admittance.slack_vm_pu
        self._feed = np.asarray(fed).ravel()

    def solve(
        self, drawn: ComplexArray, start: ComplexArray, limits: tuple[float, int]
    ) -> ComplexArray | None:
        """Return the voltages of one lane, None where the method fails; see `solve_newton`."""
        with np.errstate(all="ignore"):
            return _iterate(self._inner, self._feed, drawn, start, limits)


def _iterate(
    inner: Any,
    feed: ComplexArray,
    drawn: ComplexArray,
    start: ComplexArray,
    limits: tuple[float, int],
) -> ComplexArray | None:
    tolerance, iterations = limits
    count = len(start)
    size, angle = np.abs(start), np.angle(start)
    missing, slow = _missing(inner, feed, size, angle, drawn), 0
    for _ in range(iterations):
        step = _step(inner, feed, size, angle, drawn, missing)
        if step is None:
            return None
        for halving in range(_HALVINGS + 1):
            part = step / 2**halving
            new_angle, new_size = angle + part[:count], size + part[count:]
            found = _missing(inner, feed, new_size, new_angle, drawn)
            # At the rounding floor the gap no longer falls, but the step is then below tolerance.
            small = float(np.abs(part).max()) <= tolerance
            if small or (_gap(found) < _gap(missing) and (new_size > 0).all()):
                break
        else:
            return None
        if halving == 0 and small:
            return np.asarray(new_size * np.exp(1j * new_angle), dtype=np.complex128)
        slow = slow + 1 if _gap(found) > _SLOW * _gap(missing) else 0
        if slow == _PATIENCE:
            return None
        size, angle, missing = new_size, new_angle, found
    return None


def _gap(missing: ComplexArray) -> float:
    """Return the Euclidean norm, which a short enough Newton step always lessens."""
    return float(np.linalg.norm(missing))


def _missing(
    inner: Any, feed: ComplexArray, size: Any, angle: Any, drawn: ComplexArray
) -> ComplexArray:
    """Return the power missing at each node [pu]."""
    v = size * np.exp(1j * angle)
    load = drawn[0] + drawn[1] * size + drawn[2] * size**2
    return np.asarray(v * np.conj(inner @ v + feed) + load, dtype=np.complex128)


def _step(
    inner: Any,
    feed: ComplexArray,
    size: Any,
    angle: Any,
    drawn: ComplexArray,
    missing: ComplexArray,
) -> Any:
    """Return the Newton step (angles, then magnitudes), None where there is none."""
    from scipy.sparse import bmat, diags_array
    from scipy.sparse.linalg import splu

    v = size * np.exp(1j * angle)
    unit, current = diags_array(v / size), inner @ v + feed
    d_angle = 1j * diags_array(v) @ (diags_array(current) - inner @ diags_array(v)).conj()
    d_size = diags_array(v) @ (inner @ unit).conj() + diags_array(np.conj(current)) @ unit
    d_size = d_size + diags_array(drawn[1] + 2 * drawn[2] * size)
    jacobian = bmat([[d_angle.real, d_size.real], [d_angle.imag, d_size.imag]], format="csc")
    try:
        step = splu(jacobian).solve(-np.concatenate([missing.real, missing.imag]))
    except RuntimeError:
        return None
    return step if np.isfinite(step).all() else None
