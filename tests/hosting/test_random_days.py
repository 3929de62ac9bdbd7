"""Random days of a draw: whole, inside the timeline, with margins, equally likely."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from gridimpact.errors import InputError
from gridimpact.hosting.draws import DrawMaker
from gridimpact.hosting.random_days import choices_of_days, day_of_draw
from gridimpact.timeline import Timeline
from tests.hosting import draw_case as case

YEAR = Timeline.year(2016, step="1h", zone="Europe/Berlin")


def test_a_year_offers_every_day_and_every_week_that_margins_leave():
    days = choices_of_days(YEAR, "random_day")
    assert days[0] == "2016-01-02"
    assert days[-1] == "2016-12-30"
    assert len(days) == 364
    weeks = [w.split("/") for w in choices_of_days(YEAR, "random_week")]
    assert len(weeks) == 51
    assert weeks[0] == ["2016-01-04", "2016-01-10"]
    assert all(pd.Timestamp(a).day_name() == "Monday" for a, _ in weeks)
    assert all(pd.Timestamp(b) - pd.Timestamp(a) == pd.Timedelta("6D") for a, b in weeks)


def test_days_cut_by_the_ends_of_the_timeline_are_not_drawn():
    part = Timeline(np.datetime64("2016-03-04T05:00"), 3600, 24 * 4, "Europe/Berlin")
    assert choices_of_days(part, "random_day") == ("2016-03-05", "2016-03-06", "2016-03-07")
    one = Timeline.days("2016-03-07", 1, step="1h", zone="Europe/Berlin")
    assert choices_of_days(one, "random_day") == ("2016-03-07",)
    with pytest.raises(InputError, match="no whole week from Monday to Sunday"):
        choices_of_days(part, "random_week")


def test_every_day_is_drawn_equally_often():
    choices = tuple(str(k) for k in range(30))
    drawn = [int(day_of_draw(choices, 4, d)) for d in range(1500)]
    assert chisquare(np.bincount(drawn, minlength=30)).pvalue > 0.01


@pytest.mark.parametrize(("kind", "length"), [("random_day", 1), ("random_week", 7)])
def test_a_draw_counts_its_own_days_and_holds_their_sessions(kind, length):
    maker = DrawMaker(case.study(), case.asked(6, days=kind))
    made = [maker.draw(k) for k in range(8)]
    assert len({d.segments[0].name for d in made}) > 2
    for draw in made:
        (segment,) = draw.segments
        counted = segment.timeline.local[segment.counted]
        assert counted[0].strftime("%Y-%m-%d") == segment.name.split("/")[0]
        assert counted[0] == counted[0].normalize()
        assert len(np.unique(counted.date)) == length
        hours = {24.0 * length, 24.0 * length - 1.0}  # the week summer time begins
        assert segment.counted.sum() * segment.timeline.dt_h in hours
        assert not segment.counted[0]
        assert not segment.counted[-1]
        sessions = draw.spec.fleet.sessions
        assert (sessions["plug_out"] > pd.Timestamp(segment.timeline.start)).all()
        assert (sessions["plug_in"] < pd.Timestamp(segment.timeline.end)).all()
    same = [d for d in made if d.segments[0].name == made[0].segments[0].name]
    assert all(d.segments is made[0].segments for d in same)
