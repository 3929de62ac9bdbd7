"""A journal holds every draw whole or not at all, belongs to one scan, and ends in one order."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import resource
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gridimpact.errors import InputError
from gridimpact.hosting.faults import StorageError
from gridimpact.hosting.files import PART, atomic_write
from gridimpact.hosting.journal import NAME, Journal
from gridimpact.hosting.journal_format import DRAW, decode, encode, framed
from gridimpact.hosting.journal_key import canonical, differences
from gridimpact.records.hosting import DrawOutcome
from tests.hosting.toy_jobs import outcome_of

KEY = {"seed": 1, "limits": {"drop_pu": 0.05}, "cars": (10, 20)}


def small(draw: int) -> DrawOutcome:
    """Return an outcome of few bytes."""
    return DrawOutcome(draw, np.array([draw], "i1"), np.zeros((0, 1), "f4"))


def stored(folder: Path, count: int, *, settle: bool = False, make: object = small) -> bytes:
    with Journal(folder, KEY) as journal:
        for draw in range(count):
            journal.append(make(draw))  # type: ignore[operator]
        if settle:
            journal.settle()
    return (folder / NAME).read_bytes()


def reopened(folder: Path, data: bytes) -> Journal:
    (folder / NAME).write_bytes(data)
    return Journal(folder, KEY, resume=True)


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_outcome_comes_back_to_the_bit() -> None:
    outcome = dataclasses.replace(outcome_of(3), error="why: naïve 日本")
    back = decode(encode(outcome))
    assert (back.draw, back.sessions_sha256, back.error) == (3, f"{3:064x}", "why: naïve 日本")
    assert back.rows.dtype == outcome.rows.dtype
    assert back.rows.tobytes() == outcome.rows.tobytes()
    assert back.feeders.tobytes() == outcome.feeders.tobytes()
    assert back.feeders.shape == (3, 2)
    turned = dataclasses.replace(outcome, feeders=np.asfortranarray(outcome.feeders))
    assert encode(turned) == encode(outcome)


def test_stored_objects_are_refused_as_they_could_run_code() -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("code of a file was run",))

    table = io.BytesIO()
    np.save(table, np.array([Harm()], dtype=object), allow_pickle=True)
    text = b'{"draw":0,"error":"","sessions_sha256":""}'
    with pytest.raises(ValueError, match="pickle"):
        decode(struct.pack("<I", len(text)) + text + table.getvalue())
    with pytest.raises(ValueError, match="pickle"):
        encode(dataclasses.replace(small(0), rows=np.array([Harm()], dtype=object)))


def test_a_record_cut_at_any_byte_costs_that_draw_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    whole = stored(tmp_path, 3)
    last = len(framed(DRAW, encode(small(2))))
    for cut in range(1, last + 1):
        with reopened(tmp_path, whole[:-cut]) as journal:
            assert sorted(journal.outcomes) == [0, 1]
            assert bool(journal.notes) == (cut < last)
            journal.append(small(2))
        assert (tmp_path / NAME).read_bytes() == whole


def test_a_tail_of_which_the_disk_lost_the_content_is_dropped(tmp_path: Path) -> None:
    whole = stored(tmp_path, 3)
    last = len(framed(DRAW, encode(small(2))))
    for tail in (bytes(last), whole[-last:-50] + bytes(50), b"\xff" * 5000):
        with reopened(tmp_path, whole[:-last] + tail) as journal:
            assert sorted(journal.outcomes) == [0, 1]


def test_a_flipped_byte_in_a_settled_draw_is_refused_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    whole = stored(tmp_path, 3, settle=True)
    end = whole.rindex(b"GIjE")
    for at in range(0, end, 11):
        flipped = bytearray(whole)
        flipped[at] ^= 0x10
        with pytest.raises(InputError, match="damaged"):
            reopened(tmp_path, bytes(flipped))
        assert (tmp_path / NAME).read_bytes() == flipped


def test_another_scan_is_refused_by_the_names_of_what_differs(tmp_path: Path) -> None:
    stored(tmp_path, 1)
    other = KEY | {"limits": {"drop_pu": 0.04}, "versions": {"numpy": "2"}}
    with pytest.raises(InputError) as told:
        Journal(tmp_path, other, resume=True)
    assert "limits.drop_pu: 0.05 then, 0.04 now" in str(told.value)
    assert 'versions.numpy: not given then, "2" now' in str(told.value)
    assert "seed" not in str(told.value)


def test_keys_are_one_text_whatever_their_order_and_kind_of_number() -> None:
    one = canonical({"b": np.float64(0.1), "a": (1, np.int32(2)), "n": float("nan"), "x": None})
    assert one == canonical({"x": None, "n": float("nan"), "a": np.array([1, 2]), "b": 0.1})
    assert differences(canonical({"a": [1, {"b": 2}]}), canonical({"a": [1, {"b": 3}]})) == [
        "a[1].b: 2 then, 3 now"
    ]
    many = differences("{}", canonical({f"k{i:02}": i for i in range(15)}))
    assert len(many) == 13
    assert many[-1] == "and 3 more"
    with pytest.raises(InputError, match=r"key\.f: a function"):
        canonical({"f": canonical})


def test_nothing_stored_is_overwritten_unasked(tmp_path: Path) -> None:
    before = stored(tmp_path, 2)
    with pytest.raises(InputError, match="resume=True"):
        Journal(tmp_path, KEY)
    assert (tmp_path / NAME).read_bytes() == before
    foreign = b"my own notes"
    (tmp_path / NAME).write_bytes(foreign)
    with pytest.raises(InputError, match="no journal"):
        Journal(tmp_path, KEY, resume=True)
    assert (tmp_path / NAME).read_bytes() == foreign


def test_a_scan_killed_before_its_first_draw_begins_anew_unasked(tmp_path: Path) -> None:
    begun = stored(tmp_path, 0)
    (tmp_path / (NAME + PART)).write_bytes(b"half")
    assert stored(tmp_path, 0) == begun
    assert not (tmp_path / (NAME + PART)).exists()


def test_settled_bytes_tell_nothing_of_how_they_came_about(tmp_path: Path) -> None:
    straight = stored(tmp_path / "straight", 6, settle=True, make=outcome_of)
    winding = tmp_path / "winding"
    with Journal(winding, KEY) as journal:
        journal.append(outcome_of(4))
        journal.append(dataclasses.replace(small(1), error="worker died 3 times"))
        journal.settle()
    with Journal(winding, KEY, resume=True) as journal:
        assert journal.outcomes[1].error
        for draw in (5, 0, 3, 1, 2):
            journal.append(outcome_of(draw))
        assert not journal.outcomes[1].error
        journal.settle()
        journal.settle()
    assert (winding / NAME).read_bytes() == straight
    with Journal(winding, KEY, resume=True) as journal:
        journal.settle()
    assert (winding / NAME).read_bytes() == straight


def test_a_full_disk_is_told_with_what_is_safe_and_tears_nothing(tmp_path: Path) -> None:
    record = len(framed(DRAW, encode(outcome_of(0))))
    with Journal(tmp_path, KEY) as journal:
        begun = (tmp_path / NAME).stat().st_size
        with file_limit(begun + 3 * record + record // 2):
            for draw in range(3):
                journal.append(outcome_of(draw))
            with pytest.raises(StorageError) as told:
                journal.append(outcome_of(3))
            assert (tmp_path / NAME).stat().st_size == begun + 3 * record
    for word in (
        "may not grow",
        "3 draws are safe",
        "nothing is torn",
        "free space",
        "resume=True",
    ):
        assert word in str(told.value)
    with Journal(tmp_path, KEY, resume=True) as journal:
        assert sorted(journal.outcomes) == [0, 1, 2]
        assert journal.notes == ()


def test_a_disk_full_at_settling_keeps_what_was_stored(tmp_path: Path) -> None:
    with Journal(tmp_path, KEY) as journal:
        for draw in (1, 0):
            journal.append(outcome_of(draw))
        before = (tmp_path / NAME).read_bytes()
        with file_limit(len(before) - 10), pytest.raises(StorageError, match="2 draws are safe"):
            journal.settle()
        assert (tmp_path / NAME).read_bytes() == before
        assert [p.name for p in tmp_path.iterdir() if p.suffix == PART] == []
        journal.settle()


def test_a_file_is_replaced_whole_or_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    atomic_write(path, "old\n")
    with file_limit(100), pytest.raises(StorageError, match=r"writing table\.csv"):
        atomic_write(path, b"x" * 500)
    assert path.read_text() == "old\n"
    atomic_write(path, "new é\n")
    assert path.read_bytes() == "new é\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_solved(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        Journal(tmp_path / "file", KEY)
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(StorageError, match="not permitted"):
            Journal(tmp_path / "closed", KEY)


def test_a_folder_that_vanishes_is_noticed(tmp_path: Path) -> None:
    with Journal(tmp_path / "gone", KEY) as journal:
        journal.append(small(0))
        shutil.rmtree(tmp_path / "gone")
        with pytest.raises(StorageError, match="gone"):
            journal.sync()
        journal._pending = False


def test_one_run_per_folder_and_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    with Journal(tmp_path, KEY):
        with pytest.raises(
            InputError, match=rf"another run writes to it \(process {os.getpid()} on"
        ):
            Journal(tmp_path, KEY, resume=True)
        assert "since" in (tmp_path / "scan.lock").read_text()
    assert (tmp_path / "scan.lock").read_bytes() == b""
    journal = Journal(tmp_path, KEY)
    journal.close()
    journal.close()
    with pytest.raises(StorageError, match="closed"):
        journal.append(small(0))
    with pytest.raises(StorageError, match="closed"):
        journal.settle()


def test_golden_bytes_of_a_journal_do_not_change_unnoticed(tmp_path: Path) -> None:
    data = stored(tmp_path, 2, settle=True)
    assert hashlib.sha256(data).hexdigest().startswith(GOLDEN)


GOLDEN = "2e3616c9200cf90a"
