"""Files written whole or not at all, and a disk's refusal told in words."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gridimpact.hosting.faults import StorageError

PART = ".part"
"""Ending of a file that is being written; whatever bears it may be deleted."""

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file may not grow any further",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "writing is not permitted",
    errno.EPERM: "writing is not permitted",
    errno.ENOENT: "the folder is gone",
    errno.ENOTDIR: "a part of its path is a file",
    errno.ESTALE: "the folder is gone",
    errno.EIO: "the disk reports an error",
}
FREEABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def atomic_write(path: Path, data: bytes | str | Iterable[bytes]) -> None:
    """Write a file so that a reader finds the old content or the new, never a part of it.

    Written beside its place under another name, flushed to the disk, renamed, the folder flushed:
    a kill or a power cut at any moment leaves either content whole.

    Parameters
    ----------
    path : Path
        In an existing folder.
    data : bytes, str or iterable of bytes
        Text is written as UTF-8 with the line ends it has; parts one after the other.

    Raises
    ------
    StorageError
        If the disk refuses; the old content stays and no half file is left.
    """
    fresh = path.with_name(path.name + PART)
    raw = data.encode() if isinstance(data, str) else data
    parts = (raw,) if isinstance(raw, bytes) else raw
    with telling(path.parent, f"writing {path.name}"):
        try:
            with fresh.open("wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_writable(folder: Path) -> None:
    """Make the folder if it is missing and prove that files can be written to it.

    Raises
    ------
    StorageError
        If it cannot be made or written to.
    """
    with telling(folder, "trying to write"):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}{PART}"
        try:
            with probe.open("wb") as file:
                file.write(b"\0" * 4096)
                file.flush()
                os.fsync(file.fileno())
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()


@contextlib.contextmanager
def telling(folder: Path, doing: str, safe: str = "") -> Iterator[None]:
    """Turn a refusal of the disk into a `StorageError` that says what to do.

    Parameters
    ----------
    folder : Path
        Named in the message by its last part only.
    doing : str
        What was being done, as "writing journal.bin".
    safe : str
        What is already stored and stays.
    """
    try:
        yield
    except OSError as error:
        reason = REASONS.get(error.errno or 0, error.strerror or type(error).__name__)
        remedy = "free space" if error.errno in FREEABLE else "mend it or choose another folder"
        kept = (
            f"; {safe} -> {remedy}, then run again with resume=True (--resume)"
            if safe
            else f" -> {remedy}"
        )
        message = f"folder {folder.name!r}: {reason} ({doing}){kept}"
        raise StorageError(message) from error
