"""Placement of chargers: seeded, nested, within the site's phases, and refused where it cannot be."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.errors import InputError
from gridimpact.fleet import join_fleets, make_fleet, synthesize_fleet
from gridimpact.records import Network
from gridimpact.study.place import place
from gridimpact.timeline import Timeline

WEEK = Timeline.days("2016-01-11", 7, zone="Europe/Berlin")


def network(homes=20, buildings=2, phases="abc", public=0):
    kinds = ["home"] * homes + ["building"] * buildings + ["public"] * public
    sites = pd.DataFrame(
        {
            "bus": [100 + n // 2 for n in range(len(kinds))],
            "phases": phases,
            "kind": kinds,
            "load_p_kw": [0.5 + n for n in range(len(kinds))],
        },
        index=pd.Index([f"site {n}" for n in range(len(kinds))], name="site_id"),
    )
    return Network("net", "test", "none", None, None, sites)


def cars(count, **options):
    return synthesize_fleet(count, WEEK, seed=1, **options)


def test_each_home_gets_one_charger_and_nothing_else_changes():
    fleet = cars(12)
    placed = place(fleet, network(), seed=3)
    assert placed.chargers["site_id"].is_unique
    assert set(placed.chargers["site_id"]) <= {f"site {n}" for n in range(20)}
    assert (fleet.chargers["site_id"] == "").all()
    pd.testing.assert_frame_equal(placed.sessions, fleet.sessions)
    assert any("seed 3" in note.text for note in placed.notes)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 50))
def test_larger_penetration_contains_the_smaller(a, b, seed):
    small, large = (place(cars(n), network(), seed=seed) for n in sorted((a, b)))
    names = small.chargers.index
    assert large.chargers.loc[names, "site_id"].equals(small.chargers["site_id"])
    assert large.chargers.loc[names, "phases"].equals(small.chargers["phases"])


def test_seed_moves_cars_and_a_new_home_leaves_most_where_they_were():
    fleet = cars(10)
    sites = [set(place(fleet, network(), seed=s).chargers["site_id"]) for s in range(5)]
    assert len({tuple(sorted(s)) for s in sites}) > 1
    more = set(place(fleet, network(homes=20, public=1), seed=0).chargers["site_id"])
    assert more == sites[0]


def test_more_cars_than_homes_need_to_be_declared():
    fleet = cars(25)
    with pytest.raises(InputError, match=r"cars_per_home=1\.25"):
        place(fleet, network())
    twice = place(fleet, network(), cars_per_home=1.25)
    count = twice.chargers["site_id"].value_counts()
    assert count.max() == 2
    assert (count == 2).sum() == 5
    first = place(cars(20), network())
    assert twice.chargers["site_id"].iloc[:20].tolist() == first.chargers["site_id"].tolist()
    with pytest.raises(InputError, match="room for 24"):
        place(fleet, network(), cars_per_home=1.2)


def test_municipal_cars_go_to_the_largest_building_and_homes_stay_homes():
    both = join_fleets(cars(5), cars(3, kind="fleet"))
    placed = place(both, network())
    assert set(placed.chargers["site_id"].iloc[5:]) == {"site 21"}
    assert any("largest demand" in note.text for note in placed.notes)
    kinds = network().sites["kind"].reindex(placed.chargers["site_id"].iloc[:5])
    assert set(kinds) == {"home"}


def test_kind_site_and_mapping_decide_where_chargers_stand():
    fleet = cars(3)
    assert set(place(fleet, network(), at="building").chargers["site_id"]) == {"site 21"}
    assert set(place(fleet, network(), at="site 4").chargers["site_id"]) == {"site 4"}
    mapping = {f"charger_home_000{n}": f"site {n}" for n in (1, 2, 3)}
    placed = place(fleet, network(), at=mapping)
    assert placed.chargers["site_id"].tolist() == ["site 1", "site 2", "site 3"]
    public = place(fleet, network(public=2), at="public").chargers["site_id"]
    assert set(public) == {"site 22", "site 23"}


def test_placed_chargers_stay_and_take_their_home():
    fleet = place(cars(10), network(homes=10), seed=1)
    with pytest.raises(InputError, match="want a site of kind 'home'"):
        place(join_fleets(fleet, cars(1)), network(homes=10), seed=2)
    again = place(fleet, network(homes=10), seed=9)
    assert again.chargers["site_id"].equals(fleet.chargers["site_id"])


def test_file_of_chargers_to_sites_or_buses(tmp_path):
    path = tmp_path / "charger_to_bus.csv"
    fleet = cars(2)
    path.write_text("charger_id,site_id\ncharger_home_0001,site 3\ncharger_home_0002,site 0\n")
    assert place(fleet, network(), at=path).chargers["site_id"].tolist() == ["site 3", "site 0"]
    path.write_text("charger_id;bus\ncharger_home_0001;101\ncharger_home_0002;101\n")
    placed = place(fleet, network(), at=str(path))
    assert placed.chargers["site_id"].tolist() == ["site 2", "site 3"]
    assert any("several meters" in note.text for note in placed.notes)
    path.write_text("charger_id,bus\ncharger_home_0001,999\ncharger_home_0002,101\n")
    with pytest.raises(InputError, match="bus '999' has no meter"):
        place(fleet, network(), at=path)
    path.write_text("charger,bus\nx,1\n")
    with pytest.raises(InputError, match="needs columns"):
        place(fleet, network(), at=path)
    path.write_text("charger_id,bus\ncharger_home_0001,101\ncharger_home_0001,101\n")
    with pytest.raises(InputError, match="occurs twice"):
        place(fleet, network(), at=path)


def test_every_wrong_name_is_told_at_once_with_the_nearest():
    with pytest.raises(InputError) as caught:
        place(cars(3), network(), at={"charger_home_1": "site 1", "charger_home_0002": "sit 2"})
    message = str(caught.value)
    assert "write 'charger_home_0001'" in message
    assert "write 'site 2'" in message
    assert "2 chargers have no site" in message
    with pytest.raises(InputError, match="no kind of site here"):
        place(cars(3), network(), at="bilding")


def test_network_without_the_kind_asked_for_is_refused():
    with pytest.raises(InputError, match="'building', the network has: home"):
        place(cars(2, kind="fleet"), network(buildings=0))


def test_single_phase_chargers_are_spread_over_the_phases_and_keep_them():
    placed = place(cars(60, charger="ac_7.4kw"), network(homes=60))
    count = placed.chargers["phases"].value_counts()
    assert set(count.index) == {"a", "b", "c"}
    assert count.min() >= 10
    assert set(place(cars(5, charger="ac_7.4kw"), network(), phases="b").chargers["phases"]) == {
        "b"
    }
    assert set(place(cars(5, charger="ac_7.4kw"), network(), phases="keep").chargers["phases"]) == {
        "a"
    }


def test_single_phase_car_makes_its_three_phase_charger_single_phase():
    placed = place(cars(3, vehicles="Peugeot 208"), network())
    assert placed.chargers["phases"].str.len().tolist() == [1, 1, 1]
    assert set(place(cars(3, vehicles="Kia Niro"), network()).chargers["phases"]) == {"abc"}


def test_three_phase_charger_at_a_single_phase_site_gives_a_third():
    placed = place(cars(2, vehicles="Kia Niro"), network(phases="b"))
    assert placed.chargers["phases"].tolist() == ["b", "b"]
    assert placed.chargers["p_max_kw"].to_numpy() == pytest.approx(11.04 / 3)
    assert placed.chargers["p_discharge_max_kw"].to_numpy() == pytest.approx(11.04 / 3)
    assert any("fewer phases" in note.text for note in placed.notes)


def test_phase_that_the_site_lacks_is_refused():
    with pytest.raises(InputError, match="is on phase a, its site has b"):
        place(cars(2, charger="ac_7.4kw"), network(phases="b"), phases="a")
    assert set(place(cars(2, charger="ac_7.4kw"), network(phases="b")).chargers["phases"]) == {"b"}
    with pytest.raises(InputError, match="unknown"):
        place(cars(1), network(), phases="abc")


def test_empty_fleet_and_own_tables_can_be_placed():
    assert len(place(cars(0), network()).chargers) == 0
    vehicles = pd.DataFrame({"capacity_kwh": [40.0], "p_charge_max_kw": [7.0]}, index=["v"])
    chargers = pd.DataFrame({"p_max_kw": [7.0], "site_id": ["nowhere"]}, index=["c"])
    columns = ["vehicle_id", "charger_id", "plug_in", "plug_out"]
    sessions = pd.DataFrame([["v", "c", "2016-01-11", "2016-01-12"]], columns=columns, index=["s"])
    with pytest.raises(InputError, match="'nowhere' is unknown"):
        place(make_fleet(vehicles, chargers, sessions), network())


def test_rotated_phases_go_round_the_homes_whoever_gets_a_car_first():
    from gridimpact.study.phase_allocation import allocate_phases

    sites = pd.DataFrame({"phases": ["abc", "abc", "abc", "ab"]}, index=["h1", "h2", "h3", "h4"])
    names = ["c1", "c2", "c3", "c4", "c5"]
    chargers = pd.DataFrame(
        {"site_id": ["h3", "h1", "h4", "h1", "h2"], "phases": "a", "p_max_kw": 3.7,
         "p_discharge_max_kw": 0.0, "s_max_kva": 3.7},
        index=names,
    )  # fmt: skip
    one = pd.Series(data=True, index=names)
    found = allocate_phases(chargers, one, sites, ("rotate", 0), [])
    assert found["phases"].tolist() == ["c", "a", "b", "b", "b"]
