import dataclasses

import numpy as np

import gridimpact as gi
from gridimpact.dispatch.strategy import label
from gridimpact.hosting.draws import decided, make_draw
from gridimpact.hosting.firm import ControlLost, firm_of
from gridimpact.study.closed_loop import closed_loop
from gridimpact.study.power_flow import flow_setup
from gridimpact.study.requests import build_requests
from tests.hosting import evaluate_case as case


def test_planned_strategies_and_mixes_fall_back_to_uncontrolled_charging():
    for strategy in (
        gi.g2v.ValleyFilling(),
        gi.Mix({gi.v2g.PeakShaving(): 0.4}),
        gi.Uncontrolled(),
    ):
        assert firm_of(strategy) == gi.Uncontrolled()


def test_a_grid_aware_strategy_without_signals_is_its_closed_loop_with_every_signal_lost():
    held = gi.grid_aware.MeasuredLimit(0.35, floor_kw=2.0)
    firm = firm_of(held)
    assert isinstance(firm, ControlLost)
    assert label(firm) == f"control lost: {label(held)}"
    asked = case.settings((held,), (8,))
    draw = make_draw(decided(case.study(), asked), asked, 2)
    segment = draw.segments[0]
    request = build_requests(draw.spec, segment)
    setup = flow_setup(draw.spec)
    lost = dataclasses.replace(held, lost=1.0)
    stepped = closed_loop(lost, draw.spec, segment, [request], setup)[0]
    planned = firm.plan(request)
    np.testing.assert_allclose(planned.p_kw, stepped.p_kw, atol=1e-9)
    assert 0.0 < planned.p_kw.max() <= 2.0 + 1e-9
