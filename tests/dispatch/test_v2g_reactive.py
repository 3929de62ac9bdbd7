"""Reactive support: within the charger's circle, in the sign of the package, beside another rule's power."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridimpact.dispatch import Mix, Receding, WithForecastError, g2v, grid_aware, v2g
from gridimpact.dispatch.strategy import label
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2g.reactive_support import strategy_named
from gridimpact.errors import InputError
from gridimpact.records import PlanRequest
from tests.dispatch.requests import Car, Stay, plan_request

Support = v2g.ReactiveSupport


def pair(s_kva: float | None = 12.5) -> PlanRequest:
    """Return two cars with 10 kW for a while and nothing to charge later, at chargers of 12.5 kVA."""
    request = plan_request(
        [Car("a", 0.5), Car("b", 0.8)],
        [Stay(0, 0, 6, target=0.7, p_kw=10.0), Stay(1, 2, 6, target=0.8, p_kw=10.0)],
        steps=8,
    )
    return request if s_kva is None else replace(request, charger_s_kva=np.full(2, s_kva))


def test_what_active_power_leaves_of_the_circle_is_fed():
    request = pair()
    found = Support("capacitive").plan(request)
    free = uncontrolled_dispatch(request)
    np.testing.assert_array_equal(found.p_kw, free.p_kw)
    # 10 of 12.5 kVA leave 7.5; a car that rests leaves all; one that is away gives nothing.
    assert found.q_kvar is not None
    np.testing.assert_allclose(found.q_kvar[:, 0], [-7.5, *[-12.5] * 5, 0, 0])
    np.testing.assert_allclose(found.q_kvar[:, 1], [0, 0, *[-12.5] * 4, 0, 0])
    apparent = np.hypot(found.p_kw, found.q_kvar)
    assert apparent.max() <= 12.5 + 1e-9
    figures = {item.name: item.value for item in found.figures}
    assert figures["highest_kvar"] == pytest.approx(25.0)
    assert figures["given_kvarh"] == pytest.approx(7.5 + 9 * 12.5)


def test_without_a_rating_full_charging_leaves_nothing():
    found = Support("inductive").plan(pair(None))
    assert found.q_kvar is not None
    np.testing.assert_allclose(found.q_kvar[:2, 0], [0.0, 10.0], atol=1e-6)


def test_a_set_reactive_power_is_kept_where_there_is_room():
    found = Support("inductive", q_kvar=9.0).plan(pair())
    assert found.q_kvar is not None
    np.testing.assert_allclose(found.q_kvar[:3, 0], [7.5, 9.0, 9.0])


def test_a_power_factor_is_held_in_proportion_to_active_power():
    found = Support("power_factor", power_factor=0.9).plan(pair())
    assert found.q_kvar is not None
    assert found.q_kvar[0, 0] == pytest.approx(-10.0 * np.tan(np.arccos(0.9)))
    assert not found.q_kvar[1:].any()
    tight = Support("power_factor", power_factor=0.6).plan(pair())
    assert tight.q_kvar is not None
    assert tight.q_kvar[0, 0] == pytest.approx(-7.5)


def test_active_power_is_that_of_the_base():
    request = pair()
    named, given = Support(base="g2v.valley_filling"), Support(base=g2v.ValleyFilling())
    assert named == given
    assert label(named) == "v2g_reactive_support(base=g2v_valley_filling)"
    np.testing.assert_array_equal(named.plan(request).p_kw, g2v.ValleyFilling().plan(request).p_kw)
    assert Support(base="v2g.arbitrage").bidirectional
    assert not Support().bidirectional
    assert Support(base="g2v.price").foresight == g2v.PriceCharging.foresight


def test_chargers_that_give_no_support_run_at_the_default_power_factor():
    request = pair()
    nobody = Support(enrolled=0.0).plan(request)
    assert nobody.q_kvar is not None
    np.testing.assert_allclose(nobody.q_kvar, nobody.p_kw * np.tan(np.arccos(0.99)))


def test_a_curve_leaves_reactive_power_to_the_power_flow():
    strategy = Support("volt_var", curve="ieee_1547_a")
    found = strategy.plan(pair())
    assert found.q_kvar is None
    assert "ieee_1547_a" in found.notes[0].text
    assert strategy.volt_var == "ieee_1547_a"
    assert Support().volt_var == ""


def test_a_part_of_a_mix_gives_its_reactive_power():
    found = Mix({Support("inductive"): 1.0}).plan(pair())
    assert found.q_kvar is not None
    assert found.q_kvar.max() == pytest.approx(12.5)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"mode": "resistive"}, "mode"),
        ({"q_kvar": -1.0}, "magnitude"),
        ({"mode": "power_factor", "q_kvar": 1.0}, "q_kvar"),
        ({"mode": "volt_var", "enrolled": 0.5}, "enrolled"),
        ({"power_factor": 0.0}, "power_factor"),
        ({"base": "g2v.magic"}, "g2v.valley_filling"),
        ({"base": 3}, "base"),
        ({"base": Support()}, "base"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_impossible_support_is_refused(bad: dict[str, Any], says: str):
    with pytest.raises(InputError, match=says):
        Support(**bad)


def test_the_base_may_do_nothing_special():
    assert strategy_named("uncontrolled").name == "uncontrolled"


def test_a_volt_var_curve_is_passed_on_by_wrappers_and_refused_where_it_would_do_nothing():
    curve = Support("volt_var", curve="ieee_1547_a")
    assert Receding(curve).volt_var == WithForecastError(curve).volt_var == "ieee_1547_a"
    assert Receding(Support()).volt_var == ""
    with pytest.raises(InputError, match="one power flow"):
        Mix({curve: 0.5})
    with pytest.raises(InputError, match="one power flow"):
        Mix({}, rest=Receding(curve))
    with pytest.raises(InputError, match="Volt-VAr"):
        grid_aware.VoltWatt(base=curve)
