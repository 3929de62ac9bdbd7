"""Figures of a hosting scan draw the numbers of its tables, and refuse to draw nothing."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from gridimpact.errors import InputError
from gridimpact.report.hosting_figures_feeders import light_spans
from gridimpact.report.hosting_figures_limits import binding_shares
from gridimpact.report.hosting_figures_pairs import gains
from gridimpact.report.hosting_plot import HostingPlot
from tests.report.hosting_case import BEARS, CARS, borne, only, small_scan


@pytest.fixture(scope="module")
def scan():
    return small_scan()


@pytest.fixture(scope="module")
def plot(scan):
    return HostingPlot(scan)


def texts(drawn) -> str:
    return " | ".join(text.get_text() for text in drawn.findobj(mpl.text.Text))


def points(axes) -> set[tuple[float, float]]:
    """Return the places of single marks."""
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 1]
    return {(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines}


def at_risk(scan, control="managed"):
    frame = scan.capacity
    own = frame[(frame.control == control) & (frame.limit == "all")]
    return own.set_index("strategy")["at_risk"]


def test_risk_curve_holds_probabilities_bands_the_risk_and_the_capacities(scan, plot):
    drawn = plot.risk_curve()
    upper, lower = drawn.axes
    curves = {line.get_label(): line for line in upper.get_lines()}
    for strategy in BEARS:
        own = scan.risk[(scan.risk.strategy == strategy) & (scan.risk.limit == "all")]
        assert np.asarray(curves[strategy].get_xdata()) == pytest.approx(own.cars.to_numpy())
        assert np.asarray(curves[strategy].get_ydata()) == pytest.approx(
            100 * own.probability.to_numpy()
        )
    assert len(upper.collections) == len(BEARS)
    own = scan.risk[(scan.risk.strategy == "uncontrolled") & (scan.risk.limit == "all")]
    band = upper.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(100 * own.high.max())
    assert "accepted risk 5 %" in texts(drawn)
    assert {x for x, _ in points(lower)} == set(at_risk(scan))
    second = upper.child_axes[0]
    assert second.get_xlabel() == "cars per 100 homes"
    assert second.get_xlim() == pytest.approx(np.array(upper.get_xlim()) * 100 / scan.homes)


def test_capacity_shows_managed_firm_and_what_was_not_reached(scan, plot):
    drawn = plot.capacity()
    (axes,) = drawn.axes
    found = points(axes)
    for row, strategy in enumerate(BEARS):
        assert (at_risk(scan)[strategy], row - 0.14) in found
        assert (at_risk(scan, "firm")[strategy], row + 0.18) in found
    words = texts(drawn)
    assert "≥ 200" in words
    assert "Realistic mix" in words
    arrows = [a for a in axes.texts if getattr(a, "arrow_patch", None) is not None]
    reached = scan.capacity[scan.capacity.limit == "all"].reached
    assert len(arrows) == int((~reached).sum())


def test_boxes_stand_at_the_median_of_the_common_levels_and_limits_are_drawn(scan, plot):
    drawn = plot.limits("g2v_valley_filling")
    panel = next(
        ax for ax in drawn.axes if ax.get_title(loc="left").startswith("Transformer, highest")
    )
    own = scan.scenarios[
        (scan.scenarios.strategy == "g2v_valley_filling") & ~scan.scenarios.refined
    ]
    medians = own.groupby("cars")["transformer_percent"].median().to_numpy()
    drawn_lines = [np.asarray(line.get_ydata(), float) for line in panel.get_lines()]
    for median in medians:
        assert any(len(y) == 2 and np.allclose(y, median) for y in drawn_lines)
    assert "limit 150" in texts(drawn)
    with pytest.raises(InputError, match="not in the scan -> choose from uncontrolled"):
        plot.limits("unknown")


def test_values_known_only_where_they_fail_are_dots_and_never_a_box(scan):
    frame = scan.scenarios.copy()
    frame.loc[frame["voltage_margin_pu"] >= 0, "voltage_margin_pu"] = np.nan
    drawn = HostingPlot(replace(scan, scenarios=frame)).limits()
    panel = next(ax for ax in drawn.axes if "(dots: partly assessed)" in ax.get_title(loc="left"))
    own = frame[(frame.strategy == "uncontrolled") & ~frame.refined]
    share = own.groupby("cars")["voltage_margin_pu"].agg(lambda v: v.notna().mean())
    boxes = [p for p in panel.patches if np.isfinite(p.get_path().vertices).all()]
    assert 0 < (share == 1).sum() < len(share)
    assert len(boxes) == int((share == 1).sum())
    dots = [line for line in panel.get_lines() if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in dots) == int(
        own.loc[own.cars.map(share) < 1, "voltage_margin_pu"].notna().sum()
    )


def test_bars_of_what_binds_are_as_long_as_their_shares(scan, plot):
    shares = binding_shares(scan)
    first = scan.binding[scan.binding.strategy == "uncontrolled"].set_index("limit")["percent"]
    assert shares.loc["uncontrolled", "voltage"] == first["voltage"]
    widths = sorted(patch.get_width() for patch in plot.binding().axes[0].patches)
    assert widths == pytest.approx(sorted(v for v in shares.to_numpy().ravel() if v > 0))


def test_a_light_ends_at_the_last_level_it_is_known_of_and_grey_lies_between():
    own = pd.DataFrame({"cars": [10, 20, 30, 40], "colour": ["green", "green", "yellow", "red"]})
    assert light_spans(own, 40.0) == [
        (0.0, 20.0, "green"),
        (20.0, 30.0, "grey"),
        (30.0, 30.0, "yellow"),
        (30.0, 40.0, "grey"),
        (40.0, 40.0, "red"),
    ]


def test_lights_are_told_apart_without_colour(plot):
    drawn = plot.feeders()
    found = {(p.get_facecolor(), p.get_hatch()) for ax in drawn.axes for p in ax.patches}
    assert len(found) == 4
    assert len({hatch for _, hatch in found}) == 3  # green and grey differ most in lightness
    lightness = sorted(float(np.dot(colour[:3], (0.21, 0.72, 0.07))) for colour, _ in found)
    assert min(np.diff(lightness)) > 0.1
    assert "yellow: up to 5 % do" in texts(drawn)


def test_the_map_colours_every_connection_and_rings_the_weakest(scan, plot):
    drawn = plot.nodal_map("export")
    dots = [c for c in drawn.axes[0].collections if isinstance(c, PathCollection)]
    own = scan.nodal[scan.nodal.direction == "export"]
    # The first collection holds the transformer.
    assert sum(len(c.get_offsets()) for c in dots[1:]) == len(own)
    least = own.loc[own.capacity_kw.idxmin()]
    assert f"{least['name']}, feeder {least.feeder}, {least.capacity_kw:.1f} kW" in texts(drawn)
    bars = plot.nodal("distance").axes[1].patches
    sorted_kw = own.sort_values("distance_m", kind="stable").capacity_kw
    assert [bar.get_height() for bar in bars] == pytest.approx(list(sorted_kw))


def test_gains_are_differences_of_the_numbers_hosted_in_the_same_draw(scan):
    found = borne(BEARS, 60)
    base = np.minimum(found["uncontrolled"].min(axis=1), CARS[-1])
    for strategy in ("g2v_price", "v2g_peak_shaving", "mix"):
        hosted = np.minimum(found[strategy].min(axis=1), CARS[-1])
        assert gains(scan, strategy) == pytest.approx(hosted - base)


def test_pairs_count_every_draw_and_measures_show_gain_and_cost(plot):
    drawn = plot.pairs()
    assert len([p for p in drawn.axes[0].patches if p.get_height() < 0]) > 0
    assert "better in 0 %, worse in 100 %" in texts(drawn)
    left, right = plot.mitigation().axes
    assert [bar.get_width() for bar in left.patches] == [9.0, 70.0, 27.0, 0.0]
    assert [bar.get_width() for bar in right.patches] == [0.0, 9920.0, 27900.0, 14000.0]
    assert any("14,000  (gains nothing)" in text.get_text() for text in right.texts)


NEEDS = {
    "capacity": "stochastic", "risk_curve": "stochastic", "binding": "stochastic",
    "limits": "stochastic", "feeders": "stochastic", "pairs": "stochastic",
    "nodal_map": "nodal", "nodal": "nodal", "mitigation": "mitigation",
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDS)
def test_a_figure_without_its_table_names_what_to_run(scan, name):
    empty = HostingPlot(only(scan, "uniform"))
    with pytest.raises(InputError, match=f"{name}: .* has no table .* -> run .*{NEEDS[name]}"):
        getattr(empty, name)()


def test_what_was_not_scanned_is_refused_by_name(scan, plot):
    with pytest.raises(InputError, match=r"limit 'ageing' .* was not studied"):
        plot.risk_curve("ageing")
    imports = HostingPlot(only(scan, "nodal", nodal=scan.nodal[scan.nodal.direction == "import"]))
    with pytest.raises(InputError, match="direction 'export' was not studied"):
        imports.nodal_map("export")
    with pytest.raises(InputError, match="'capacity' or 'distance'"):
        plot.nodal("name")
