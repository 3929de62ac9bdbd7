"""Figures show the numbers they stand for, and draw whatever a result holds."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from gridimpact.report import figures
from gridimpact.report.drawing import render, spread
from gridimpact.report.figures_transformer import week_of, worst_transformer
from gridimpact.report.style import strategy_colours
from tests.report.village import village_result

NAMES = [drawing.name for drawing in figures.FIGURES]


def texts(drawn: Figure) -> str:
    return " | ".join(text.get_text() for text in drawn.findobj(mpl.text.Text))


def lines(drawn: Figure) -> list[np.ndarray]:
    return [np.asarray(line.get_ydata(), float) for ax in drawn.axes for line in ax.get_lines()]


@pytest.fixture(scope="module")
def schematic():
    return village_result(geographic=False, lanes=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_draws_without_touching_global_style(result, name):
    before = dict(mpl.rcParams)
    drawn = getattr(figures, name)(result)
    assert isinstance(drawn, Figure)
    assert dict(mpl.rcParams) == before
    assert drawn._repr_png_().startswith(b"\x89PNG")


def test_same_figure_gives_same_bytes(result):
    assert render(figures.money(result)) == render(figures.money(result))


def test_transformer_week_shows_the_worst_kva_of_uncontrolled_charging(result):
    data = result.dataset.sel(strategy="uncontrolled").where(result.dataset["counted"])
    kva = np.hypot(data["transformer_p_kw"], data["transformer_q_kvar"]).values
    drawn = lines(figures.transformer_week(result))
    assert any(np.nanmax(y) == pytest.approx(np.nanmax(kva)) for y in drawn if len(y) > 100)


def test_failed_steps_are_gaps(result, schematic):
    def gaps(study):
        return max(int(np.isnan(y).sum()) for y in lines(figures.transformer_week(study)))

    assert gaps(result) == 3
    assert gaps(schematic) == 0


def test_worst_week_holds_only_counted_steps_of_one_segment(result):
    shown = week_of(result, worst_transformer(result).step)
    assert np.all(result.dataset["counted"].values[shown])
    assert len(np.unique(result.dataset["segment"].values[shown])) == 1
    assert shown.sum() == 7 * 96


def test_duration_begins_at_the_peak_of_each_strategy(result):
    drawn = [y for y in lines(figures.duration(result)) if len(y) > 50]
    peaks = sorted(float(y[0]) for y in drawn)
    assert peaks == pytest.approx(sorted(result.comparison["transformer_loading_max_percent"]))
    assert all(np.all(np.diff(y) <= 0) for y in drawn)


def test_headroom_prints_values_limits_and_hours(result):
    words = texts(figures.headroom(result))
    assert "limit 150" in words
    assert "Drop from busbar" in words
    load = result.dataset["transformer_loading_percent"].sel(strategy="uncontrolled")
    hours = float((load.where(result.dataset["counted"]) > 150).sum()) / 4
    assert f"165  {hours:.1f} h" in words


def test_map_draws_both_kinds_of_coordinates_and_rings_what_binds(result, schematic):
    aspects = [figures.map(study).axes[0].get_aspect() for study in (result, schematic)]
    assert aspects[0] == pytest.approx(1 / np.cos(np.radians(48.5)), rel=1e-3)
    assert aspects[1] == 1.0
    assert "Home 14" in texts(figures.map(schematic))


def test_fleet_says_who_is_controlled(result):
    words = texts(figures.fleet(result))
    assert "controls 17 of 60" in words
    assert "controls 42 of 60" in words


def test_money_in_days_is_never_called_a_year(result):
    assert "in 14 days" in texts(figures.money(result))


@pytest.mark.parametrize("name", NAMES)
def test_a_result_without_the_variable_says_so_instead_of_failing(result, name):
    gone = ["charger_p_kw", "transformer_loading_percent", "hot_spot_c", "vm_pu"]
    gone += ["line_loading_percent"]
    frame = result.comparison * np.nan
    bare = replace(result, dataset=result.dataset.drop_vars(gone), comparison=frame)
    drawn = getattr(figures, name)(bare)
    assert any(words in texts(drawn) for words in ("assessed", "No car", "Uncontrolled"))


def test_dollar_signs_in_names_are_text_not_mathematics(result):
    grid = result.network.grid
    names = tuple("$\\frac{" for _ in grid.bus_name)
    odd = replace(result, network=replace(result.network, grid=replace(grid, bus_name=names)))
    assert "$\\frac{" in texts(figures.voltage_profile(odd))


def test_one_strategy_has_one_colour_whatever_else_is_shown():
    alone = strategy_colours(["v2g_arbitrage"])["v2g_arbitrage"]
    beside = strategy_colours(["no_ev", "uncontrolled", "v2g_peak_shaving", "v2g_arbitrage"])
    assert beside["v2g_arbitrage"] == alone
    many = [f"own {k}" for k in range(6)]
    assert len(set(strategy_colours(many).values())) == 6


def test_one_far_outlier_is_cut_and_named_not_left_to_flatten_the_others(result):
    metric = "transformer_loading_max_percent"
    names = [metric.removesuffix("_max_percent") + "_percent", "transformer_p_kw"]
    data = result.dataset.copy(deep=True)
    for name in (*names, "transformer_q_kvar"):
        data[name].loc[{"strategy": "mix"}] = data[name].sel(strategy="mix") * 20
    frame = result.comparison.copy()
    frame.loc["mix", metric] *= 20
    wild = replace(result, dataset=data, comparison=frame)
    for drawn in (figures.transformer_week(wild), figures.duration(wild)):
        assert "Realistic mix goes up to " in texts(drawn)
        assert drawn.axes[0].get_ylim()[1] < 700
    assert "1,296" in texts(figures.headroom(wild))
    assert figures.headroom(wild).axes[0].get_xlim()[1] < 500


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.floats(0.01, 1.0))
@settings(max_examples=30, deadline=None)
def test_spread_labels_keep_their_order_and_distance(wanted, gap):
    placed = spread(wanted, gap)
    order = np.argsort(wanted, kind="stable")
    assert np.all(np.diff(placed[order]) >= gap - 1e-9)
    assert np.mean(placed) == pytest.approx(np.mean(wanted), abs=1e-6)


def test_no_value_of_the_headroom_figure_stands_on_the_limit_line(result):
    drawn = figures.headroom(result)
    drawn.canvas.draw()
    seen = 0
    for ax in drawn.axes:
        lines = [ln.get_xdata()[0] for ln in ax.lines if ln.get_linestyle() == "--"]
        for line in lines:
            at = ax.transData.transform((line, 0))[0]
            for text in ax.texts:
                box = text.get_window_extent()
                if box.y1 < ax.get_window_extent().y1:
                    seen += 1
                    assert not box.x0 < at < box.x1
    assert seen > 10
