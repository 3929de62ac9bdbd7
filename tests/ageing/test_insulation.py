import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.ageing import (
    LIFE_DEFINITIONS,
    ageing_rate,
    ageing_rates,
    end_of_life_years,
    equivalent_ageing,
    insulation_named,
    loss_of_life_percent,
)
from gridimpact.errors import InputError

# IEC 60076-7 (2^((th-98)/6)) and IEEE C57.91 (15000/383) evaluated at these temperatures.
POINTS = [
    (80.0, 0.125, 0.03584945245027534, 0.1769216531789713),
    (98.0, 1.0, 0.2817384883020515, 1.3904156328100452),
    (110.0, 4.0, 1.0, 4.935128463241353),
    (120.0, 12.699208415745595, 2.7089251438281656, 13.368893582096554),
    (140.0, 128.0, 17.19946486473111, 84.88156860645407),
    (180.0, 13003.989417723486, 424.9230442440313, 2097.0498103358836),
]


@pytest.mark.parametrize(("hot_spot", "non_upgraded", "upgraded", "rise_55"), POINTS)
def test_rates_are_those_of_the_standards(hot_spot, non_upgraded, upgraded, rise_55):
    assert ageing_rate(hot_spot, "non_upgraded") == pytest.approx(non_upgraded, rel=1e-12)
    assert ageing_rate(hot_spot, "upgraded") == pytest.approx(upgraded, rel=1e-12)
    assert ageing_rate(hot_spot, "rise_55") == pytest.approx(rise_55, rel=1e-12)


@pytest.mark.reference
def test_rates_match_the_whole_table_of_points(reference):
    table = np.genfromtxt(
        reference / "reference/ageing/06_ageing_rate_points/points.csv",
        delimiter=",",
        skip_header=1,
    )
    for column, name in ((1, "non_upgraded"), (2, "upgraded"), (4, "rise_55")):
        np.testing.assert_allclose(ageing_rate(table[:, 0], name), table[:, column], rtol=1e-12)


@pytest.mark.parametrize("name", ["upgraded", "rise_55", "non_upgraded"])
def test_every_paper_ages_normally_at_its_reference_temperature(name):
    assert ageing_rate(insulation_named(name).reference_c, name) == pytest.approx(1.0, abs=1e-12)


@given(st.floats(-30.0, 200.0), st.floats(0.1, 20.0))
@settings(max_examples=30, deadline=None)
def test_a_hotter_winding_ages_faster(hot_spot, more):
    for name in ("upgraded", "rise_55", "non_upgraded"):
        assert ageing_rate(hot_spot + more, name) > ageing_rate(hot_spot, name)


def test_each_transformer_ages_by_its_own_paper():
    hot = np.full((2, 3, 2), 110.0)
    rates = ageing_rates(hot, ("upgraded", "non_upgraded"))
    assert np.all(rates[..., 0] == 1.0)
    assert np.all(rates[..., 1] == 4.0)
    with pytest.raises(InputError, match="2 insulations given for 3"):
        ageing_rates(np.zeros((1, 1, 3)), ("upgraded", "upgraded"))


def test_two_level_day_has_the_mean_of_both_rates_and_order_does_not_matter():
    rate = ageing_rate(np.repeat([110.0, 120.0], 12))[:, None]
    assert equivalent_ageing(rate)[0] == pytest.approx(1.8544625719140828, rel=1e-12)
    shuffled = np.random.default_rng(1).permutation(rate)
    assert equivalent_ageing(shuffled)[0] == pytest.approx(equivalent_ageing(rate)[0], rel=1e-12)


def test_equivalent_ageing_counts_only_known_and_counted_steps():
    rate = np.array([[9.0, np.nan], [1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    counted = np.array([False, True, True, True])
    mean = equivalent_ageing(rate, counted=counted)
    assert mean[0] == 2.0
    assert np.isnan(mean[1])


def test_a_year_of_normal_ageing_costs_8760_of_180000_hours():
    assert loss_of_life_percent(1.0, 8760.0) == pytest.approx(100.0 * 8760.0 / 180_000.0)
    assert loss_of_life_percent(1.0, 24.0) == pytest.approx(0.013333333333333334)
    shorter = loss_of_life_percent(1.0, 24.0, life_h=LIFE_DEFINITIONS["tensile_50"])
    assert shorter / loss_of_life_percent(1.0, 24.0) == pytest.approx(180.0 / 65.0)
    with pytest.raises(InputError, match="must be above 0"):
        loss_of_life_percent(1.0, 24.0, life_h=0.0)


def test_life_is_not_limiting_below_a_hundredth_of_normal_ageing():
    years = end_of_life_years([1.0, 0.01, 0.0099])
    assert years[0] == pytest.approx(180_000 / 8_760)
    assert years[1] == pytest.approx(100 * 180_000 / 8_760)
    assert np.isnan(years[2])


def test_unknown_paper_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'upgraded'"):
        ageing_rate(100.0, "upgradet")
    with pytest.raises(InputError, match=r"known are upgraded, rise_55, non_upgraded$"):
        ageing_rate(100.0, "zzz")
