"""What every strategy must keep, whatever its rule; a new one is tested by a line in `strategies_<family>.py`.

The promises themselves are listed in `gridimpact.dispatch.contract`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridimpact.dispatch.contract import check_contract
from gridimpact.dispatch.strategy import Strategy, label
from gridimpact.records import PlanRequest
from tests.dispatch.requests import small_requests
from tests.dispatch.strategies import CURTAILS, STRATEGIES

CASES = pytest.mark.parametrize("strategy", STRATEGIES, ids=label)
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def kept(strategy: Strategy, requests: PlanRequest | None = None, seed: int = 0) -> None:
    broken = check_contract(strategy, requests, curtails=strategy.name in CURTAILS, seed=seed)
    assert not broken, "\n".join(str(one) for one in broken)


@CASES
@FEW
@given(request_=small_requests(), seed=st.integers(0, 99))
def test_every_promise_is_kept_by_fleets_that_are_drawn(strategy, request_, seed):
    kept(strategy, request_, seed)


@CASES
def test_every_promise_is_kept_by_ten_small_fleets(strategy):
    kept(strategy)


@CASES
def test_equal_settings_are_equal_strategies(strategy):
    assert strategy == replace(strategy)
    assert hash(strategy) == hash(replace(strategy))
