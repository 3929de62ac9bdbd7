import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.hosting.capacity import capacity_table, pairs_table, scan_notes
from gridimpact.hosting.draw_capacity import draw_capacities
from gridimpact.hosting.intervals import mean_interval
from gridimpact.records import CAPACITY_COLUMNS, LIMIT_BIT
from tests.hosting.drawn_rows import LINE, VOLTAGE, asked, refined_rows, rows_of, rural

LEVELS = (10, 20, 30, 40)
BOTH = ("uncontrolled", "v2g_peak_shaving")


def capacity_of(table, strategy="uncontrolled", limit="all", control="managed"):
    own = table[(table.strategy == strategy) & (table.limit == limit) & (table.control == control)]
    assert len(own) == 1
    return own.iloc[0]


def wild_rows(seed, draws=30):
    """Verdicts without any order: numbers that fail between numbers that pass."""
    rng = np.random.default_rng(seed)
    cars = np.tile([*LEVELS, 13, 27], (draws, 1))
    refined = ~np.isin(cars, LEVELS)
    broken = rng.choice([0, 0, VOLTAGE, LINE, VOLTAGE | LINE], cars.shape)
    rows = rows_of(np.arange(draws)[:, np.newaxis] * 3, cars, broken, refined=refined)
    return rng.permutation(rows)


def by_hand(rows, mask):
    """Return (first failing or inf, hosted, reversal) of each draw, counted one by one."""
    found = []
    for draw in sorted(set(rows["draw"].tolist())):
        verdict = sorted(
            (int(r["cars"]), bool(r["broken"] & mask), int(r["refined"]))
            for r in rows
            if r["draw"] == draw
        )
        first = next((cars for cars, fails, _ in verdict if fails), np.inf)
        hosted = max((cars for cars, _, _ in verdict if cars < first), default=0)
        levels = [fails for _, fails, refined in verdict if not refined]
        found.append(
            (first, hosted, any(a and not b for k, a in enumerate(levels) for b in levels[k:]))
        )
    return found


@pytest.mark.parametrize("mask", [VOLTAGE, LINE, VOLTAGE | LINE, 512])
def test_draws_are_counted_up_to_their_first_failure(mask):
    rows = wild_rows(mask)
    found = draw_capacities(rows, mask)
    told = list(zip(found.first_failing, found.hosted, found.reversed, strict=True))
    assert told == by_hand(rows, mask)


def test_three_numbers_are_those_counted_by_hand():
    rows = wild_rows(4)
    table = capacity_table(rows, asked(LEVELS, risk=0.4), rural())
    assert tuple(table.columns) == CAPACITY_COLUMNS
    for limit, mask in (("all", VOLTAGE | LINE), ("voltage", VOLTAGE), ("line_loading", LINE)):
        own, hand = capacity_of(table, limit=limit), by_hand(rows, mask)
        hosted = np.array([h for _, h, _ in hand])
        few = [n for n in range(41) if (hosted < n).mean() <= 0.4]
        assert own.first_violation == min(f for f, _, _ in hand)
        assert own.at_risk == max(n for n in few if n <= hosted.max())
        assert own.last_passing == hosted.max()
        assert own.reversals == sum(r for _, _, r in hand) > 0
        assert own.low <= own.at_risk <= own.high


def test_limits_that_were_not_assessed_are_not_in_the_table():
    table = capacity_table(wild_rows(1), asked(LEVELS, limits=("voltage", "hot_spot")), rural())
    assert list(table.limit.unique()) == ["all", "voltage", "power_flow"]
    rows = wild_rows(1)
    every = capacity_of(capacity_table(rows, asked(LEVELS, limits=("voltage",)), rural()))
    assert every.first_violation == min(f for f, _, _ in by_hand(rows, VOLTAGE))


def test_no_failure_reads_not_reached_and_every_failure_reads_no_car():
    passes = capacity_table(refined_rows(np.full(200, 99), LEVELS), asked(LEVELS), rural())
    own = capacity_of(passes)
    assert np.isnan([own.first_violation, own.last_passing, own.high, own.binding_percent]).all()
    assert (own.at_risk, own.low, own.reached, own.binding) == (40, 40, False, "")
    fails = capacity_table(refined_rows(np.zeros(200, dtype=int), LEVELS), asked(LEVELS), rural())
    own = capacity_of(fails)
    assert (own.first_violation, own.at_risk, own.low, own.high, own.last_passing) == (
        1,
        0,
        0,
        0,
        0,
    )


def test_firm_is_the_row_without_control():
    rows = np.concatenate(
        [refined_rows(np.full(60, 15), LEVELS, 0), refined_rows(np.full(60, 35), LEVELS, 1)]
    )
    table = capacity_table(rows, asked(LEVELS, BOTH), rural())
    assert capacity_of(table, BOTH[1]).at_risk == 35
    assert capacity_of(table, BOTH[1], control="firm").at_risk == 15


def test_single_draws_and_none_are_told_without_an_interval():
    own = capacity_of(capacity_table(refined_rows(np.array([15]), LEVELS), asked(LEVELS), rural()))
    assert (own.at_risk, own.low, own.draws) == (15, 0, 1)
    assert np.isnan(own.high)
    none = capacity_of(capacity_table(wild_rows(1)[:0], asked(LEVELS), rural(), 7))
    assert (none.draws, none.draws_failed, none.reached) == (0, 7, False)
    assert np.isnan([none.at_risk, none.low, none.high]).all()


few = settings(max_examples=10, derandomize=True, deadline=None)
hosted_cars = st.lists(st.integers(0, 45), min_size=1, max_size=60)


@few
@given(hosted=hosted_cars, seed=st.integers(0, 99))
def test_order_of_draws_and_scenarios_changes_nothing(hosted, seed):
    rows = refined_rows(np.array(hosted), LEVELS)
    rng = np.random.default_rng(seed)
    other = rng.permutation(rows)
    other["draw"] = rng.permutation(1000)[other["draw"]]
    one, two = (capacity_table(r, asked(LEVELS), rural()) for r in (rows, other))
    pd.testing.assert_frame_equal(one, two)


@few
@given(hosted=hosted_cars, level=st.integers(1, 39))
def test_a_level_more_does_not_move_the_capacity_of_refined_draws(hosted, level):
    more = tuple(sorted({*LEVELS, level}))
    one, two = (
        capacity_of(capacity_table(refined_rows(np.array(hosted), c), asked(c), rural()))
        for c in (LEVELS, more)
    )
    pd.testing.assert_series_equal(one, two)


@few
@given(hosted=hosted_cars, risk=st.floats(0.0, 0.5), cars=st.integers(1, 9))
def test_capacity_rises_with_the_risk_accepted_and_with_what_a_draw_hosts(hosted, risk, cars):
    def found(hosted, risk):
        return capacity_of(
            capacity_table(refined_rows(hosted, LEVELS), asked(LEVELS, risk=risk), rural())
        )

    own = found(np.array(hosted), risk)
    for more in (found(np.array(hosted), risk + 0.2), found(np.array(hosted) + cars, risk)):
        assert more.at_risk >= own.at_risk
        assert more.low >= own.low
        assert np.isnan(more.high) or more.high >= own.high
    assert np.isnan(own.first_violation) or own.first_violation <= own.at_risk + 1
    assert np.isnan(own.last_passing) or own.last_passing >= own.at_risk


@few
@given(seed=st.integers(0, 999))
def test_all_limits_together_never_host_more_than_one_alone(seed):
    table = capacity_table(wild_rows(seed), asked(LEVELS), rural())
    every = capacity_of(table)
    for limit in ("voltage", "line_loading"):
        alone = capacity_of(table, limit=limit)
        assert every.at_risk <= alone.at_risk
        assert every.first_violation <= alone.first_violation


def paired(base, other):
    return np.concatenate([refined_rows(base, LEVELS, 0), refined_rows(other, LEVELS, 1)])


def test_pairs_are_compared_in_the_same_draw():
    rng = np.random.default_rng(2)
    base = rng.integers(5, 30, 120)
    other = base + rng.integers(-2, 6, 120)
    rows = paired(base, other)
    own = pairs_table(rng.permutation(rows), asked(LEVELS, BOTH, draws=(120, 120))).iloc[0]
    more = (other - base).astype(float)
    assert (own["mean"], own["low"], own["high"]) == mean_interval(more, 0.95)
    assert own["median"] == np.median(more)
    assert own["better_percent"] == pytest.approx(100 * (more > 0).mean())
    assert own["worse_percent"] == pytest.approx(100 * (more < 0).mean())
    assert own["equal_percent"] == pytest.approx(100 * (more == 0).mean())
    only = rows[(rows["strategy"] == 0) | (rows["draw"] % 2 == 0)]
    assert pairs_table(only, asked(LEVELS, BOTH)).iloc[0]["draws"] == 60


def test_pairs_say_where_a_difference_is_only_a_bound():
    base, other = np.array([20, 99, 99, 20]), np.array([99, 99, 30, 25])
    own = pairs_table(paired(base, other), asked(LEVELS, BOTH)).iloc[0]
    assert (own["at_least"], own["at_most"], own["both_beyond_percent"]) == (1, 1, 25)
    assert (own["better_percent"], own["equal_percent"], own["worse_percent"]) == (50, 0, 25)
    assert pairs_table(paired(base, other), asked(LEVELS, ("a", "b"))).empty


def notes_of(rows, setting, errors=None):
    table = capacity_table(rows, setting, rural(), len(errors or {}))
    return {
        note.where.removeprefix("hosting, "): note.text
        for note in scan_notes(rows, table, setting, errors)
    }


def test_a_strategy_below_uncontrolled_is_called_dangerous():
    rows = paired(np.full(200, 25), np.full(200, 12))
    told = notes_of(rows, asked(LEVELS, BOTH))[BOTH[1]]
    assert told == (
        "More dangerous than uncontrolled charging: v2g_peak_shaving hosts 12 cars at 5 % risk against 25."
    )
    assert BOTH[1] not in notes_of(paired(np.full(200, 12), np.full(200, 25)), asked(LEVELS, BOTH))


def test_reader_is_told_what_the_numbers_hide():
    rows = wild_rows(2)
    rows["failed_lanes"][:5] = 1
    setting = asked(LEVELS, refine=False, precision_cars=5.0, unmet_percent=None)
    told = notes_of(rows, setting, {4: "worker died", 8: "worker died"})
    assert told["draws"].startswith(
        "2 draw(s) could not be solved and are left out: draw 4: worker died"
    )
    assert told["power flow"].startswith(f"5 of {len(rows)} scenarios")
    assert told["service"] == "Not judged: no limit on energy missing at departures was given."
    assert "neither passes nor fails" in told["hot_spot"]
    assert "voltage" not in told
    assert "up to 10 apart" in told["cars"]
    assert "pass with more cars" in "".join(
        n.text for n in scan_notes(rows, capacity_table(rows, setting, rural()), setting)
    )
    few_draws = notes_of(refined_rows(np.full(30, 25), LEVELS), asked(LEVELS))["uncontrolled"]
    assert few_draws == (
        "After 30 draws (most 1000) the interval is 25 cars wide, asked 6; so few draws say nothing of "
        "the low end."
    )


def test_a_limit_that_cannot_be_passed_is_told_with_its_reason():
    rows, setting = refined_rows(np.full(200, 25), LEVELS), asked(LEVELS, limits=("voltage",))
    reasons = {"voltage": "single-phase customers in a balanced flow", "ageing": "less than a year"}
    told = scan_notes(rows, capacity_table(rows, setting, rural()), setting, None, reasons)
    assert [(note.kind, note.where) for note in told] == [("warning", "hosting, voltage")]
    assert reasons["voltage"] in told[0].text


def test_a_clean_scan_has_no_warning_of_its_numbers():
    setting = asked(LEVELS, limits=("voltage",))
    assert notes_of(refined_rows(np.full(200, 25), LEVELS), setting) == {}


def test_power_flow_without_a_solution_counts_whatever_limits_are_asked():
    rows = rows_of(np.arange(200)[:, None], [LEVELS], [[0, 0, LIMIT_BIT["power_flow"], 0]])
    own = capacity_of(capacity_table(rows, asked(LEVELS, limits=("voltage",)), rural()))
    assert (own.first_violation, own.at_risk, own.binding) == (30, 20, "power_flow")


def test_a_higher_number_that_passes_again_is_told_but_not_hosted():
    rows = rows_of(np.arange(200)[:, None], [LEVELS], [[0, VOLTAGE, 0, VOLTAGE]])
    own = capacity_of(capacity_table(rows, asked(LEVELS), rural()))
    assert (own.at_risk, own.last_passing, own.reversals) == (10, 10, 200)
    assert notes_of(rows, asked(LEVELS))["uncontrolled"].endswith(
        "Some draw passes at 30, none below its first failure over 10."
    )
