"""Strategies given wrongly are refused before anything is planned, by setting and with the remedy."""

from __future__ import annotations

import pytest

from gridimpact.dispatch import Mix, g2v
from gridimpact.errors import InputError
from gridimpact.study.catalogue import as_strategy, make_strategy


def test_a_class_without_brackets_is_told_from_a_strategy():
    with pytest.raises(InputError, match=r"ValleyFilling\(\)"):
        as_strategy(g2v.ValleyFilling)
    with pytest.raises(InputError, match=r"ValleyFilling\(\)"):
        Mix({g2v.ValleyFilling: 0.7})
    assert as_strategy("g2v.valley_filling") == as_strategy(g2v.ValleyFilling())


@pytest.mark.parametrize(
    ("entry", "setting"),
    [
        ({"g2v.transformer_limit": {"limit": "0.9"}}, "limit"),
        ({"g2v.transformer_limit": {"limit": "90%"}}, "limit"),
        ({"grid_aware.measured_limit": {"latency_s": "4s"}}, "latency_s"),
        ({"v2g.arbitrage": {"enrolled": None}}, "enrolled"),
        ({"g2v.delayed_start": {"start": "23:00", "strict": "no"}}, "strict"),
        ({"g2v.delayed_start": {"grace_h": True}}, "grace_h"),
    ],
)
def test_text_for_a_number_is_told_by_setting(entry, setting):
    with pytest.raises(InputError, match=setting):
        make_strategy(entry)


def test_settings_that_take_a_word_or_a_number_take_both():
    assert make_strategy({"v2b.peak_cap": {"target_kw": 80}}).target_kw == 80
    assert make_strategy({"v2b.peak_cap": {"target_kw": "yesterday"}}).target_kw == "yesterday"
