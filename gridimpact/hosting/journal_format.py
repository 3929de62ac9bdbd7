"""The bytes of a journal: framed records with a hash each, written and read without pickle.

A frame is ``mark (4) | length (8) | crc32 of mark and length (4) | sha256 of content (32) | content``, little endian.
The first record is the key, the others are draws; a record "end" says that all before it is settled.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridimpact.records.hosting import DrawOutcome

FORMAT = 1
KEY, DRAW, END = b"GIjK", b"GIjD", b"GIjE"
MARKS = (KEY, DRAW, END)
HEAD = struct.Struct("<4sQI")
FRAME = HEAD.size + 32


@dataclass(frozen=True)
class Record:
    """One record of a journal: its mark, its content and where it ends in the file."""

    mark: bytes
    content: bytes
    end: int


def framed(mark: bytes, content: bytes) -> bytes:
    """Return the record of a content."""
    start = mark + struct.pack("<Q", len(content))
    head = start + struct.pack("<I", zlib.crc32(start))
    return head + hashlib.sha256(content).digest() + content


def record_at(data: bytes | mmap.mmap, at: int) -> Record | None:
    """Return the whole record that begins at a byte, None where there is no sound one."""
    if at + FRAME > len(data):
        return None
    mark, length, check = HEAD.unpack_from(data, at)
    if mark not in MARKS or zlib.crc32(bytes(data[at : at + 12])) != check:
        return None
    end = at + FRAME + length
    if end > len(data):
        return None
    content = bytes(data[at + FRAME : end])
    if hashlib.sha256(content).digest() != bytes(data[at + HEAD.size : at + FRAME]):
        return None
    return Record(mark, content, end)


def records(data: bytes | mmap.mmap) -> Iterator[Record]:
    """Yield the sound records from the start on, up to the first that is not."""
    at = 0
    while (record := record_at(data, at)) is not None:
        yield record
        at = record.end


def sound_after(data: bytes | mmap.mmap, at: int) -> bool:
    """Return whether a sound record begins anywhere after a byte: then what stands there is no torn tail."""
    for mark in MARKS:
        found = data.find(mark, at + 1)
        while found >= 0:
            if record_at(data, found) is not None:
                return True
            found = data.find(mark, found + 1)
    return False


def encode(outcome: DrawOutcome) -> bytes:
    """Return an outcome as bytes: JSON of its short fields, then its two tables as ``.npy``.

    Equal outcomes give equal bytes, whatever the memory layout of their arrays.
    """
    short = {
        "draw": int(outcome.draw),
        "sessions_sha256": outcome.sessions_sha256,
        "error": outcome.error,
    }
    text = json.dumps(short, sort_keys=True, separators=(",", ":")).encode()
    out = io.BytesIO()
    out.write(struct.pack("<I", len(text)))
    out.write(text)
    for table in (outcome.rows, outcome.feeders):
        np.save(out, np.ascontiguousarray(table), allow_pickle=False)
    return out.getvalue()


def decode(content: bytes) -> DrawOutcome:
    """Return the outcome of `encode`'s bytes; nothing in them is run.

    Raises
    ------
    ValueError
        If the bytes are no outcome.
    """
    source = io.BytesIO(content)
    try:
        (length,) = struct.unpack("<I", source.read(4))
        short = json.loads(source.read(length))
        rows = np.load(source, allow_pickle=False)
        feeders = np.load(source, allow_pickle=False)
        return DrawOutcome(
            int(short["draw"]), rows, feeders, str(short["sessions_sha256"]), str(short["error"])
        )
    except (struct.error, KeyError, EOFError, TypeError) as error:
        message = "no outcome of a draw"
        raise ValueError(message) from error
