"""A text file is read as it is written, or refused; nothing is cut off in silence."""

from __future__ import annotations

import pytest

from gridimpact import InputError, read_profiles


def test_a_decimal_comma_in_a_comma_separated_file_is_refused(tmp_path):
    file = tmp_path / "meters.csv"
    file.write_text("time,a\n2016-01-01 00:00,1,5\n2016-01-01 00:15,2,5\n")
    with pytest.raises(InputError, match=r"more fields than its 2 headings.*decimal=','"):
        read_profiles(file, quantity="p_kw", stamp="start", zone="UTC")


def test_a_decimal_comma_with_semicolons_is_read_when_it_is_declared(tmp_path):
    file = tmp_path / "meters.csv"
    file.write_text("time;a\n2016-01-01 00:00;1,5\n2016-01-01 00:15;2,5\n")
    read = read_profiles(
        file, quantity="p_kw", stamp="start", zone="UTC", separator=";", decimal=","
    )
    assert read.load_p_kw[:, 0].tolist() == [1.5, 2.5]
