"""What owner and aggregator owe one another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from gridimpact.dispatch import execute, g2v
from gridimpact.dispatch.aggregator import (
    GuaranteedSoc,
    HourByHour,
    MustBePlugged,
    PayAsYouGo,
    settle,
    usage,
)
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from tests.dispatch.fleets import home_fleet
from tests.dispatch.requests import Car, Group, Stay, plan_request


def one_car(hours, *, steps=240, start=0, feed_kw=10.0):
    """Return the usage of a car plugged in for some hours."""
    request = plan_request(
        [Car()], [Stay(0, start, start + hours, p_discharge_kw=feed_kw)], steps=steps
    )
    return usage(request, uncontrolled_dispatch(request))


def test_ten_kilowatts_for_120_hours_at_two_cents_earn_24():
    found = settle(HourByHour(0.02), one_car(120)).statement.iloc[0]
    assert found["earned"] == pytest.approx(24.0)
    assert found["availability"] == pytest.approx(0.5)


@pytest.mark.reference
def test_hour_by_hour_is_that_of_the_reference(reference):
    file = reference / "reference/requirements/market_ancillary.json"
    case = next(c for c in json.loads(file.read_text())["cases"] if c["id"] == "contract-hour")
    used = one_car(int(case["inp"]["hours_plugged"]), feed_kw=case["inp"]["kw"])
    found = settle(HourByHour(case["inp"]["usd_per_kw_h"]), used).statement
    assert found.loc[0, "earned"] == pytest.approx(case["expect"])


def test_hours_away_in_the_window_cost_a_penalty_and_those_plugged_in_pay():
    # Ten days from Monday, 17 to 21 o'clock: 40 h, of which the first 100 h hold 4 windows and no more.
    used = one_car(100)
    rule = MustBePlugged("17:00", "21:00", per_window_h=0.1, penalty_per_h=0.5)
    found = settle(rule, used).statement.iloc[0]
    assert found["earned"] == pytest.approx(16 * 0.1)
    assert found["penalties"] == pytest.approx(24 * 0.5)
    assert found["net"] == pytest.approx(1.6 - 12.0)
    weekend = MustBePlugged("17:00", "21:00", days=("sat", "sun"))
    assert settle(weekend, used).statement.loc[0, "penalties"] == pytest.approx(8 * 0.5)


def test_a_sum_in_advance_loses_what_was_promised_and_not_kept():
    used = one_car(100)
    # Ten days of 12 h are promised, 100 h kept.
    found = settle(PayAsYouGo(30.0, 12.0, 0.2), used).statement.iloc[0]
    assert found["penalties"] == pytest.approx(20 * 0.2)
    assert found["net"] == pytest.approx(26.0)
    kept = settle(PayAsYouGo(30.0, 10.0, 0.2), used).statement.iloc[0]
    assert kept["penalties"] == 0.0
    most = settle(PayAsYouGo(3.0, 24.0, 5.0), used).statement.iloc[0]
    assert most["net"] == 0.0


def test_the_guarantee_pays_what_charging_at_once_would_have_put_in_and_no_more():
    # One car would have made it, the other leaves too soon whatever is done.
    cars = [Car("a", soc=0.3), Car("b", soc=0.3)]
    stays = [Stay(0, 0, 8, target=0.8), Stay(1, 0, 2, target=0.8)]
    request = plan_request(cars, stays, steps=10, groups=[Group(0.0, 2.0)])
    found = g2v.TransformerLimit(1.0, order="earliest_departure").plan(request)
    owed = settle(GuaranteedSoc(per_kwh=2.0), usage(request, found)).statement
    assert owed.loc[0, "owed_kwh"] == pytest.approx(25.0 - 12.0)
    # Uncontrolled it would have missed 5 of 25 kWh; under the limit it misses 21.
    assert owed.loc[1, "owed_kwh"] == pytest.approx(21.0 - 5.0)
    np.testing.assert_allclose(owed["earned"], 2.0 * owed["owed_kwh"])


def test_fed_energy_and_departures_are_paid():
    request = plan_request([Car(soc=0.9)], [Stay(0, 0, 9, target=0.5, p_discharge_kw=10.0)])
    found = execute(request, np.full((24, 1), -2.0), strategy="feed", controlled=np.ones(1, bool))
    used = usage(request, found)
    assert used.fed_kwh[0] == pytest.approx(18.0)
    told = settle(GuaranteedSoc(0.0, per_departure=0.5, per_fed_kwh=0.1), used).statement
    assert told.loc[0, "earned"] == pytest.approx(0.5 + 1.8)


def test_what_one_party_gets_the_other_pays():
    request = home_fleet(8, 6)
    used = usage(request, uncontrolled_dispatch(request), power="both", most_kw=12.0)
    found = settle([GuaranteedSoc(), MustBePlugged(), HourByHour(), PayAsYouGo()], used)
    assert found.payments["paid"].sum() == pytest.approx(0.0, abs=1e-9)
    by_contract = found.payments.groupby("contract")["paid"].sum()
    assert np.abs(by_contract).max() < 1e-9
    owners = found.payments.query("party == 'owners'")["paid"].sum()
    assert owners == pytest.approx(found.statement["net"].sum())
    np.testing.assert_allclose(used.offered_kwh, 12.0 * used.hours)


def test_an_agreement_of_ones_own_joins_in():
    @dataclass(frozen=True)
    class Gift:
        """Ten for every car."""

        title: ClassVar[str] = "gift"

        def terms(self, used):
            """Return ten and nothing."""
            return np.full(used.hours.size, 10.0), np.zeros(used.hours.size)

    assert settle(Gift(), one_car(5)).statement.loc[0, "net"] == 10.0


def test_terms_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="per_kw_h of the contract 'hour by hour' is -1"):
        HourByHour(-1.0)
    with pytest.raises(InputError, match="a day has 24"):
        PayAsYouGo(promised_h_per_day=25.0)
    with pytest.raises(InputError, match="25:00"):
        MustBePlugged("25:00")
    request = plan_request([Car()], [Stay(0, 0, 3)])
    with pytest.raises(InputError, match="power 'all' is unknown"):
        usage(request, uncontrolled_dispatch(request), power="all")
