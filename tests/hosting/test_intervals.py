import numpy as np
import pytest
from scipy import stats

from gridimpact.hosting.intervals import (
    mean_interval,
    quantile_ranks,
    risk_rank,
    share_interval,
)


@pytest.mark.parametrize(
    ("count", "ranks"), [(10, (2, 9)), (15, (4, 12)), (20, (6, 15)), (25, (8, 18))]
)
def test_ranks_of_the_median_are_those_of_the_sign_test_tables(count, ranks):
    assert quantile_ranks(count, 0.5, 0.95) == ranks


@pytest.mark.parametrize(("rank", "count"), [(1, 59), (2, 93), (3, 124), (4, 153), (5, 181)])
def test_low_end_appears_at_the_sample_sizes_of_wilks(rank, count):
    """S. S. Wilks, Ann. Math. Stat. 12 (1941), doi:10.1214/aoms/1177731788: 95 % content at 95 % confidence."""
    one_sided = 0.90
    assert quantile_ranks(count, 0.05, one_sided)[0] == rank
    assert quantile_ranks(count - 1, 0.05, one_sided)[0] == rank - 1


@pytest.mark.parametrize("count", [1, 40, 700])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_each_tail_is_as_large_as_allowed_and_no_larger(count, share, confidence):
    low, high = quantile_ranks(count, share, confidence)
    law, tail = stats.binom(count, share), (1 - confidence) / 2
    assert low == 0 or law.cdf(low - 1) <= tail
    assert law.cdf(low) > tail
    assert high == count + 1 or law.sf(high - 1) <= tail
    assert high == 1 or law.sf(high - 2) > tail
    assert low <= risk_rank(count, share) <= high


LAWS = {
    "geometric": stats.geom(0.02),
    "two values, the share exactly met": stats.rv_discrete(values=([10, 20], [0.05, 0.95])),
    "two values, just missed": stats.rv_discrete(values=([10, 20], [0.0501, 0.9499])),
    "one value": stats.rv_discrete(values=([33], [1.0])),
    "wide": stats.binom(400, 0.5),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("count", [20, 450])
def test_coverage_counted_exactly_is_never_below_the_confidence(law, share, count):
    n = np.arange(1000)
    true = n[law.cdf(n - 1) <= share + 1e-12].max()
    low, high = quantile_ranks(count, share, 0.95)
    all_above = stats.binom.cdf(low - 1, count, law.cdf(true)) if low else 0.0
    all_below = stats.binom.sf(high - 1, count, law.cdf(true - 1)) if high <= count else 0.0
    assert 1 - all_above - all_below >= 0.95 - 1e-9


def test_rank_at_risk_is_the_highest_number_that_few_enough_fall_short_of():
    rng = np.random.default_rng(3)
    for percent in (0, 1, 5, 7, 29, 57):
        for count in (1, 19, 20, 100, 200, 300):
            hosted = np.sort(rng.integers(0, 30, count))
            allowed = [n for n in range(31) if 100 * (hosted < n).sum() <= percent * count]
            best = max(n for n in allowed if n <= hosted.max())
            assert hosted[risk_rank(count, percent / 100) - 1] == best


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_interval_of_a_share_is_the_published_one(hits, count, low, high):
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, Clopper-Pearson."""
    np.testing.assert_allclose(share_interval(hits, count, 0.95), (low, high), atol=5e-5)


def test_share_of_nothing_and_of_all_is_open_to_its_end():
    low, high = share_interval([0, 10, 0], [10, 10, 0], 0.9)
    np.testing.assert_allclose(low, [0, 0.05**0.1, 0])
    np.testing.assert_allclose(high, [1 - 0.05**0.1, 1, 1])


def test_interval_of_a_mean_is_students():
    values = np.array([3.0, 5.0, 4.0, 8.0])
    mean, low, high = mean_interval(values, 0.95)
    own = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    np.testing.assert_allclose((mean, low, high), (5.0, own.low, own.high))
    assert mean_interval(values[:1], 0.95)[0] == 3.0
    assert np.isnan(mean_interval(values[:1], 0.95)[1:]).all()
    assert np.isnan(mean_interval(values[:0], 0.95)).all()
