"""What a step's mean hides: the network at both ends of a service's band, the step between them, rebound."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.dispatch import g2v, v2g
from gridimpact.dispatch.services import Signal
from gridimpact.network import open_network
from gridimpact.records import StudyResult
from gridimpact.report.html import page
from gridimpact.report.services import service_rows, services_frame
from gridimpact.study.save import strategy_entry
from gridimpact.study.signals import read_strategies
from gridimpact.study.store import write_results
from gridimpact.study.store_read import read_results
from tests.network.nets import feeder
from tests.study.case import DAY, constant, fleet_of

NAMES = ("a", "b", "c")
CAR = {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0, "p_discharge_max_kw": 11.0, "phases": 3}
REGULATION = v2g.Regulation(
    signal=Signal("neutral", DAY.start, 4, np.tile([1.0, -1.0], 12 * 900)[: 24 * 900]),
    product="both",
    latency_s=0.0,
    enrolled=1.0,
    reserve_soc=0.2,
)
RESERVE = v2g.SpinningReserve(events=("12:00",), enrolled=1.0, reserve_soc=0.2)


@lru_cache(maxsize=1)
def solved() -> StudyResult:
    """Return a day of three homes at a long cable, each with a car from noon to midnight."""
    net = feeder(3)
    net.line["length_km"] = 0.3
    network = open_network(net)
    stays = [(n, "2016-04-15 10:00", "2016-04-15 23:00", 0.0, 0.3, 0.6) for n in NAMES]
    cars = fleet_of(stays, dict.fromkeys(NAMES, CAR), p_discharge_max_kw=11.0)
    at = {f"c_{name}": f"Home {k + 1}" for k, name in enumerate(NAMES)}
    study = gi.Study(
        network,
        constant(network),
        gi.place(cars, network, at=at),
        strategies=[REGULATION, RESERVE, g2v.ValleyFilling()],
        name="services",
    )
    return study.run("all", progress=False).record


def worst(strategy: str) -> dict[str, float]:
    """Return the network's figures of a strategy by name."""
    table = services_frame(solved(), strategy)
    own = table[table["service"] == "network"]
    return dict(zip(own["name"], own["value"], strict=True))


def test_the_mean_of_a_neutral_signal_hides_the_excursion():
    found, mean = worst("v2g_regulation"), solved().comparison.loc["v2g_regulation"]
    # At the mean voltages hardly differ from those without cars; at the ends they do.
    assert found["vm_max_pu_least_draw"] > mean["vm_max_pu"] + 0.01
    assert found["vm_min_pu_highest_draw"] < mean["vm_min_pu"] - 0.005
    assert found["voltage_step_percent"] > 3.0
    assert (
        found["transformer_loading_percent_highest_draw"]
        > mean["transformer_loading_max_percent"] + 5.0
    )
    notes = [n.text for n in solved().assessments["v2g_regulation"].notes if n.where == "services"]
    assert any("no diversity" in text or "highest power" in text for text in notes)
    assert any("the voltage steps by" in text for text in notes)


def test_full_regulation_down_loads_the_network_as_all_cars_charging_at_once():
    # In its first hours every car charges at full power when uncontrolled; so it does at this rail.
    uncontrolled = solved().comparison.loc["uncontrolled"]
    found = worst("v2g_regulation")
    assert found["vm_min_pu_highest_draw"] == pytest.approx(uncontrolled["vm_min_pu"], abs=1e-6)
    assert found["transformer_loading_percent_highest_draw"] == pytest.approx(
        uncontrolled["transformer_loading_max_percent"], abs=1e-3
    )


def test_a_call_of_reserve_steps_the_voltage_and_its_rebound_loads_the_transformer():
    found, mean = worst("v2g_spinning_reserve"), solved().comparison.loc["v2g_spinning_reserve"]
    assert found["voltage_step_percent"] > 3.0
    assert found["vm_max_pu_least_draw"] >= mean["vm_max_pu"] - 1e-9
    assert found["transformer_loading_percent_rebound"] == pytest.approx(
        mean["transformer_loading_max_percent"], rel=1e-3
    )
    figures = services_frame(solved(), "v2g_spinning_reserve").set_index("name")["value"]
    assert figures["calls"] == 1.0
    assert figures["response_ok"] == 1.0
    assert figures["event_kwh"] > 0.0


def test_only_strategies_that_serve_have_the_table():
    table = services_frame(solved())
    assert set(table["strategy"]) == {"v2g_regulation", "v2g_spinning_reserve"}
    assert list(table.columns) == ["strategy", "service", "name", "value", "period", "note"]
    assert services_frame(solved(), "g2v_valley_filling").empty


def test_result_and_folder_tell_the_services(tmp_path):
    result = gi.Result(solved())
    assert len(result.services("v2g_regulation")) == len(services_frame(solved(), "v2g_regulation"))
    with pytest.raises(gi.InputError, match="no strategy 'x'"):
        result.services("x")
    rows = service_rows(solved())
    assert any(row["name"] == "voltage step" and row["value"].endswith("%") for row in rows)
    assert not any(row["name"].endswith("12h") for row in rows)
    write_results(solved(), tmp_path / "results", {})
    again = services_frame(read_results(tmp_path / "results"))
    np.testing.assert_allclose(again["value"], services_frame(solved())["value"], rtol=1e-9)


def test_the_ledger_of_a_fast_signal_closes_from_the_stored_arrays():
    data, row = solved().dataset, "v2g_regulation"
    power = data["charger_p_kw"].sel(strategy=row).to_numpy()
    cars = solved().fleet.vehicles
    charge, feed = (cars[n].to_numpy() for n in ("eta_charge", "eta_discharge"))
    lost = data["inner_loss_kwh"].sel(strategy=row).to_numpy()
    assert lost.sum() > 1.0
    gain = np.maximum(power, 0.0) * charge + np.minimum(power, 0.0) / feed - lost
    soc = 0.3 + np.cumsum(gain[10:23], axis=0) / cars["capacity_kwh"].to_numpy()
    told = data["soc"].sel(strategy=row).to_numpy()[10:23]
    np.testing.assert_allclose(told, soc, rtol=1e-9)
    assert not data["inner_loss_kwh"].sel(strategy="uncontrolled").to_numpy().any()


def test_a_signal_of_its_own_is_no_study_file():
    with pytest.raises(gi.InputError, match="a study file cannot hold in"):
        strategy_entry(REGULATION)
    assert strategy_entry(v2g.Regulation(product="up")) == {"v2g.regulation": {"product": "up"}}


def test_a_study_file_names_the_file_of_its_signal(tmp_path):
    (tmp_path / "agc.csv").write_text("s,mw\n0,50\n4,-100\n")
    entry = {"mix": {"shares": {"v2g.regulation": {"share": 0.3, "signal": {"file": "agc.csv"}}}}}
    own = entry["mix"]["shares"]["v2g.regulation"]
    own["signal"] |= {"capacity": 100}
    (made,) = read_strategies([entry], lambda name: tmp_path / name)
    assert made.strategies[0][0].signal.values.tolist() == [0.5, -1.0]
    own["signal"] |= {"scale": 1}
    with pytest.raises(gi.InputError, match="give 'file'"):
        read_strategies([entry], lambda name: tmp_path / name)


@pytest.mark.slow
def test_the_page_shows_the_services():
    text = page(solved())
    assert "one signal, no diversity" in text
    assert "transformer loading, rebound" in text


def test_energy_cycled_inside_steps_counts_as_fed_and_worn():
    summary = solved().assessments["v2g_regulation"].summary
    cycled = services_frame(solved(), "v2g_regulation").set_index("name")["value"]
    assert cycled["fed_kwh"] > 10.0
    assert summary["ev_discharge_kwh"] == pytest.approx(cycled["fed_kwh"], rel=1e-6)
