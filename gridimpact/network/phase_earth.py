"""Where zero-sequence current finds a way back, and where the zero sequence has to be held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.records import BoolArray, Grid, IntArray


@dataclass(frozen=True)
class Earthing:
    """Which nodes have a way back to earth.

    Attributes
    ----------
    earthed : ndarray, shape (node,)
    held : ndarray
        One node of every part without one.
    """

    earthed: BoolArray
    held: IntArray


def earthing(
    grid: Grid, passes: BoolArray, branch_earthed: BoolArray, source_earthed: IntArray
) -> Earthing:
    """Return the earthing of every node.

    Parameters
    ----------
    grid : Grid
    passes : ndarray, shape (branch,)
        Whether zero-sequence current passes from end to end.
    branch_earthed : ndarray, shape (branch, 2)
        Whether a branch leads it to earth at its from- and to-end.
    source_earthed : ndarray
        Nodes of external grids that lead it to earth.

    Notes
    -----
    Capacitance of lines is no way back: a load to neutral cannot stand on it. A part is held at the
    terminal of a transformer, where it has one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    model = grid.admittance
    count = len(model.node_vn_kv)
    ends = (model.branch_from[passes], model.branch_to[passes])
    links = coo_array((np.ones(len(ends[0])), ends), shape=(count, count))
    parts, part = connected_components(links, directed=False)
    rooted = np.zeros(parts, dtype=bool)
    rooted[part[model.branch_from[branch_earthed[:, 0]]]] = True
    rooted[part[model.branch_to[branch_earthed[:, 1]]]] = True
    rooted[part[source_earthed]] = True
    fed = np.concatenate([grid.transformer_branch, grid.transformer3w_branch.ravel()])
    fed = fed[fed >= 0]
    terminal = np.ones(count, dtype=np.int64)
    terminal[model.branch_from[fed]] = 0
    terminal[model.branch_to[fed]] = 0
    order = np.lexsort((np.arange(count), terminal))
    found, first = np.unique(part[order], return_index=True)
    return Earthing(rooted[part], np.sort(order[first][~rooted[found]]).astype(np.int64))
