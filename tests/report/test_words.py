"""Every sentence of the answer follows from the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridimpact.records import Note
from gridimpact.report import answer, choose, view, write_excel, write_html
from gridimpact.report.words import DISCLAIMER


def with_figures(result, changes):
    """Return the result with figures of its comparison replaced: {(strategy, metric): value}."""
    frame = result.comparison.copy()
    for (strategy, metric), value in changes.items():
        frame.loc[strategy, metric] = value
    return replace(result, comparison=frame)


def only(result, labels):
    return replace(
        result,
        comparison=result.comparison.loc[labels],
        dataset=result.dataset.sel(strategy=labels),
        assessments={label: result.assessments[label] for label in labels},
    )


def test_answer_names_the_worst_moment_in_local_time(result):
    load = result.dataset["transformer_loading_percent"].sel(strategy="uncontrolled")
    load = load.where(result.dataset["counted"]).isel(transformer=0)
    stamp = pd.Timestamp(load["time"].values[int(load.argmax(dim="time"))])
    local = stamp.tz_localize("UTC").tz_convert("Europe/Berlin")
    text = str(answer(result))
    assert f"{local:%a} {local.day} {local:%b %H:%M}" in text
    assert f"{float(load.max()):.0f} % (limit 150)" in text


def test_answer_counts_the_drop_from_the_busbar_where_the_limit_does(result):
    vm = result.dataset["vm_pu"].sel(strategy="uncontrolled").where(result.dataset["counted"])
    drop = float((vm.isel(bus=1) - vm).max()) * 100
    assert f"{drop:.1f} % below its busbar, limit 5 %" in str(answer(result))


def test_families_that_were_not_run_read_not_studied(result):
    text = str(answer(only(result, ["no_ev", "uncontrolled", "g2v_valley_filling"])))
    for family in ("V2G", "V2H", "V2B"):
        assert f"{family}: not studied." in text
    assert "Capacity at 5 % risk: not studied." in text


def test_uncontrolled_that_was_not_run_reads_not_studied(result):
    text = str(answer(only(result, ["no_ev", "mix"])))
    assert "Uncontrolled: not studied." in text
    assert "Uncontrolled charging was not studied." in text


def test_recommended_clears_every_ev_caused_violation_then_serves_best_then_costs_least(result):
    chosen = choose(result)
    frame = result.comparison
    assert frame.loc[chosen.recommended, "violations_ev_caused"] == 0
    # V2H and the mix clear with the same service here; the cheaper one is named.
    cost = frame["ev_cost_per_car_eur"] + frame["wear_cost_per_car_eur"]
    assert cost["mix"] < cost["v2h_self_consumption"]
    assert chosen.recommended == "mix"
    late = {("mix", "departures_below_target_percent"): 9.0}
    assert choose(with_figures(result, late)).recommended == "v2h_self_consumption"


def test_perfect_foresight_is_recommended_only_where_nothing_causal_clears(result):
    blocked = with_figures(
        result,
        {(s, "violations_ev_caused"): 3 for s in ("mix", "v2h_self_consumption")},
    )
    chosen = choose(blocked)
    assert chosen.recommended == "g2v_valley_filling"
    assert chosen.upper_bound
    assert "an upper bound" in str(answer(blocked))
    assert not choose(result).upper_bound
    assert "Valley filling (60 of 60 cars, upper bound)" in str(answer(result))


def test_nothing_that_clears_is_said_plainly(result):
    labels = [s for s in result.comparison.index if s != "no_ev"]
    stuck = with_figures(result, {(s, "violations_ev_caused"): 5 for s in labels})
    assert not choose(stuck).clears
    assert "no strategy studied clears them all" in answer(stuck).headline


def test_a_network_without_ev_violations_needs_no_control(result):
    labels = result.comparison.index
    calm = with_figures(result, {(s, "violations_ev_caused"): 0 for s in labels})
    assert not choose(calm).needed
    assert choose(calm).avoid is None
    assert "keeps every limit" in answer(calm).headline
    assert "Avoid" not in str(answer(calm))


def test_aggravated_violations_count_as_caused_by_cars(result):
    worse = with_figures(result, {("mix", "violations_aggravated"): 1})
    assert choose(worse).recommended != "mix"


@pytest.mark.parametrize(
    ("ageing", "words"),
    [(0.004, "life is not limiting"), (2.1, "life is used faster than normal")],
)
def test_life_is_named_only_where_it_says_something(result, ageing, words):
    changed = with_figures(result, {("uncontrolled", "ageing_equivalent"): ageing})
    assert words in str(answer(changed))


def test_ageing_between_a_hundredth_and_normal_is_given_without_a_verdict(result):
    text = str(answer(with_figures(result, {("uncontrolled", "ageing_equivalent"): 0.3})))
    assert "ageing 0.3 of normal." in text


def test_annual_words_appear_only_for_a_year(result):
    assert " a year" not in str(answer(result))
    hours = {(s, "hours_assessed"): 8760.0 for s in result.comparison.index}
    text = str(answer(with_figures(result, hours)))
    assert "h a year" in text
    assert "no annual figures" not in text


def test_confidence_counts_failed_steps_names_assumptions_and_disclaims(result):
    noted = replace(result, notes=(Note("assumption", "phases", "Drawn at random."),))
    last = answer(noted).passages[-1]
    assert "3 of 9,408 assessed steps failed" in last.text
    assert "phases" in last.text
    assert last.text.endswith(DISCLAIMER)


def test_figures_that_were_not_assessed_never_read_as_zero(result):
    metrics = ("transformer_loading_max_percent", "hot_spot_max_c", "vm_min_pu")
    data = result.dataset.copy()
    for name in ("transformer_loading_percent", "hot_spot_c", "vm_pu", "line_loading_percent"):
        data[name] = data[name] * np.nan
    blind = replace(
        with_figures(result, {("uncontrolled", m): np.nan for m in metrics}), dataset=data
    )
    text = str(answer(blind))
    for words in (
        "Transformer loading not assessed",
        "temperature not assessed",
        "Voltage not assessed",
        "Line loading not assessed",
    ):
        assert words in text
    assert "nan" not in text


def test_a_lower_source_is_named_where_it_was_solved(result):
    solved = {"uncontrolled": {"lower": 0.88, "as_set": 0.91, "higher": 0.94}}
    manifest = {**result.manifest, "busbar_sensitivity": solved}
    text = str(answer(replace(result, manifest=manifest)))
    assert "takes the lowest voltage to 0.880 pu" in text
    assert "a source" not in str(answer(result))


def with_violations(result, label, rows):
    """Return the result with violations (kind, name, worst, limit, unit, origin) and their counts."""
    columns = ["kind", "name", "worst", "limit", "unit", "origin"]
    table = pd.DataFrame(rows, columns=columns).assign(
        element=0, start=pd.Timestamp("2016-01-16 18:00"), end=pd.Timestamp("2016-01-16 19:00"),
        duration_h=1.0, caused_by="",
    )  # fmt: skip
    found = {**result.assessments, label: replace(result.assessments[label], violations=table)}
    counts = table["origin"].value_counts()
    changes = {(label, f"violations_{k}"): counts.get(k, 0) for k in ("ev_caused", "aggravated")}
    return replace(with_figures(result, changes), assessments=found)


def test_violations_are_told_by_their_origin(result):
    rows = [
        ("line_loading", "L1", 120.0, 100.0, "%", "ev_caused"),
        ("line_loading", "L2", 130.0, 100.0, "%", "aggravated"),
        ("line_loading", "L3", 140.0, 100.0, "%", "preexisting"),
        ("line_loading", "L4", 140.0, 100.0, "%", "preexisting"),
    ]
    text = str(answer(with_violations(result, "uncontrolled", rows)))
    assert "1 EV-caused and 1 aggravated violation (2 there before)." in text
    worse = str(answer(with_violations(result, "uncontrolled", rows[1:2])))
    assert "1 aggravated violation." in worse


def test_avoid_names_what_cars_break_and_not_what_is_nearest_its_limit(result):
    rows = [
        ("line_loading", "Old cable", 300.0, 100.0, "%", "preexisting"),
        ("transformer_loading", "T9", 161.0, 150.0, "%", "aggravated"),
        ("voltage_low", "b7", 0.949, 0.95, "pu", "ev_caused"),
    ]
    calm = {(s, "violations_ev_caused"): 0 for s in result.comparison.index}
    only_v2g = with_figures(with_violations(result, "v2g_peak_shaving", rows), calm)
    found = answer(with_figures(only_v2g, {("v2g_peak_shaving", "violations_ev_caused"): 1}))
    avoid = next(p for p in found.passages if p.lead.startswith("Avoid"))
    assert avoid.lead == "Avoid V2G peak shaving:"
    assert avoid.text.startswith("transformer T9 at 161 %, limit 150 %")
    assert "Old cable" not in avoid.text


def test_limits_broken_before_are_not_laid_to_the_cars(result):
    rows = [("line_loading", "L3", 140.0, 100.0, "%", "preexisting")]
    calm = {(s, "violations_ev_caused"): 0 for s in result.comparison.index}
    found = answer(with_figures(with_violations(result, "uncontrolled", rows), calm))
    assert "breaks no limit that holds without cars" in found.headline
    assert "no EV-caused violation (1 there before)" in str(found).replace("No EV", "no EV")


def test_ageing_beyond_a_thousand_is_not_given_a_figure(result):
    text = str(answer(with_figures(result, {("uncontrolled", "ageing_equivalent"): 98_479.0})))
    assert "ageing over 1,000 times normal" in text
    assert "98,479" not in text


def test_two_weeks_read_as_two_weeks(result):
    assert view.dates(result) == "16-22 Jan and 5-11 Jul 2016 (14 days)"
    assert "16-22 Jan and 5-11 Jul 2016 (14 days) assessed" in answer(result).passages[-1].text


@pytest.mark.parametrize(
    ("first", "days", "words"),
    [
        ("2016-01-29", 7, "29 Jan - 4 Feb 2016 (7 days)"),
        ("2016-01-05", 1, "5 Jan 2016 (1 day)"),
        ("2016-12-29", 7, "29 Dec 2016 - 4 Jan 2017 (7 days)"),
    ],
)
def test_one_run_of_days_is_read_from_first_to_last(result, first, days, words):
    part = result.dataset.isel(time=slice(0, days * 96))
    start = np.datetime64(first) - np.timedelta64(1, "h")
    time = start.astype("datetime64[ns]") + np.arange(days * 96) * np.timedelta64(900, "s")
    part = part.assign_coords(time=time, counted=("time", np.ones(days * 96, bool)))
    assert view.dates(replace(result, dataset=part)) == words


def test_assumptions_are_named_in_plain_words(result):
    notes = tuple(
        Note("assumption", where, "text")
        for where in ("line, df", "sites, fuse_a", "place", "odd table, column")
    )
    text = answer(replace(result, notes=notes)).passages[-1].text
    assert "source voltage, cable ratings, main fuses, cars' places, thermal data" in text
    assert "other data" in text
    for raw in ("fuse_a", "df", "ext_grid", "odd table"):
        assert raw not in text


def without_cars(result, labels):
    """Return the result of a study whose fleet is empty; its columns have no type of number."""
    own = {label: result.assessments["no_ev"] for label in labels}
    table = result.comparison.loc[["no_ev"] * len(labels)].set_axis(labels)
    fleet = result.fleet
    nobody = replace(
        fleet,
        vehicles=fleet.vehicles.iloc[:0].astype(object),
        chargers=fleet.chargers.iloc[:0].astype(object),
        sessions=fleet.sessions.iloc[:0],
    )
    none = {name: slice(0, 0) for name in ("charger", "vehicle", "session")}
    data = result.dataset.sel(strategy=labels).isel(none)
    return replace(result, fleet=nobody, dataset=data, comparison=table, assessments=own)


@pytest.mark.parametrize("labels", [["no_ev"], ["no_ev", "uncontrolled"]])
def test_a_study_without_cars_tells_how_the_network_stands(result, labels, tmp_path):
    empty = without_cars(result, labels)
    found = answer(empty)
    assert found.headline.endswith("no car.")
    assert "No car is in the study" in str(found)
    assert "The network as it is: transformer" in str(found)
    assert "Recommended" not in str(found)
    html = write_html(empty, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No car is in the study" in html
    assert write_excel(empty, tmp_path / "summary.xlsx").stat().st_size > 0
