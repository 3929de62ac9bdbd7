"""Many plans at once are the same plans."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch import g2v
from gridimpact.dispatch.many import plan_many, plans
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Group, Stay, plan_request


def scenarios(count):
    """Give one street after the other."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        yield plan_request(
            [Car(f"car {k}", soc=0.2) for k in range(6)],
            [Stay(k, int(rng.integers(0, 9)), int(rng.integers(14, 24))) for k in range(6)],
            groups=[Group(rng.uniform(5, 20, 24), 40.0)],
        )


def test_any_number_of_workers_gives_the_same_bytes_in_the_order_of_the_requests():
    strategy = g2v.TransformerLimit(0.9)
    alone = [strategy.plan(request) for request in scenarios(20)]
    for workers in (1, 2, 5):
        found = plan_many(strategy, scenarios(20), workers=workers)
        assert [f.p_kw.tobytes() for f in found] == [a.p_kw.tobytes() for a in alone]
        assert [f.soc.tobytes() for f in found] == [a.soc.tobytes() for a in alone]


def test_requests_are_made_as_plans_are_taken():
    made = []

    def requests():
        for request in scenarios(100):
            made.append(request)
            yield request

    first = next(plans(g2v.TransformerLimit(), requests(), workers=2))
    assert first.p_kw.shape == (24, 6)
    assert len(made) < 20


def test_no_worker_is_refused():
    with pytest.raises(InputError, match="workers"):
        plan_many(g2v.TransformerLimit(), scenarios(1), workers=0)
