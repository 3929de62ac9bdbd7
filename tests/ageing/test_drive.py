"""What heats oil and winding: phases and harmonics."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.ageing import (
    Harmonics,
    Nameplate,
    loss_ratio_at_tap,
    thermal_loadings,
    thermal_series,
    unequal_series,
)
from gridimpact.errors import InputError


def test_equal_phases_heat_like_one_and_a_single_phase_heats_its_winding_alone():
    oil, winding = thermal_loadings([[0.8, 0.8, 0.8], [1.2, 0.0, 0.0]], by_phase=True)
    np.testing.assert_allclose(oil, [0.8, 1.2 / np.sqrt(3.0)])
    np.testing.assert_allclose(winding, [0.8, 1.2])


def test_the_sign_of_the_power_does_not_matter():
    one, two = thermal_loadings([0.3, -0.9]), thermal_loadings([-0.3, 0.9])
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_square_wave_of_current_has_the_loss_factor_of_its_orders():
    # Orders 1, 3, 5 with currents 1, 1/3, 1/5: sum of h^2 I^2 is 3, of I^2 is 1 + 1/9 + 1/25.
    found = Harmonics.of_spectrum([1, 3, 5], [1.0, 1 / 3, 1 / 5], eddy_pu=0.1, stray_pu=0.2)
    assert found.loss_factor == pytest.approx(3.0 / (1.0 + 1.0 / 9.0 + 1.0 / 25.0))
    assert found.winding == pytest.approx((1.0 + 0.1 * found.loss_factor) / 1.1)
    assert found.oil > 1.0
    assert Harmonics(eddy_pu=0.1).oil == Harmonics(eddy_pu=0.1).winding == 1.0


def test_harmonics_make_a_transformer_hotter_than_the_same_sine():
    load, air, plate = np.full((1, 48, 1), 0.9), np.full(48, 20.0), Nameplate.preset("ieee_65c")
    plain = thermal_series(load, air, plate, 0.5)
    spectrum = Harmonics.of_spectrum([1, 5, 7], [1.0, 0.2, 0.1], eddy_pu=0.1)
    rich = unequal_series(*thermal_loadings(load, harmonics=spectrum), air, plate, 0.5)
    assert rich.hot_spot_c[0, -1, 0] > plain.hot_spot_c[0, -1, 0] + 1.0
    same = unequal_series(*thermal_loadings(load), air, plate, 0.5)
    assert np.array_equal(same.hot_spot_c, plain.hot_spot_c)


def test_uneven_phases_have_the_oil_of_their_mean_square_and_the_winding_of_the_worst():
    phases = np.broadcast_to([1.2, 0.6, 0.3], (1, 60, 1, 3))
    oil, winding = thermal_loadings(phases, by_phase=True)
    air, plate = np.full(60, 10.0), Nameplate.preset("ieee_65c")
    found = unequal_series(oil, winding, air, plate, 1.0)
    assert np.array_equal(found.top_oil_c, thermal_series(oil, air, plate, 1.0).top_oil_c)
    gradient = (found.hot_spot_c - found.top_oil_c)[0, -1, 0]
    assert gradient == pytest.approx(25.0 * 1.2**1.6, abs=1e-6)


def test_fewer_turns_mean_more_flux_and_so_a_smaller_loss_ratio():
    low, middle, high = loss_ratio_at_tap(5.0, [-0.05, 0.0, 0.05])
    assert low < middle < high
    assert middle == 5.0


def test_impossible_factors_are_refused():
    with pytest.raises(InputError, match="loss_factor"):
        Harmonics(loss_factor=0.5)
