import numpy as np
import pytest
from scipy import stats

from gridimpact.errors import InputError
from gridimpact.hosting.capacity import capacity_table
from gridimpact.hosting.draw_capacity import DrawCapacities
from gridimpact.hosting.stopping import (
    at_risk,
    enough,
    look_confidence,
    planned_looks,
    strategy_at_risk,
)
from tests.hosting.drawn_rows import asked, refined_rows, rural

SCANS = 200
LEVELS = (20, 40, 60, 80)
HEAVY = 25


def heavy_cars(rng, draws, top=80):
    """Cars draw at the peak with probability 1/2; the network bears 25 at once. Return cars hosted."""
    heavy = rng.random((draws, top + 1)) < 0.5
    over = heavy.cumsum(axis=1) > HEAVY
    return np.where(over.any(axis=1), over.argmax(axis=1), top + 1)


def true_heavy(share):
    n = np.arange(200)
    return int(n[stats.binom.sf(HEAVY, n, 0.5) <= share].max())


def two_values(low, high, share_low):
    return lambda rng, draws: np.where(rng.random(draws) < share_low, low, high)


def stopped(rows, settings):
    """Return the capacity at risk where the scan stops, and the look."""
    for look, count in enumerate(planned_looks(settings.draws)):
        if enough(rows, settings, look):
            return strategy_at_risk(rows[rows["draw"] < count], settings, "uncontrolled"), look
    raise AssertionError


def holds(found, true, top):
    if true >= top:
        return found.low <= top and np.isnan(found.high)
    return found.low <= true and not found.high < true


def test_interval_holds_the_true_capacity_wherever_the_scan_stops():
    settings = asked(LEVELS, risk=0.05, draws=(200, 1000), precision_cars=3.0)
    true = true_heavy(0.05)
    assert true == 40
    rng = np.random.default_rng(1)
    looks, hits = [], 0
    for _ in range(SCANS):
        found, look = stopped(refined_rows(heavy_cars(rng, 1000), LEVELS), settings)
        hits += holds(found, true, 80)
        looks.append(look)
    assert hits >= 0.95 * SCANS
    assert len(set(looks)) > 2, "the scans stop at different looks"


CASES = {
    "fifth of draws": (heavy_cars, 0.2, true_heavy(0.2)),
    "two values, share just below the risk": (two_values(10, 61, 0.09), 0.1, 61),
    "two values, share just above the risk": (two_values(10, 61, 0.11), 0.1, 10),
    "fails below the lowest level": (two_values(0, 30, 0.3), 0.1, 0),
    "beyond the highest level": (two_values(70, 500, 0.05), 0.1, 80),
    "almost beyond": (two_values(70, 500, 0.12), 0.1, 70),
}


@pytest.mark.parametrize(("law", "risk", "true"), CASES.values(), ids=CASES)
def test_interval_holds_under_ties_and_censoring(law, risk, true):
    settings = asked(LEVELS, risk=risk, draws=(60, 200), precision_cars=4.0)
    rng = np.random.default_rng(7)
    hits = [
        holds(stopped(refined_rows(law(rng, 200), LEVELS), settings)[0], true, 80)
        for _ in range(SCANS)
    ]
    assert np.mean(hits) >= 0.95


@pytest.mark.slow  # why looks are corrected; that they are is tested above
def test_without_correction_whoever_looks_often_finds_what_he_hopes_for():
    """Stopping at the first look that excludes the truth: the planned looks bear it, uncorrected ones do not."""
    settings = asked((10_000,), risk=0.05, draws=(60, 600))
    true, rng = 500, np.random.default_rng(5)
    often = range(60, 601, 20)
    kept, kept_often = 0, 0
    for _ in range(SCANS):
        first = rng.integers(0, 10_000, 600) + 1.0
        kept += all(
            first_n_hold(first, n, look_confidence(settings), true)
            for n in planned_looks(settings.draws)
        )
        kept_often += all(first_n_hold(first, n, settings.confidence, true) for n in often)
    assert kept >= 0.95 * SCANS
    assert kept_often <= 0.88 * SCANS


def first_n_hold(first, count, confidence, true):
    """Whether the interval of the first draws holds a capacity that they spread evenly about."""
    own, none = first[:count], np.zeros(count, dtype=bool)
    found = DrawCapacities(np.arange(count), own, own - 1, own - 1, none)
    return holds(at_risk(found, 0.05, confidence), true, 10_000)


def test_looks_grow_to_the_most_draws():
    for least, most in [(1, 1), (1, 7), (10, 25), (200, 1000), (200, 320), (150, 100_000)]:
        looks = np.array(planned_looks((least, most)))
        assert (looks[0], looks[-1]) == (least, most)
        assert (np.diff(looks) > 0).all()
    assert len(looks) < 18
    with pytest.raises(InputError, match="least"):
        planned_looks((5, 4))


def test_confidences_of_all_looks_add_up_to_the_one_asked():
    settings = asked(LEVELS, draws=(200, 1000), confidence=0.9)
    assert 5 * (1 - look_confidence(settings)) == pytest.approx(0.1)
    assert look_confidence(asked(LEVELS, draws=(200, 200))) == 0.95


def test_decision_sees_only_the_draws_of_its_look():
    settings = asked(LEVELS, precision_cars=5.0)
    rng = np.random.default_rng(0)
    narrow, wide = rng.integers(50, 53, 200), rng.permutation(np.repeat([5, 60], [40, 760]))
    rows = refined_rows(np.r_[narrow, wide], LEVELS)
    assert enough(rows, settings, 0)
    assert enough(rng.permutation(rows), settings, 0)
    assert not enough(rows, settings, 2)
    assert enough(rows, settings, len(planned_looks(settings.draws)) - 1)
    with pytest.raises(InputError, match="look"):
        enough(rows, settings, 5)


def test_every_managed_strategy_must_be_narrow_and_rows_without_one_do_not_count():
    rng = np.random.default_rng(0)
    rows = np.concatenate(
        [
            refined_rows(rng.integers(50, 53, 200), LEVELS, 0),
            refined_rows(np.repeat([5, 60], [10, 190]), LEVELS, 1),
        ]
    )
    both = asked(LEVELS, ("uncontrolled", "other"))
    assert not enough(rows, both, 0)
    assert enough(rows, asked(LEVELS, both.labels, managed={"uncontrolled": "uncontrolled"}), 0)


def test_capacity_settled_beyond_the_scan_needs_no_more_draws_one_in_doubt_does():
    settings = asked(LEVELS, precision_cars=5.0)
    hosts_all = refined_rows(np.full(200, 99), LEVELS)
    assert enough(hosts_all, settings, 0)
    in_doubt = refined_rows(np.r_[np.full(10, 79), np.full(190, 99)], LEVELS)
    found = strategy_at_risk(in_doubt, settings, "uncontrolled")
    assert (found.value, found.reached, found.low) == (80, False, 79)
    assert np.isnan(found.high)
    assert not enough(in_doubt, settings, 0)


def test_draws_that_failed_are_left_out_and_nothing_solved_is_never_enough():
    settings = asked(LEVELS)
    rows = refined_rows(np.full(200, 50), LEVELS)
    kept = rows[rows["draw"] % 10 != 3]
    assert strategy_at_risk(kept, settings, "uncontrolled").draws == 180
    assert enough(kept, settings, 0)
    assert not enough(rows[:0], settings, 0)
    table = capacity_table(kept, settings, rural(), draws_failed=20)
    assert set(table["draws"]) == {180}
    assert set(table["draws_failed"]) == {20}


def test_unrefined_draws_leave_the_high_end_at_the_last_number_that_may_pass():
    settings = asked(LEVELS, refine=False)
    rows = refined_rows(np.full(200, 50), LEVELS)
    coarse = strategy_at_risk(rows[rows["refined"] == 0], settings, "uncontrolled")
    assert (coarse.value, coarse.low, coarse.high, coarse.width) == (40, 40, 59, 0)
    fine = strategy_at_risk(rows, settings, "uncontrolled")
    assert (fine.value, fine.low, fine.high) == (50, 50, 50)
