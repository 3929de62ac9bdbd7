"""Cars of a level cut out of a draw: as if the study had been made with these cars alone."""

import dataclasses

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.hosting.draws import DrawMaker, decided, make_draw, request_with, spec_with
from gridimpact.study.requests import build_requests
from tests.hosting import draw_case as case
from tests.study import case as village


def same(one, other):
    """Two records hold the same values, arrays to the last bit."""
    for f in dataclasses.fields(one):
        a, b = getattr(one, f.name), getattr(other, f.name)
        if dataclasses.is_dataclass(a):
            same(a, b)
        elif f.name == "tariffs":
            for x, y in zip(a, b, strict=True):
                same(x, y)
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=f.name)
        else:
            assert a == b, f.name


def scan(**options):
    """The shared village with cars of a hall, and settings to draw from it."""
    settings = case.asked(4, 19, **({"days": tuple(village.DAYS)} | options))
    return decided(village.study([gi.Uncontrolled()]).spec, settings), settings


@pytest.mark.parametrize("behaviour", ["resample", {"charger": "dc_10kw_bidirectional"}])
def test_a_slice_is_the_request_of_the_smaller_study(behaviour):
    made = make_draw(*scan(behaviour=behaviour), 1)
    assert len(made.segments) == 2
    for segment in made.segments:
        whole = build_requests(made.spec, segment)
        assert whole.stays.cut.any()
        for cars in (0, 4, 11):
            same(request_with(whole, made, cars), build_requests(spec_with(made, cars), segment))
        assert request_with(whole, made, 19) is whole


def test_sessions_far_from_the_days_change_no_request():
    maker = DrawMaker(*scan(days=(village.DAYS[0],)))
    near, whole = maker.draw(2), maker.draw(2, whole=True)
    assert near.sessions_sha256 == whole.sessions_sha256
    assert len(near.spec.fleet.sessions) < len(whole.spec.fleet.sessions)
    for segment in near.segments:
        same(build_requests(near.spec, segment), build_requests(whole.spec, segment))


def test_a_draw_at_a_level_runs_as_a_study_of_its_own():
    spec, settings = scan(days=(village.DAYS[0],))
    made = make_draw(spec, settings, 0)
    study = gi.Study.__new__(gi.Study)
    study.spec, study.days = spec_with(made, 4), settings.days
    (asked,) = study.requests()
    (segment,) = made.segments
    same(asked, request_with(build_requests(made.spec, segment), made, 4))
    result = study.run(progress=False).record
    assert len(result.fleet.vehicles) == 4 + 7
    assert any("Draw 0" in note.text and "4 of 19" in note.text for note in result.notes)


def test_made_cars_come_the_same_near_their_days_and_never_in_two_places():
    settings = case.asked(25, behaviour={"vehicles": "Renault Zoe", "plug_in": "always"})
    maker = DrawMaker(case.study(), settings)
    near, whole = maker.draw(0), maker.draw(0, whole=True)
    for fleet in (near.spec.fleet, whole.spec.fleet):
        stays = fleet.sessions.sort_values(["vehicle_id", "plug_in"])
        before = stays.groupby("vehicle_id")["plug_out"].shift()
        assert not (stays["plug_in"] < before).any()
    # Arrivals inside the counted days, by car: the same trips whether the timeline is made whole or in parts.
    found = []
    for made in (near, whole):
        sessions = made.spec.fleet.sessions
        inside = np.zeros(len(sessions), dtype=bool)
        for segment in made.segments:
            at = segment.timeline.step_of(sessions["plug_in"].to_numpy())
            inside |= (at > 0) & (at < segment.timeline.count)
        mine = sessions[inside & sessions["vehicle_id"].str.startswith("d").to_numpy()]
        found.append(mine.sort_values(["vehicle_id", "plug_in"]))
    assert len(found[0]) > 50
    columns = ["vehicle_id", "plug_in", "trip_kwh"]
    both = [set(table[columns].itertuples(index=False)) for table in found]
    assert len(both[0] & both[1]) > 0.95 * len(both[0] | both[1])


def test_a_fixed_daily_energy_is_a_mean_over_the_whole_timeline():
    options = {"vehicles": "Renault Zoe", "daily_kwh": 8.0, "plug_in": "always", "multi_day": False}
    made = DrawMaker(case.study(), case.asked(6, behaviour=options)).draw(0, whole=True)
    fleet = made.spec.fleet
    private = fleet.sessions[fleet.sessions["vehicle_id"].str.startswith("d")]
    driven = private.groupby("vehicle_id")["trip_kwh"].sum()
    eta = fleet.vehicles.loc[driven.index, "eta_charge"]
    np.testing.assert_allclose(driven / eta / 40, 8.0, rtol=0.1)
