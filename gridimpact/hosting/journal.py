"""The journal of a scan: every draw's outcome on disk as soon as it is known, whole or not at all.

A kill, even of the main process, costs the draws being solved and nothing else; a resumed scan ends with the
same bytes as one that was never stopped.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gridimpact.errors import InputError
from gridimpact.hosting.faults import StorageError
from gridimpact.hosting.files import PART, atomic_write, require_writable, telling
from gridimpact.hosting.journal_format import (
    DRAW,
    END,
    FORMAT,
    KEY,
    decode,
    encode,
    framed,
    record_at,
    records,
    sound_after,
)
from gridimpact.hosting.journal_key import canonical, differences
from gridimpact.hosting.lock import FolderLock
from gridimpact.records.hosting import DrawOutcome

NAME = "journal.bin"
SYNC_S = 2.0
"""Longest time that a stored draw is held by the operating system before it is flushed to the disk [s]."""


class Journal:
    """Outcomes of draws in ``journal.bin``, appended by one process that holds the folder's lock.

    Parameters
    ----------
    folder : Path
        Made if missing; proved writable and locked against other runs before anything is solved.
    key : mapping
        All that decides what a draw finds: hashes of inputs, options, versions of packages.
    resume : bool
        Whether to go on with a journal that is there. False refuses one that holds draws.

    Attributes
    ----------
    outcomes : dict of int to DrawOutcome
        By draw; of a draw stored twice (solved again after a failure) the last.
    notes : tuple of str
        What was mended at opening, as a last record that a kill had cut.

    Raises
    ------
    InputError
        If another run holds the folder, the journal is of another key (the message names the entries that
        differ), holds draws without `resume`, or is damaged anywhere but at its unsettled end.
    StorageError
        If the folder cannot be written.

    Notes
    -----
    A draw survives a kill from the moment it is appended, and a power cut from `SYNC_S` later at most: a
    draw lost in between is solved again. Every draw ever solved is kept, also when a scan is
    resumed with fewer draws; the ones beyond it are not read by it.
    """

    def __init__(self, folder: str | Path, key: Mapping[str, Any], *, resume: bool = False) -> None:
        self.folder = Path(folder)
        self.path = self.folder / NAME
        self.outcomes: dict[int, DrawOutcome] = {}
        self.notes: tuple[str, ...] = ()
        self._file: int | None = None
        self._synced, self._settled, self._pending = time.monotonic(), False, False
        header = canonical({"format": FORMAT, "key": key})
        require_writable(self.folder)
        self._lock = FolderLock(self.folder)
        try:
            self._open(framed(KEY, header.encode()), header, resume)
        except BaseException:
            self.close()
            raise

    def append(self, outcome: DrawOutcome) -> None:
        """Store one draw; it is whole in the file when this returns.

        Raises
        ------
        StorageError
            If the disk refuses. The file is cut back to its last whole record.
        """
        self._write(framed(DRAW, encode(outcome)))
        self.outcomes[outcome.draw] = outcome
        self._settled, self._pending = False, True
        if time.monotonic() - self._synced > SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Flush what was appended to the disk, and see that the file still stands in its folder."""
        if self._file is None or not self._pending:
            return
        with telling(self.folder, f"flushing {NAME}", self._safe()):
            os.fsync(self._file)
            here, there = os.fstat(self._file), self.path.stat()
        if os.name != "nt" and (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev):
            message = f"folder {self.folder.name!r}: {NAME} was replaced by another while running"
            raise StorageError(message)
        self._pending, self._synced = False, time.monotonic()

    def settle(self) -> None:
        """Put the draws in order, atomically: the file's bytes then tell nothing of how it came about.

        Each draw once, in order of number, then the record that says so. The same draws give the same bytes
        whatever the order they were solved in, the number of workers, kills and resumptions.
        """
        self._require_open()
        if self._settled:
            return
        try:
            self._let_go()
            atomic_write(self.path, self._in_order())
        except StorageError as error:
            message = f"{error}; {self._safe()}; run again with resume=True (--resume) once that is mended"
            raise StorageError(message) from error
        finally:
            if self.path.exists():
                self._reopen(self.path.stat().st_size)
        self._settled = True

    def close(self) -> None:
        """Flush, close and let go of the folder; doing so again does nothing."""
        try:
            self.sync()
        finally:
            self._let_go()
            self._lock.release()

    def __enter__(self) -> Journal:
        """Return the journal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; an error that is under way is told rather than one of closing."""
        if kind is None:
            self.close()
            return
        with contextlib.suppress(StorageError):
            self.close()

    def _in_order(self) -> Iterator[bytes]:
        yield self._header
        for draw in sorted(self.outcomes):
            yield framed(DRAW, encode(self.outcomes[draw]))
        yield framed(END, json.dumps({"draws": len(self.outcomes)}).encode())

    def _open(self, frame: bytes, header: str, resume: bool) -> None:
        self._header = frame
        (self.folder / (NAME + PART)).unlink(missing_ok=True)
        if not self.path.exists():
            atomic_write(self.path, frame)
        # Mapped, not read: a long scan's journal need not fit into memory twice.
        with telling(self.folder, f"reading {NAME}"), self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    end = self._read(data, header)
            else:
                end = self._read(b"", header)
        if self.outcomes and not resume:
            message = (
                f"folder {self.folder.name!r}: holds {len(self.outcomes)} draws of an earlier scan; nothing is"
                " overwritten -> resume=True (--resume) goes on with them, another folder begins anew"
            )
            raise InputError(message)
        self._reopen(end)
        if end < size:
            self._cut(end)
            self.notes += (f"{size - end} bytes of a draw cut off by a kill were dropped",)

    def _read(self, data: bytes | mmap.mmap, header: str) -> int:
        """Read every sound record; return where they end."""
        first = record_at(data, 0)
        if first is None or first.mark != KEY:
            message = (
                f"{NAME} in folder {self.folder.name!r}: is no journal of draws, or its start is damaged"
                " -> choose another folder"
            )
            raise InputError(message)
        if first.content.decode() != header:
            lines = differences(first.content.decode(), header)
            text = "\n".join(f"  {line.removeprefix('key.')}" for line in lines)
            message = (
                f"folder {self.folder.name!r}: holds a scan of other inputs or options:\n{text}\n"
                "  -> give what was given then, or choose another folder"
            )
            raise InputError(message)
        end = 0
        for record in records(data):
            end = record.end
            self._settled = record.mark == END
            if record.mark == DRAW:
                outcome = decode(record.content)
                self.outcomes[outcome.draw] = outcome
        if end < len(data):
            self._require_torn(data, end)
        return end

    def _require_torn(self, data: bytes | mmap.mmap, end: int) -> None:
        """Refuse a file whose unsound part is not what a kill leaves at the end."""
        if not sound_after(data, end):
            return
        message = (
            f"{NAME} in folder {self.folder.name!r}: a stored record at byte {end} is damaged (its hash does not"
            " fit) and draws stand after it -> bring the file back from a copy, or choose another folder"
        )
        raise InputError(message)

    def _reopen(self, size: int) -> None:
        self._let_go()
        flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with telling(self.folder, f"opening {NAME}"):
            self._file = os.open(self.path, flags)
        self._size, self._pending = size, False

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _require_open(self) -> int:
        if self._file is None:
            message = f"{NAME}: is closed, or could not be opened again after a failure"
            raise StorageError(message)
        return self._file

    def _write(self, data: bytes) -> None:
        file = self._require_open()
        view = memoryview(data)
        with telling(self.folder, f"writing {NAME}", self._safe()):
            try:
                while view:
                    view = view[os.write(file, view) :]
            except BaseException:
                # A record that did not fit must not stand before the next one.
                self._cut(self._size)
                raise
        self._size += len(data)

    def _cut(self, size: int) -> None:
        if self._file is not None:
            os.ftruncate(self._file, size)
            os.fsync(self._file)
        self._size = size

    def _safe(self) -> str:
        return f"{len(self.outcomes)} draws are safe in {NAME} and nothing is torn"
