"""From symmetrical components to phases: two-ports of the three sequences become one six-port."""

from __future__ import annotations

import numpy as np

from gridimpact.records import ComplexArray

_POWERS = np.array([[0, 0, 0], [0, 2, 1], [0, 1, 2]])
TO_PHASES: ComplexArray = np.asarray(np.exp(2j * np.pi / 3 * _POWERS), dtype=np.complex128)
"""Phases a, b, c of zero, positive and negative sequence (Fortescue)."""
TO_SEQUENCES: ComplexArray = np.asarray(np.conj(TO_PHASES.T) / 3, dtype=np.complex128)


def phase_block(zero: ComplexArray, positive: ComplexArray, negative: ComplexArray) -> ComplexArray:
    """Return the admittance in phases of three decoupled sequences.

    Parameters
    ----------
    zero, positive, negative : ndarray, shape (...)
        Admittances of the sequences.

    Returns
    -------
    ndarray, shape (..., 3, 3)

    Examples
    --------
    >>> phase_block(np.array(3.0), np.array(0.0), np.array(0.0)).real.round(12).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    diagonal = np.stack(np.broadcast_arrays(zero, positive, negative), axis=-1)
    return np.asarray(np.einsum("ik,...k,kj->...ij", TO_PHASES, diagonal, TO_SEQUENCES))


def six_port(zero: ComplexArray, positive: ComplexArray, negative: ComplexArray) -> ComplexArray:
    """Return the six-ports of branches whose sequences are decoupled.

    Parameters
    ----------
    zero, positive, negative : ndarray, shape (..., 4)
        Two-ports y_ff, y_ft, y_tf, y_tt of each sequence.

    Returns
    -------
    ndarray, shape (..., 6, 6)
        Rows and columns are the from-end's phases a, b, c, then the to-end's.
    """
    return join_blocks(phase_block(zero, positive, negative))


def join_blocks(blocks: ComplexArray) -> ComplexArray:
    """Return (..., 6, 6) matrices from (..., 4, 3, 3) blocks ff, ft, tf, tt."""
    upper = np.concatenate([blocks[..., 0, :, :], blocks[..., 1, :, :]], axis=-1)
    lower = np.concatenate([blocks[..., 2, :, :], blocks[..., 3, :, :]], axis=-1)
    return np.concatenate([upper, lower], axis=-2)


def swapped(two_port: ComplexArray) -> ComplexArray:
    """Return the negative-sequence two-ports of reciprocal branches behind a complex ratio.

    The negative sequence sees the conjugated phase shift; as the series admittance is the same
    both ways, that exchanges y_ft and y_tf.
    """
    return np.asarray(two_port[..., [0, 2, 1, 3]])
