"""Lines in phase coordinates: zero-sequence pi-models and full matrices of untransposed lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.phase_ports import join_blocks
from gridimpact.records import ComplexArray, FloatArray


def line_zero_two_ports(
    line: Any, base_kv: FloatArray, s_base_kva: float, f_hz: float
) -> ComplexArray:
    """Return the zero-sequence pi-models of lines.

    Parameters
    ----------
    line : pandas.DataFrame
        With ``length_km``, ``parallel``, ``r0_ohm_per_km``, ``x0_ohm_per_km`` and ``c0_nf_per_km``.
    base_kv : ndarray, shape (line,)
        Nominal voltage of the from-end's node [kV].
    s_base_kva : float
        Power base of all three phases [kVA].
    f_hz : float
        Frequency [Hz].

    Returns
    -------
    ndarray, shape (line, 4)
        y_ff, y_ft, y_tf, y_tt per unit; half the capacitance at each end.
    """
    z_base = 1e3 * base_kv**2 / s_base_kva
    length, parallel = _floats(line, "length_km"), _floats(line, "parallel")
    z = (_floats(line, "r0_ohm_per_km") + 1j * _floats(line, "x0_ohm_per_km")) * length / parallel
    series = z_base / z
    siemens = 2 * np.pi * f_hz * 1e-9 * _floats(line, "c0_nf_per_km") * length * parallel
    half = 0.5j * siemens * z_base
    return np.stack([series + half, -series, -series, series + half], axis=-1)


def full_six_port(
    z_ohm: ComplexArray, b_siemens: ComplexArray | FloatArray, z_base_ohm: float
) -> ComplexArray:
    """Return the six-port of a line given by full matrices, per unit.

    Parameters
    ----------
    z_ohm : ndarray, shape (3, 3)
        Series impedance of the whole line, neutral and earth reduced into the phases [ohm].
    b_siemens : ndarray, shape (3, 3)
        Shunt susceptance of the whole line; half of it stands at each end [S].
    z_base_ohm : float

    Returns
    -------
    ndarray, shape (6, 6)
    """
    series = np.linalg.inv(z_ohm / z_base_ohm)
    half = 0.5j * b_siemens * z_base_ohm
    return join_blocks(np.stack([series + half, -series, -series, series + half]))


def matrices_of_lines(
    line: Any,
    z_abc_ohm_per_km: Mapping[int, ArrayLike] | None,
    b_abc_us_per_km: Mapping[int, ArrayLike] | None,
) -> tuple[dict[int, ComplexArray], dict[int, ComplexArray]]:
    """Return checked series and shunt matrices by position in the line table.

    Raises
    ------
    GridError
        As `checked_matrices`, or where a shunt matrix has no series matrix beside it.
    """
    full = checked_matrices(z_abc_ohm_per_km, line, "line_z_abc_ohm_per_km")
    shunt = checked_matrices(b_abc_us_per_km, line, "line_b_abc_us_per_km")
    alone = [
        Problem(
            f"line_b_abc_us_per_km, line {line.index[place]}",
            "has no series impedance beside it",
            "give its matrix in line_z_abc_ohm_per_km too",
        )
        for place in shunt.keys() - full.keys()
    ]
    raise_problems(alone, "lines in phases", GridError)
    return full, shunt


def checked_matrices(
    given: Mapping[int, ArrayLike] | None, line: Any, what: str
) -> dict[int, ComplexArray]:
    """Return matrices by position in the line table.

    Raises
    ------
    GridError
        Where an index names no line or a matrix is not finite, not 3 x 3 or not symmetric.
    """
    found: dict[int, ComplexArray] = {}
    problems = []
    for index, value in (given or {}).items():
        where = f"{what}, line {index}"
        matrix = np.array(value, dtype=np.complex128)
        if index not in line.index:
            problems.append(Problem(where, "no such line", "give indices of the line table"))
        elif matrix.shape != (3, 3):
            remedy = "reduce neutral conductors into the phases (Kron) first"
            problems.append(Problem(where, f"has shape {matrix.shape}, must be (3, 3)", remedy))
        elif not np.isfinite(matrix).all():
            problems.append(Problem(where, "is not finite", "give all nine values"))
        elif not np.allclose(matrix, matrix.T, rtol=1e-6, atol=0):
            problems.append(Problem(where, "is not symmetric", "a line is reciprocal: mend it"))
        elif what.startswith("line_z") and np.linalg.eigvalsh(matrix.real).min() <= 0:
            problems.append(
                Problem(where, "has a resistance that gains power", "check sign and unit")
            )
        else:
            found[int(line.index.get_loc(index))] = matrix
    raise_problems(problems, "lines in phases", GridError)
    return found


def _floats(table: Any, name: str) -> FloatArray:
    return np.asarray(table[name].to_numpy(dtype=np.float64))
