"""Every sentence of the answer follows from the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridimpact.records import Note
from gridimpact.report import answer, choose
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
    assert "3 of 9,408 steps failed" in last.text
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
