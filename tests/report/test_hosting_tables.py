"""The words of a hosting scan say what its tables hold, and nothing that was not studied."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.hosting.intervals import quantile_ranks
from gridimpact.records import Note
from gridimpact.report.hosting_answer import answer
from gridimpact.report.hosting_basis import draws_for_low_end
from gridimpact.report.hosting_tables import (
    hosting_summary,
    repr_html_scan_result,
    text_summary,
)
from gridimpact.report.hosting_view import capacity
from gridimpact.report.hosting_words import headline, is_worse
from tests.report.hosting_case import BEARS, hosting_result, nodal, only, small_scan, uniform

EVIL = "</script><img src=x onerror=1>"


def managed(result, strategy):
    frame = result.capacity
    own = (frame.strategy == strategy) & (frame.control == "managed") & (frame.limit == "all")
    return frame[own].iloc[0]


def with_capacity(result, numbers, **columns):
    """Return the scan with the managed capacities of some strategies replaced."""
    frame = result.capacity.copy()
    for strategy, number in numbers.items():
        own = (frame.strategy == strategy) & (frame.control == "managed") & (frame.limit == "all")
        frame.loc[own, ["at_risk", "low", "high"]] = [number, number - 3.0, number + 4.0]
        for column, value in columns.items():
            frame.loc[own, column] = value
    return replace(result, capacity=frame)


def test_the_headline_is_the_sentence_a_planner_asks_for():
    told = with_capacity(
        small_scan(),
        {"uncontrolled": 57.0, "g2v_valley_filling": 143.0, "v2g_peak_shaving": 171.0},
        binding="voltage",
    )
    kept = told.capacity[told.capacity.strategy != "mix"]
    assert headline(replace(told, capacity=kept)) == (
        "57 cars uncontrolled, 143 with valley filling, 171 with V2G peak shaving at 5 % risk, "
        "limited by voltage at the far end of feeder 2."
    )


def test_summary_holds_the_numbers_of_the_table_of_capacities():
    result = small_scan()
    frame = hosting_summary(result)
    assert list(frame.index) == list(BEARS)
    for strategy in BEARS:
        own, base = managed(result, strategy), managed(result, "uncontrolled")
        row = frame.loc[strategy]
        assert row["managed"] == own["at_risk"]
        assert row["managed_low"] == own["low"]
        assert row["firm"] == base["at_risk"]
        assert row["managed_per_home"] == pytest.approx(own["at_risk"] / result.homes)
        assert row["gain_over_uncontrolled"] == own["at_risk"] - base["at_risk"]
        assert row["first_violation"] == own["first_violation"]
        assert row["binding"] == own["binding"]


def test_a_terminal_shows_twelve_long_named_strategies_in_a_hundred_columns():
    names = {f"my own strategy number {k} with a long name": (70 + 9 * k,) * 4 for k in range(11)}
    text = text_summary(hosting_result({"uncontrolled": BEARS["uncontrolled"], **names}, draws=40))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    heads = [line for line in lines if line.startswith("my own strategy")]
    assert len(heads) >= 11
    assert len({line.index("[") for line in heads[:3]}) == 1


def test_what_is_not_reached_is_said_and_never_given_as_a_number():
    result = small_scan()
    assert not managed(result, "mix")["reached"]
    assert "at least 200 with a realistic mix" in headline(result)
    assert "≥ 200" in text_summary(result)
    assert any("was not reached" in p.text for p in answer(result).passages)


def test_a_strategy_worse_than_no_control_is_called_a_danger_and_others_are_not():
    result = small_scan()
    assert [s for s in BEARS if is_worse(result, s)] == ["g2v_price"]
    warned = [p for p in answer(result).passages if p.role == "verdict warn"]
    assert [p.lead for p in warned] == ["Avoid price charging:"]
    fewer = managed(result, "uncontrolled")["at_risk"] - managed(result, "g2v_price")["at_risk"]
    assert f"{fewer:.0f} fewer than uncontrolled" in warned[0].text
    assert "price" not in headline(result)
    short = answer(with_capacity(result, {"g2v_price": 50.0}, binding="service"))
    (told,) = [p for p in short.passages if p.role == "verdict warn"]
    assert told.lead == "Price charging leaves drivers short:"
    assert "Limited by driver service" in told.text
    assert "(limit 1 %)" in told.text


def test_draws_risk_and_confidence_are_told_and_too_few_draws_say_how_many_are_needed():
    scan = small_scan()
    settings = {**scan.settings, "draws": [8, 8], "risk": 0.1}
    frame = scan.capacity.assign(draws=8, low=0.0, high=np.nan)
    few = replace(scan, settings=settings, capacity=frame)
    text = " ".join(text_summary(few).split())
    assert "8 draws, 10 % risk, 95 % confidence." in text
    needed = next(n for n in range(1, 200) if quantile_ranks(n, 0.1, 0.95)[0])
    assert f"8 draws: too few for a low end at 10 % risk; {needed} are needed." in text
    assert "[0 to ?]" in text
    assert "not known upward" in text
    assert hosting_summary(few).loc["uncontrolled", "draws_for_low_end"] == needed
    for draws, risk, looks in (((72, 72), 0.05, 1), ((200, 1000), 0.05, 5), ((20, 60), 0.2, 4)):
        known = draws_for_low_end(replace(scan, settings={"draws": list(draws), "risk": risk}))
        least = 1 - 0.05 / looks
        assert quantile_ranks(known, risk, least)[0] == 1
        assert quantile_ranks(known - 1, risk, least)[0] == 0


def test_limits_not_assessed_stand_in_one_line_with_what_they_need():
    full = "This limit counts but was not assessed in full: {}; it may fail but never passes."
    notes = (
        Note(
            "warning", "hosting, ageing", full.format("the limit is for a year, less is assessed")
        ),
        Note("warning", "hosting, unbalance", full.format("no whole week of counted time")),
        Note("info", "hosting, export", "Not judged: no limit on power fed upward was given."),
    )
    scan = small_scan()
    profile = {**scan.manifest["limits"], "ageing_equivalent": 1.0, "unbalance_percent": None}
    told = replace(scan, notes=notes, manifest={**scan.manifest, "limits": profile})
    lines = [line for line in text_summary(told).splitlines() if line.startswith("Not assessed:")]
    assert lines == ["Not assessed: transformer life (needs a year)."]
    assert "Not assessed: transformer life (needs a year)." in str(answer(told))


def test_last_passing_at_the_highest_number_is_a_bound_and_firm_says_what_limits_it():
    scan = small_scan()
    frame = scan.capacity.copy()
    own = (
        (frame.strategy == "v2g_peak_shaving") & (frame.control == "firm") & (frame.limit == "all")
    )
    frame.loc[own, ["at_risk", "binding", "binding_percent"]] = [33.0, "line_loading", 81.0]
    text = text_summary(replace(scan, capacity=frame))
    mix = next(line for line in text.splitlines() if line.startswith("Realistic mix"))
    assert mix.count("≥ 200") == 2
    firm = text.split("Limited by (firm)\n")[1].splitlines()[0]
    assert "V2G peak shaving" in firm
    assert "line loading at Cable 15, feeder 2" in firm
    assert "Limited by (firm)" not in text_summary(scan)


def test_fewer_cars_at_risk_but_better_in_most_draws_is_no_danger():
    result = with_capacity(small_scan(), {"v2g_peak_shaving": 1.0})
    assert capacity(result, "v2g_peak_shaving").at_risk == 1.0
    assert not is_worse(result, "v2g_peak_shaving")


def test_voltage_that_was_not_assessed_is_said_and_never_passed_silently():
    scan = small_scan()
    assert not [p for p in answer(scan).passages if p.lead == "Voltage not assessed:"]
    frame = scan.scenarios.copy()
    unknown = frame["voltage_margin_pu"] >= 0
    frame.loc[unknown, "voltage_margin_pu"] = np.nan
    told = text_summary(replace(scan, scenarios=frame))
    share = f"in {100 * unknown.mean():.0f} % of scenarios it neither passed nor failed"
    assert share in " ".join(told.split())
    assert "Voltage was not fully assessed." in " ".join(told.split())
    assert "Voltage" not in headline(scan)


def test_one_course_of_events_has_no_interval_and_no_risk():
    frame = small_scan().capacity.assign(draws=1)
    one = replace(small_scan(), method="time_series", capacity=frame)
    text = str(answer(one))
    assert "no probability and no interval" in text
    assert "[" not in text
    assert "risk" not in headline(one)


def test_connections_alone_and_all_at_once_are_told_in_kilowatts():
    scan = small_scan()
    table = nodal(scan.network)
    own = table[table.direction == "import"]
    alone = only(scan, "nodal", nodal=table)
    words = headline(alone)
    assert f"{own.capacity_kw.min():.1f} to {own.capacity_kw.max():.0f} kW" in words
    assert f"least at {own.loc[own.capacity_kw.idxmin(), 'name']}" in words
    assert hosting_summary(alone).loc[("nodal", "import"), "least_kw"] == own.capacity_kw.min()
    together = text_summary(only(scan, "uniform", uniform=uniform()))
    assert "2.37 kW each, limited by voltage at the far end of feeder 2" in " ".join(
        together.split()
    )
    assert "no limit reached up to 11.0 kW" in " ".join(together.split())
    assert max(map(len, together.splitlines())) <= 100


def test_tables_read_from_files_tell_the_same():
    scan = small_scan()
    tables = {
        name: pd.read_csv(io.StringIO(getattr(scan, name).to_csv(index=False)))
        for name in ("capacity", "binding", "pairs", "nodal", "mitigation")
    }
    assert text_summary(replace(scan, **tables)) == text_summary(scan)


def test_the_card_in_a_notebook_shows_capacities_and_escapes_names():
    record = replace(
        hosting_result({"uncontrolled": (70,) * 4, EVIL: (90,) * 4}, draws=40), name=EVIL
    )
    card = gi._card(record)
    assert card == repr_html_scan_result(record)
    assert "<img" not in card
    assert card.count("&lt;img src=x onerror=1&gt;") >= 2
    own = managed(record, EVIL)
    assert f"{own['at_risk']:.0f} [{own['low']:.0f} to {own['high']:.0f}]" in card
