"""Exact intervals that assume no distribution: of a quantile, of a share; and of a mean by Student's t."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc, betaincinv, stdtrit

from gridimpact.records import FloatArray

_ROUND_OFF = 1e-9


def risk_rank(count: int, share: float) -> int:
    """Return the rank, from 1, of the highest number that at most a share of the draws falls short of.

    At most ``floor(share * count)`` draws may fall short of n, so n may rise to the order statistic of rank
    ``floor(share * count) + 1``, and to no more. A product that round-off leaves just below a whole number
    counts as that number.

    Examples
    --------
    >>> risk_rank(200, 0.05), risk_rank(100, 0.29), risk_rank(19, 0.05), risk_rank(20, 0.05)
    (11, 30, 1, 2)
    """
    return min(count, math.floor(share * count + _ROUND_OFF) + 1)


def quantile_ranks(count: int, share: float, confidence: float) -> tuple[int, int]:
    """Return the ranks, from 1, of the two order statistics that hold a quantile.

    Parameters
    ----------
    count : int
        Independent draws N.
    share : float
        Share eps of the quantile, 0..1.
    confidence : float
        Least probability that the interval holds the quantile.

    Returns
    -------
    tuple of int
        Low rank, 0 where even the lowest draw says too little, and high rank, ``count + 1`` where even the
        highest does.

    Notes
    -----
    The quantile is ``q = sup{n : P(C < n) <= eps}`` of whatever law C has. With ``K(n)`` the number of draws
    below n, binomial with probability ``P(C < n)``, and each tail at most ``a = (1 - confidence) / 2``:

    - ``C_(l) > q`` means that fewer than l draws are at or below q; for some n above q, as near as one
      likes (the next whole number where C counts cars), ``K(n) <= l - 1`` although ``P(C < n) > eps``. That
      is at most ``P(B <= l - 1)`` with B binomial(N, eps); l is the highest rank for which this is at most a.
    - ``C_(u) < q`` means that at least u draws are below q, although ``P(C < q) <= eps`` (the probability is
      left-continuous in n). That is at most ``P(B >= u)``; u is the lowest rank for which this is at most a.

    Nothing is asked of the law, so the interval holds for discrete ones with ties as well; ties only raise
    its coverage. The classical order-statistic interval (H. A. David and H. N. Nagaraja, Order Statistics,
    3rd edition, 2003, section 7.1, doi:10.1002/0471722162).

    Examples
    --------
    >>> quantile_ranks(200, 0.05, 0.95), quantile_ranks(20, 0.05, 0.95)
    ((4, 17), (0, 4))
    """
    tail = 0.5 * (1.0 - confidence)
    ranks = np.arange(1.0, count + 1.0)
    below = bdtr(ranks - 1.0, count, share) if share > 0 else np.ones(count)
    above = bdtrc(ranks - 1.0, count, share) if share > 0 else np.zeros(count)
    return int((below <= tail).sum()), int((above > tail).sum()) + 1


def share_interval(
    hits: ArrayLike, count: ArrayLike, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Return the exact interval of a probability of which `hits` of `count` independent draws speak.

    Notes
    -----
    C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413, doi:10.1093/biomet/26.4.404. Without any
    draw the interval is 0..1.

    Examples
    --------
    >>> low, high = share_interval(0, 10, 0.95)
    >>> float(low), round(float(high), 4)
    (0.0, 0.3085)
    """
    k, n = np.asarray(hits, dtype=np.float64), np.asarray(count, dtype=np.float64)
    tail = 0.5 * (1.0 - confidence)
    low = betaincinv(np.maximum(k, 0.5), n - k + 1.0, tail)
    high = betaincinv(k + 1.0, np.maximum(n - k, 0.5), 1.0 - tail)
    return np.where(k > 0, low, 0.0), np.where(k < n, high, 1.0)


def mean_interval(values: FloatArray, confidence: float) -> tuple[float, float, float]:
    """Return mean, low and high end of the mean's interval by Student's t; NaN ends below two values."""
    if not len(values):
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    if len(values) < 2:
        return mean, np.nan, np.nan
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    reach = float(stdtrit(len(values) - 1, 0.5 + 0.5 * confidence)) * error
    return mean, mean - reach, mean + reach
